"""Write the pages of docs/ that say what the code declares: settings, commands, hand-overs.

    python scripts/make_docs.py

tests/test_docs.py fails where a page is not what this script writes.
"""

import importlib
import inspect
import sys
import types
import typing
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from emoword import settings
from emoword.cli import GROUPS
from emoword.reproduction.choices import read_choices
from emoword.schemas import SCHEMAS

DOCS = Path(__file__).parent.parent / "docs"
LEDGER = DOCS.parent / "paper" / "choices.yaml"
HEAD = "| setting | type | default | means | open |\n|---|---|---|---|---|\n"
BLOCKS = ("datasets", "spaces", "upstreams")
SECTIONS = ("labels", "network", "training")  # of a variant's settings: tables of their own
MADE = "<!-- made by scripts/make_docs.py -->\n"


def settings_page() -> str:
    """Every setting: name, type, default, meaning, and where the paper leaves it open."""
    blocks: dict[str, list[type[Struct]]] = {
        "Of a variant (`datasets: NAME: settings`, `variants: NAME`)": [settings.Settings],
        "labels": [settings.LabelSettings],
        "network": [settings.NetworkSettings],
        "training": [settings.TrainingSettings],
        "Of the whole configuration": [settings.Config],
        "datasets": [settings.Dataset, settings.Demo, settings.Recordings, settings.Union],
        "spaces": [*get_args(settings.AnySpace), settings.Filter],
        "upstreams": [*get_args(settings.Upstream)],
    }
    text = (
        "# Settings\n\nWhat config.yaml may say; the defaults are the paper's. *Open*: the section "
        "of the paper that leaves the choice open ([reproduction](reproduction.md)). Unknown keys "
        "are refused, a key that is null counts as absent. `emoword` checks all of it before "
        "anything runs.\n"
    )
    for title, kinds in blocks.items():
        text += f"\n## {title}\n"
        for kind in kinds:
            rows = settings_rows(kind, kinds)
            text += f"\n{heading(kind, kinds, bool(rows))}\n"
            text += f"\n{HEAD}{rows}" if rows else ""
    return MADE + text


def heading(kind: type[Struct], others: list[type[Struct]], more: bool) -> str:
    """What a block is, by which key it is chosen, and whose settings it has, with more or not."""
    about, config = inspect.getdoc(kind), kind.__struct_config__
    chosen = f"**`{config.tag_field}: {config.tag}`** " if config.tag else ""
    if (base := kind.__base__) not in others:
        return f"{chosen}{about}"
    return f"{chosen}{about} Has what `{base.__struct_config__.tag}` has{', and:' if more else '.'}"


def settings_rows(kind: type[Struct], others: list[type[Struct]]) -> str:
    """The fields of settings, but for those that it has from another of a block."""
    theirs = msgspec.structs.fields(kind.__base__) if kind.__base__ in others else ()
    inherited, rows = {field.name: field.type for field in theirs}, ""
    for field in msgspec.structs.fields(kind):
        if field.type == inherited.get(field.name) or field.name in (*BLOCKS, *SECTIONS):
            continue
        meta = meta_of(field.type)
        rows += "| " + " | ".join(
            (
                f"`{field.name}`",
                type_name(field.type),
                default_of(field),
                meta.description or "" if meta else "",
                (meta.extra or {}).get("open") or "" if meta else "",
            )
        )
        rows += " |\n"
    return rows


def meta_of(kind: Any) -> msgspec.Meta | None:
    """What a field's type says of its meaning."""
    metas = [m for m in getattr(kind, "__metadata__", ()) if isinstance(m, msgspec.Meta)]
    return next((meta for meta in metas if meta.description), None)


