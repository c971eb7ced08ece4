"""The page: all of the results, down to each utterance, to be opened from disk."""

import json
import math
import os
import re
import shutil
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from threadpoolctl import threadpool_limits

from emoword import __version__
from emoword.io.errors import InputError
from emoword.io.files import read_json, read_table, replacing
from emoword.io.templates import fill
from emoword.labels.words import read_dropped, read_label_sets
from emoword.layout import Place, read_variant
from emoword.page.data import details, facts, nearest, run_records, utterance_list
from emoword.page.figures import copy_figures
from emoword.page.space import read_predictions, space_data
from emoword.page.tables import address, outcome, read_tables
from emoword.reproduction.claim_pages import html_values
from emoword.reproduction.verdicts import Part
from emoword.schemas import ANNOTATIONS, DECISIONS, METRICS, NEAREST, UTTERANCES

# What other stages may have made: shown where it is, in this order.
FURTHER = {
    "versus_paper.csv": "Ours beside the paper's numbers, cell by cell",
    "differences.csv": "Paired differences between models",
    "comparisons/sensitivity/sensitivity.csv": "Sensitivity: each open choice changed alone",
    "comparisons/sensitivity/verdicts.csv": "Sensitivity of the verdicts",
}
TEMPLATES = Path(__file__).parents[1] / "resources/page"
LONG = 30  # rows; a longer table is folded away
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


def page(variant: Path, /, *, copy_audio: bool = False, out: Path) -> None:
    """Make a page of the results that opens from disk: tables, figures, runs, and each utterance.

    OUT/index.html and its files need no network and no server, and the folder can be sent as it is.
    Shown are the tables and figures; what was run; claims and comparisons if they were made; where
    each cell of a table comes from; and every utterance with its audio, what its raters wrote and
    where, the words of its targets, and the words nearest to each prediction. It holds what the
    raters wrote: a corpus whose licence forbids passing that on forbids passing on the page.

        emoword page results/demo/variants/paper.json --out results/demo/report

    Args:
        variant: The variant's file; what is shown lies in the same results folder.
        copy_audio: Copy the audio into OUT instead of linking it.
        out: Folder of the page: index.html in it.
    """
    place = read_variant(variant)
    with replacing(out) as made:
        made.mkdir()
        write_page(place, made, out, copy_audio)
        sizes = [path.stat().st_size for path in made.iterdir()]
    print(f"{out}/index.html and {len(sizes) - 1} files beside it: {sum(sizes) / 1e6:.1f} MB")


def write_page(place: Place, folder: Path, out: Path, copy_audio: bool) -> None:
    """Write all files of the page, which will lie at ``out``, into ``folder``."""
    root, own = place.root, place.variant
    utterances = UTTERANCES.read_text(root / "utterances.csv")
    dropped = read_dropped(place)
    audio = audio_addresses(list(utterances["wav"]), out, folder, copy_audio)
    of_utterances = write_utterances(place, utterances, dropped, audio, folder)
    runs = run_records(sorted(place.runs()))
    of_runs = write_runs(place, runs, folder)
    copy_assets(folder)
    config = root / "config.json"
    # annotations of IEMOCAP itself may not be passed on
    reader = read_json(root / "corpus.json").get("reader")
    fallen = zip(dropped["kind"], dropped["reason"], dropped["label_set"], strict=True)
    shown = {
        "place": place,
        "dataset": root.name,
        "version": __version__,
        "licensed": reader == "read-iemocap" and not own.synthetic,
        "address": address,
        "figures": copy_figures(root / "figures", folder),
        **read_claims(root),
        "further": further_tables(root),
        "long": LONG,
        "config": config.read_text(encoding="utf-8") if config.is_file() else "",
        "command": f"./run --cores 1 {out.as_posix()}/index.html",
        **of_utterances,
        **of_runs,
        "facts": facts(place, runs, len(utterances), dropped),
        "dropped": Counter(fallen),
    }
    text = filled("page.html.j2", shown)
    (folder / "index.html").write_text(text, encoding="utf-8")


def write_utterances(
    place: Place,
    utterances: pd.DataFrame,
    dropped: pd.DataFrame,
    audio: Sequence[str],
    folder: Path,
) -> dict[str, Any]:
    """Write what the page says of utterances and the map; what its template needs of that."""
    root, own, loss = place.root, place.variant, place.variant.settings.table_loss
    annotations = ANNOTATIONS.read_text(root / "annotations.csv")
    targets = read_label_sets(place)
    decisions = DECISIONS.read_text(root / f"decisions/{own.name}.csv")
    near = NEAREST.read_text(root / f"nearest/{own.name}.csv")
    ids = list(utterances["utterance"])
    checked = {"annotations.csv": annotations, "dropped.csv": dropped, f"{own.name}.csv": near}
    for name, table in checked.items():
        unknown = set(table["utterance"]).difference(ids)
        if unknown:
            raise InputError(f"{name}: {min(unknown)!r} is not in utterances.csv")
    listed = utterance_list(utterances, targets, decisions, loss)
    first = next(iter(listed["decided"]), "")
    column = "CE UA" if first == "baseline" else f"{loss.upper()} UA"
    listed["trace"] = [f"{root.as_posix()}/tables/table1.csv", first, column]
    write_data(folder, "utterances", listed)
    take_part = [name for name, label in zip(ids, listed["truth"], strict=True) if label != "."]
    predicted = read_predictions(place, take_part)
    with threadpool_limits(1):  # other numbers of threads give other roundings
        for name, part in space_data(place, predicted, targets):
            write_data(folder, name, part)
    write_data(folder, "details", details(ids, annotations, dropped, targets, audio))
    for seed, part in nearest(ids, near, decisions, loss).items():
        write_data(folder, f"nearest-{seed}", part)
    return {"listed": listed, "mapped": list(dict.fromkeys(model for model, _ in predicted))}


