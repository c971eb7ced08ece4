"""The page: all of the results, down to each utterance, to be opened from disk."""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd

from emoword import __version__
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, replacing
from emoword.labels.words import read_dropped, read_label_sets, read_summaries
from emoword.layout import read_variant
from emoword.page.data import (
    Shown,
    details,
    metric_rows,
    nearest,
    run_records,
    utterance_list,
)
from emoword.page.tables import address, read_tables
from emoword.schemas import ANNOTATIONS, DECISIONS, METRICS, NEAREST, RUN_KEYS, UTTERANCES

FIGURES = {
    "neighbours": "Words nearest to the models' mean predictions, by emotion",
    "map": "The word space around the emotions, and the models' mean predictions",
    "confusion": "What was decided (columns) for each ground truth (rows)",
    "curves": "Learning curves: training and validation loss by epoch",
    "network": "The network as configured",
}
# What other stages may have made: shown where it is, in this order.
FURTHER = {
    "versus_paper.csv": "Ours beside the paper's numbers, cell by cell",
    "differences.csv": "Paired differences between models",
    "comparisons/sensitivity/sensitivity.csv": "Sensitivity: each open choice changed alone",
    "comparisons/sensitivity/verdicts.csv": "Sensitivity of the verdicts",
}
LONG = 30  # rows; a longer table is folded away
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


def page(variant: Path, /, *, copy_audio: bool = False, out: Path) -> None:
    """Make a page of the results that opens from disk: tables, figures, runs, and each utterance.

    OUT/index.html and its files (scripts, data, figures) need no network and no server, and the
    folder can be sent as it is. Shown are the tables and figures; what was run; the intervals,
    claims and comparisons if they were made; where each cell of a table comes from; and every
    utterance with its audio, what its raters wrote and where, the words of its targets, and the
    words nearest to each prediction. Audio is linked, and copied with --copy-audio alone. The page
    holds what the raters wrote: a corpus whose licence forbids passing that on forbids passing on
    the page.

        emoword page results/demo/variants/paper.json --out results/demo/report

    Args:
        variant: The variant's file; what is shown lies in the same results folder.
        copy_audio: Copy the audio into OUT instead of linking it.
        out: Folder of the page: index.html in it.
    """
    shown = Shown(read_variant(variant))
    with replacing(out) as made:
        made.mkdir()
        sizes = write_page(shown, made, out, copy_audio)
    total = sum(sizes.values())
    print(f"{out}/index.html and {len(sizes) - 1} files beside it: {total / 1e6:.1f} MB")