def type_name(kind: Any) -> str:
    """A type in words."""
    if get_origin(kind) is typing.Annotated:
        return type_name(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) is tuple:
        return f"list of {type_name(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return "map"
    if get_origin(kind) in (typing.Union, types.UnionType):
        return "one of the blocks below"
    if isinstance(kind, type) and issubclass(kind, Struct):
        return "block, below"
    names = {str: "text", int: "whole number", float: "number", bool: "`true`, `false`"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def default_of(field: msgspec.structs.FieldInfo) -> str:
    """A default as YAML has it."""
    if field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    elif field.default is not msgspec.NODEFAULT:
        value = field.default
    else:
        return "*needed*"
    if isinstance(value, Struct):
        return "none"
    text = msgspec.json.encode(value).decode().strip('"')
    return f"`{text}`" if text not in ("", "{}", "[]") else "none"


def commands_page() -> str:
    """All commands, by room."""
    text = (
        "# Commands\n\nOne command a rule; `emoword COMMAND --help` says what it reads and "
        "writes, with an example.\n"
    )
    for group, commands in GROUPS.items():
        text += f"\n## {group}\n\n| command | does | defined in |\n|---|---|---|\n"
        for name, (where, summary) in commands.items():
            place = where.partition(":")[0].replace(".", "/")
            text += f"| `emoword {name}` | {summary} | `src/emoword/{place}.py` |\n"
    return MADE + text


def handovers_page() -> str:
    """Every table that one stage hands to the next."""
    text = (
        "# Hand-overs: the tables that one stage hands to the next\n\nAll are CSV (UTF-8, one "
        "header line), below `results/{dataset}`.\n"
    )
    for schema in SCHEMAS:
        text += f"\n## {schema.file}\n\nMade by `emoword {schema.made_by}`. A row is {schema.row}."
        text += "\n\n| column | type | means |\n|---|---|---|\n"
        for name, (kind, meaning) in schema.columns.items():
            text += f"| `{name}` | {type_name(kind)} | {meaning} |\n"
    return MADE + text


def choices_page() -> str:
    """What the paper leaves open."""
    text = (
        "# What the paper leaves open\n\nEach choice is a switch ([settings](settings.md)); "
        "[paper/choices.yaml](../paper/choices.yaml) is the ledger: what the paper says and where, "
        "our default and why, the alternatives. `./run --cores 2 sensitivity` tries each "
        "alternative alone, with the loss of Tables 3 to 6, and writes what it changes in UA, WA "
        "and in the verdicts on the claims; what an alternative does not touch is not trained "
        "again.\n\n"
    )
    text += "| choice | default | alternatives (variants) | switch |\n|---|---|---|---|\n"
    for choice in read_choices(LEDGER):
        tried = "; ".join(f"{other.says} (`{other.variant}`)" for other in choice.alternatives)
        setting = f"`{choice.setting}`" if choice.setting else ""
        cells = [choice.choice, choice.default, tried or "–", setting]
        text += "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"
    return MADE + text


def config_page() -> str:
    """What the workflow catalog shows of the configuration."""
    text = (
        "# Configuration\n\n`config.yaml`, in the root of the repository; `--config KEY=VALUE` and "
        "`--configfile mine.yaml` (only what differs) are laid over it. As it is, the embedded "
        "demo is run, which needs no data; for a corpus of your own, say where its table lies "
        "([own recordings](../docs/own-recordings.md)), for IEMOCAP, `iemocap_root`.\n\n"
    )
    table = HEAD + settings_rows(settings.Config, [])
    end = (
        "\nThe blocks of datasets, variants, spaces, upstreams: [settings](../docs/settings.md).\n"
    )
    return MADE + text + table + end


def attacks_page() -> str:
    """What verify is tried with: the parameters of its tests."""
    sys.path.append(str(DOCS.parent / "tests"))
    frauds, attacks = map(importlib.import_module, ("test_audit", "test_audit_redteam"))
    zips = {cell(repr(name)[1:-1][:60]): says for name, says in attacks.NAMES.items()}
    zips |= {kind.__name__.replace("_", " "): says for kind, says in attacks.ZIPS.items()}
    places = dict.fromkeys(name.split(" ")[0] for name in attacks.FOLDERS)
    lines = [
        "# Frauds and attacks that verify is tried with",
        "",
        "The parameters of tests/test_audit.py and tests/test_audit_redteam.py, which run in CI.",
        "",
        "## Frauds",
        "",
        f"An edit of each of these {len(frauds.REMADE)} is *recomputed and different*, whether or",
        "not its record and provenance.json are edited, too:",
        ", ".join(map(cell, frauds.REMADE)) + ".",
        "",
        "A file that nothing makes is *made by nothing that config.json says*: "
        + ", ".join(map(cell, frauds.INVENTED))
        + ".",
        "",
        "What only a training makes is not what its record says. With its record edited, too:",
        "",
        "| edited | shows as different in |",
        "|---|---|",
        *(
            f"| {what} ({cell(name)}) | {', '.join(sorted(shows)) or 'nothing: train it again'} |"
            for what, (name, _, shows) in frauds.TRAINED.items()
        ),
        "",
        "## Attacks on whoever verifies",
        "",
        "While verify and trace read them, nothing is run, nothing is written but in a temporary",
        "folder that they remove, no file of the user's is read, and no text reaches a terminal",
        "that it would act on.",
        "",
        "| in a zip: a name, or a zip that is | refused in a line, as it says |",
        "|---|---|",
        *(f"| {what} | {says} |" for what, says in zips.items()),
        "",
        f"In place of a file or folder: not followed, or found as edited ({len(attacks.FOLDERS)}):",
        ", ".join(place.strip(",").replace("_", " ") for place in places) + ".",
        "",
        "A config.json with: " + ", ".join(attacks.CONFIGS) + ".",
        "",
        "In each field of a record, of provenance.json and of config.json, by turns: "
        + ", ".join(cell(ascii(path)[1:-1]) for path in attacks.PATHS)
        + ", numbers out of range, lists, objects, 10,000 letters.",
    ]
    return MADE + "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


PAGES = {
    "attacks.md": attacks_page,
    "../config/README.md": config_page,
    "open-choices.md": choices_page,
    "settings.md": settings_page,
    "commands.md": commands_page,
    "hand-overs.md": handovers_page,
}


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