def write_runs(place: Place, runs: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Write what the page says of runs and of cells; what its template needs of that."""
    chosen = place.variant.settings
    tables, traces = read_tables(place)
    data = {"runs": runs, "metrics": metric_rows(place), "traces": traces}
    data |= {"aggregate": chosen.aggregate, "loss": chosen.table_loss}
    write_data(folder, "runs", data)
    in_grid = sorted(runs, key=lambda run: (run["model"] == "baseline", run["model"], run["seed"]))
    return {
        "tables": tables,
        "outcome": outcome(tables, chosen.table_loss),
        "runs": in_grid,
        "models": dict.fromkeys((run["model"], run["loss"]) for run in in_grid),
        "folds": sorted({run["fold"] for run in runs}),
        "intervals": any(trace.get("interval") for trace in traces.values()),
    }


def filled(name: str, values: Mapping[str, object]) -> str:
    """A template of the page, filled in; everything is escaped for HTML."""
    return fill(TEMPLATES / name, values, {"visible": visible}, autoescape=True)


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
    """The address of each audio file as seen from the page, which will lie at ``out``.

    With ``copy`` it is copied into ``folder`` under a name of ours. A page from disk may play a
    file but not read it, to draw its waveform: a copy is a script that holds the bytes.
    """
    if not copy:
        # an absolute path stays: the page is then the same wherever it is made again (verify)
        places = (wav if Path(wav).is_absolute() else os.path.relpath(wav, out) for wav in wavs)
        return [quote(Path(place).as_posix()) for place in places]
    names = []
    for number, wav in enumerate(wavs, start=1):
        name = f"audio-{number:05d}"
        write_data(folder, name, b64encode(Path(wav).read_bytes()).decode("ascii"))
        names.append(f"./{name}.js")
    return names


def copy_assets(folder: Path) -> None:
    """Write scripts and styles: ours, and DataTables as the package itables carries it.

    Raises:
        InputError: itables is not the one that this code knows.
    """
    for name in ("start.js", "page.js", "map_view.js", "sound.js", "page.css"):
        shutil.copyfile(TEMPLATES / name, folder / name)
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


def metric_rows(place: Place) -> list[list[Any]]:
    """The variant's rows of metrics.csv: model, loss, fold, seed, measured_on, metric, value, n."""
    table = METRICS.read(place.root / "metrics.csv")
    rows = table.loc[table["variant"] == place.variant.name, METRICS.names[1:]]
    return [
        [*key, None if math.isnan(value) else value, n]
        for *key, value, n in rows.itertuples(index=False)
    ]


def read_claims(results: Path) -> dict[str, Any]:
    """What claims_list.html.j2 shows, as claims.html has it; empty if no claim was judged."""
    path, parts_path = results / "claims.csv", results / "claim_parts.csv"
    if not (path.is_file() and parts_path.is_file()):
        return {"claims": [], "summary": []}
    texts = ["claim", "place", "says", "quote", "on_paper", "kind", "verdict", "margin", "because"]
    claims = read_table(path, texts).map(visible)
    numbers = ["value", "low", "high", "p", "detectable"]
    parts = read_table(parts_path, ["claim", *Part._fields], dict.fromkeys(numbers, float))
    parts[["what", "note"]] = parts[["what", "note"]].map(visible)
    fields = parts[[*Part._fields]]
    by_claim = {
        name: [Part(*row) for row in fields[parts["claim"] == name].itertuples(index=False)]
        for name in claims["claim"]
    }
    return html_values(claims.to_dict("records"), by_claim)


def further_tables(results: Path) -> list[dict[str, Any]]:
    """What other stages made, if they did: a title, the path, the header and the rows of each."""
    paths = {results / name: title for name, title in FURTHER.items()}
    for path in sorted((results / "tables").glob("table*.csv")):
        if not re.fullmatch(r"table[1-6]\.csv", path.name):
            paths[path] = "Table " + path.stem.removeprefix("table").strip("_").upper()
    tables = []
    for path, title in paths.items():
        rows = read_table(path, []).map(short) if path.is_file() else pd.DataFrame()
        if len(rows):
            about = {"title": title, "path": path.as_posix(), "header": list(rows)}
            tables.append({**about, "rows": rows.to_numpy().tolist()})
    return tables


def short(cell: str) -> str:
    """A number with many digits in four significant ones; anything else as it stands."""
    return f"{float(cell):.4g}" if re.fullmatch(r"-?\d*\.\d{5,}(e-?\d+)?", cell) else cell