def write_page(shown: Shown, folder: Path, out: Path, copy_audio: bool) -> dict[str, int]:
    """Write all files of the page into ``folder``; returns their sizes by name."""
    utterances = UTTERANCES.read_text(shown.results / "utterances.csv")
    annotations = ANNOTATIONS.read_text(shown.results / "annotations.csv")
    dropped = read_dropped(shown.place)
    targets = read_label_sets(shown.place)
    synthetic = shown.place.variant.synthetic
    decisions_file = shown.results / "decisions" / f"{shown.variant}.csv"
    decisions = DECISIONS.read_text(decisions_file, *RUN_KEYS, "utterance", "true", "predicted")
    near_file = shown.results / "nearest" / f"{shown.variant}.csv"
    near = NEAREST.read_text(near_file, "of", "fold", "seed", "utterance")
    metrics_file = shown.results / "metrics.csv"
    metrics = METRICS.read_text(metrics_file)
    ids = list(utterances["utterance"])
    check_ids({"annotations.csv": annotations, "dropped.csv": dropped, near_file.name: near}, ids)
    audio = audio_addresses(list(utterances["wav"]), out, folder, copy_audio)

    listed = utterance_list(utterances, targets, decisions, shown.loss)
    made_runs = run_records(sorted(shown.place.runs()))
    tables, traces = read_tables(shown)
    first = next(iter(listed["decided"]), "")
    column = "CE UA" if first == "baseline" else f"{shown.loss.upper()} UA"
    listed["trace"] = [f"{shown.results.as_posix()}/tables/table1.csv", first, column]
    write_data(folder, "utterances", listed)
    write_data(folder, "details", details(ids, annotations, dropped, targets, audio))
    for seed, part in nearest(ids, near, decisions, shown.loss).items():
        write_data(folder, "nearest-targets" if seed == "targets" else f"nearest-{seed}", part)
    rows = metric_rows(metrics[metrics["variant"] == shown.variant])
    chosen = {"aggregate": shown.aggregate, "loss": shown.loss}
    write_data(folder, "runs", {"runs": made_runs, "metrics": rows, "traces": traces, **chosen})
    copy_assets(folder)
    text = template("page.html.j2").render(
        shown=shown,
        dataset=shown.results.name,
        version=__version__,
        synthetic=synthetic,
        licensed=not synthetic and is_licensed(shown.results),
        command=f"./run --cores 1 {out.as_posix()}/index.html",
        tables=tables,
        address=address,
        intervals=any(trace.get("interval") for trace in traces.values()),
        figures=copy_figures(shown.results / "figures", folder),
        claims=read_claims(shown.results),
        further=further_tables(shown.results),
        long=LONG,
        facts=facts(shown, made_runs, len(ids), dropped),
        dropped=Counter(zip(dropped["kind"], dropped["reason"], dropped["label_set"], strict=True)),
        run_grid=run_grid(made_runs),
        listed=listed,
        config=configuration(shown.results),
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    return {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def check_ids(tables: Mapping[str, pd.DataFrame], ids: Sequence[str]) -> None:
    """Raise an InputError that names an utterance which utterances.csv has not got."""
    for name, table in tables.items():
        unknown = set(table["utterance"]) - set(ids)
        if unknown:
            raise InputError(f"{name}: {min(unknown)!r} is not in utterances.csv")


def template(name: str) -> jinja2.Template:
    """A template of the page, in which everything is escaped for HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("emoword", "resources/page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template(name)


def visible(text: object) -> str:
    r"""Text in which nothing is hidden: what has no shape, or turns text round, as its number.

    >>> visible("a\u202eb")
    'a⟨U+202E⟩b'
    """
    return UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", str(text))


def write_data(folder: Path, name: str, value: object) -> None:
    """Write a script that hands ``value`` to the page; a page from disk may load no other data."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    # no `</script>`, whatever becomes of the file
    text = text.replace("<", "\\u003c")
    (folder / f"{name}.js").write_text(f'emoword["{name}"]={text};\n', encoding="ascii")


def audio_addresses(wavs: Sequence[str], out: Path, folder: Path, copy: bool) -> list[str]:
    """The address of each audio file as seen from the page; copied under a name of ours if asked.

    Args:
        wavs: paths as in utterances.csv.
        out: where the page will lie.
        folder: where it is being written.
        copy: whether to copy.
    """
    if not copy:
        return [quote(Path(os.path.relpath(wav, out)).as_posix()) for wav in wavs]
    names = []
    for number, wav in enumerate(wavs, start=1):
        name = f"audio-{number:05d}{Path(wav).suffix}"
        if not Path(wav).is_file():
            raise InputError(f"{wav}: no such file: cannot be copied")
        shutil.copyfile(wav, folder / name)
        names.append(f"./{quote(name)}")
    return names


def copy_assets(folder: Path) -> None:
    """Write scripts and styles: ours, and DataTables as the package itables carries it.

    Raises:
        InputError: itables is not the one that this code knows.
    """
    ours = resources.files("emoword") / "resources" / "page"
    for name in ("start.js", "page.js", "page.css"):
        (folder / name).write_bytes((ours / name).read_bytes())
    bundle = resources.files("itables") / "html"
    script = (bundle / "dt_bundle.js").read_text(encoding="utf-8")
    # It is a module, which a browser does not load from disk: a plain script is made of it.
    exported = re.search(r"export\s*\{[^}]*?([\w$]+) as default[^}]*\};?", script)
    if not exported:
        raise InputError("itables carries no DataTables that exports itself: use another version")
    body = script[: exported.start()] + script[exported.end() :]
    plain = f'(()=>{{"use strict";{body}\nwindow.DataTable={exported[1]};}})();\n'
    (folder / "datatables.js").write_text(plain, encoding="utf-8")
    (folder / "datatables.css").write_bytes((bundle / "dt_bundle.css").read_bytes())


def copy_figures(source: Path, folder: Path) -> list[dict[str, Any]]:
    """Copy the figures that are there; returns name, title and files of each."""
    figures = []
    for name, title in FIGURES.items():
        if not (source / f"{name}.png").is_file():
            continue
        files = [
            path for kind in ("png", "pdf", "csv") if (path := source / f"{name}.{kind}").is_file()
        ]
        for path in files:
            shutil.copyfile(path, folder / f"figure-{path.name}")
        width, height = png_size(folder / f"figure-{name}.png")
        names = {path.suffix[1:]: f"figure-{path.name}" for path in files}
        figures.append(
            {"name": name, "title": title, "files": names, "width": width, "height": height}
        )
    return figures


def png_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels, from the header."""
    head = path.read_bytes()[16:24]
    return int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")


def read_claims(results: Path) -> list[dict[str, Any]]:
    """The paper's claims with their verdicts and the parts behind each, if they were judged."""
    path, parts_path = results / "claims.csv", results / "claim_parts.csv"
    if not path.is_file():
        return []
    claims = read_table(path, ["claim", "place", "says", "verdict"]).to_dict("records")
    parts = (
        read_table(parts_path, ["claim"]) if parts_path.is_file() else pd.DataFrame({"claim": []})
    )
    header = [name for name in parts.columns if name != "claim"]
    for claim in claims:
        own = parts.loc[parts["claim"] == claim["claim"], header]
        claim["header"] = [name for name in header if (own[name] != "").any()]
        claim["parts"] = [
            [short(c) for c in row] for row in own[claim["header"]].to_numpy().tolist()
        ]
    return [{str(key): value for key, value in claim.items()} for claim in claims]


def further_tables(results: Path) -> list[dict[str, Any]]:
    """What other stages made, if they did: a title, the path, the header and the rows of each."""
    paths = {results / name: title for name, title in FURTHER.items()}
    for path in sorted((results / "tables").glob("table*.csv")):
        if not re.fullmatch(r"table[1-6]\.csv", path.name):
            paths[path] = "Table " + path.stem.removeprefix("table").strip("_").upper()
    tables = []
    for path, title in paths.items():
        if path.is_file():
            frame = read_table(path, [])
            rows = [[short(cell) for cell in row] for row in frame.to_numpy().tolist()]
            if not rows:
                continue
            entry = {"title": title, "path": path.as_posix(), "header": list(frame.columns)}
            tables.append({**entry, "rows": rows})
    return tables


def short(cell: str) -> str:
    """A number with many digits in four significant ones; anything else as it stands."""
    return f"{float(cell):.4g}" if re.fullmatch(r"-?\d*\.\d{5,}(e-?\d+)?", cell) else cell


def facts(
    shown: Shown,
    made: Sequence[dict[str, Any]],
    utterances: int,
    dropped: pd.DataFrame,
) -> list[tuple[str, str]]:
    """What was run, in lines of (what, text)."""
    place = shown.place
    summaries = read_summaries(map(place.targets, place.variant.targets))
    summary = summaries["S1"]
    meta = read_json(place.space / "meta.json")
    by_class = ", ".join(f"{name} {n}" for name, n in summary["utterances_by_class"].items())
    versions = Counter(", ".join(f"{k} {v}" for k, v in run["versions"].items()) for run in made)
    hosts = Counter(f"{run['device']} ({run['machine']})" for run in made)
    folds = sorted({run["fold"] for run in made})
    seeds = sorted({run["seed"] for run in made})
    fallen = sum(bool(run["collapsed"]) for run in made)
    targets = ", ".join(f"{name}: {one['distinct_targets']}" for name, one in summaries.items())
    out = int((dropped["kind"] == "utterance").sum())
    return [
        (
            "Utterances",
            f"{summary['utterances']} take part ({by_class}); {out} of {utterances} do not",
        ),
        ("Distinct targets", targets),
        ("Word space", f"{meta['source']}: {meta['words']:,} words, {meta['dim']} dimensions"),
        ("Features", place.variant.settings.upstream),
        ("Runs", f"{len(made)}: {len(folds)} folds, seeds {', '.join(map(str, seeds))}"),
        ("Collapsed runs", f"{fallen} of {len(made)}" if fallen else "none"),
        ("Trained on", "; ".join(f"{name}, {n} runs" for name, n in hosts.items())),
        ("Versions", "; ".join(f"{name}" for name in versions)),
        (
            "Tables show",
            f"variant {shown.variant}, {shown.aggregate} over folds, loss {shown.loss}",
        ),
    ]


def run_grid(made: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The runs by model and loss (rows) and fold (columns)."""
    folds = sorted({run["fold"] for run in made})
    rows: dict[tuple[str, str], dict[int, list[dict[str, Any]]]] = {}
    for run in sorted(
        made, key=lambda run: (run["model"] == "baseline", run["model"], run["seed"])
    ):
        rows.setdefault((run["model"], run["loss"]), {}).setdefault(run["fold"], []).append(run)
    return {"folds": folds, "rows": rows}


def is_licensed(results: Path) -> bool:
    """Whether the corpus is IEMOCAP itself, whose annotations may not be passed on."""
    corpus = results / "corpus.json"
    return corpus.is_file() and read_json(corpus).get("reader") == "read-iemocap"


def configuration(results: Path) -> str:
    """config.json as it lies there."""
    path = results / "config.json"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
