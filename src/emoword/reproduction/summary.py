"""How a run ends: its result in short, whether the demo came out as expected, what to open.

And whether a file was edited after it was made, of which Snakemake, going by times, knows nothing.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from emoword.audit.provenance import edited_since
from emoword.io.errors import plain
from emoword.io.files import read_table, sha256_of
from emoword.layout import Variant, read_variant
from emoword.settings import Demo, load_config, one
from emoword.tables import model
from emoword.tables.model import Cell, Column, Row, Table, loss_name
from emoword.tables.show import text

# where the numbers of the demo, as it comes, lie on other machines; README.md says how it was made
RANGES = Path(__file__).parents[1] / "resources/demo_ranges.csv"
KEY = ["model", "measured_on", "metric"]


def summary(results: Path, /) -> None:
    """Print the result of a run in short: Tables 1 and 3, verdicts counted, what to open.

        emoword summary results/demo

    Args:
        results: Of a dataset.
    """
    config = load_config(results / "config.json")
    dataset = one(config, "datasets", config.dataset)
    own = read_variant(results / "variants" / f"{dataset.variants[0]}.json").variant
    table = in_short(results, own)
    verdicts = read_table(results / "claims.csv", ["verdict"])["verdict"]
    counted = ", ".join(f"{n} {verdict}" for verdict, n in Counter(verdicts).most_common())
    lines = [table.title, *list(text(table))[1:], "", f"{len(verdicts)} claims: {counted}"]
    if isinstance(dataset, Demo):
        lines += expected(results, own)
    if own.synthetic:
        lines.append("The speech is synthetic: the numbers say nothing about the paper.")
    if edited := edited_since(results):
        lines.append(f"WARNING: {edited}")
    print(*map(plain, lines), "", sep="\n")
    of = "" if isinstance(dataset, Demo) else f" --config dataset={config.dataset}"
    print(*(plain(f"  {what:8} {where}") for what, where in to_open(results, of)), sep="\n")


def in_short(results: Path, own: Variant) -> Table:
    """UA and WA with the loss of Tables 3 to 6 (Table 1), and the cosine similarities (Table 3)."""
    loss = own.settings.table_loss
    accuracies = model.read(results / "tables/table1.json").cells()
    similarities = model.read(results / "tables/table3.json").cells()
    rows = []
    for name in dict.fromkeys(row for row, _ in accuracies):
        of_loss = "CE" if name == "baseline" else loss_name(loss)
        cells = {kind: accuracies.get((name, f"{of_loss} {kind}")) for kind in ("UA", "WA")}
        cells |= {s: similarities.get((name, s)) for s in own.targets}
        shown = {key: Cell(cell.text, paper=cell.paper) for key, cell in cells.items() if cell}
        rows.append(Row((name,), shown))
    columns = [Column("UA"), Column("WA"), *(Column(s, group="cosine") for s in own.targets)]
    seeds = f"{len(own.seeds)} seed{'s' * (len(own.seeds) > 1)}"
    title = f"{own.dataset}: {loss_name(loss)}, means over {own.folds} folds and {seeds}"
    stub = (Column("model", "Model", words=True),)
    return Table("", title, "", stub, tuple(columns), tuple(rows))


def expected(results: Path, own: Variant) -> Iterator[str]:
    """Whether the demo's numbers lie where those of this version are expected."""
    ranges = read_table(RANGES, [*KEY, "runs", "n"], {"low": float, "high": float, "n": int})
    runs = {Path(entry.folder).name: entry.loss for entry in own.models}
    metrics = read_table(results / "metrics.csv", KEY, {"value": float, "n": int})
    metrics = metrics[(metrics["variant"] == own.name) & (metrics["fold"] == "mean")]
    ranges["loss"] = ranges["runs"].map(runs)
    both = ranges.merge(metrics.drop(columns=["variant"]), on=[*KEY, "loss", "n"], how="inner")
    if len(both) < len(ranges):
        yield "Not the demo as it comes: no numbers are expected."
        return
    outside = both[~both["value"].between(both["low"], both["high"])]
    if outside.empty:
        yield f"As expected: {len(both)} numbers lie in the ranges of this version (README.md)."
    for row in outside.itertuples():
        yield (
            f"NOT as expected: {row.metric} of {row.model} ({row.measured_on}) is {row.value:.3f}, "
            f"outside {row.low:.3f} to {row.high:.3f}"
        )


def to_open(results: Path, of: str) -> Iterator[tuple[str, str]]:
    """What to look at, and what can still be made; ``of``: the option that names the dataset."""
    yield "open", f"{results}/report/index.html, in a browser: all of it, down to each utterance"
    yield "tables", f"emoword show {results}/tables/table1.csv (to table6.csv; .tex beside them)"
    yield "claims", f"{results}/claims.html: which of the paper's claims hold"
    yield "files", "results/README.md: what each file is, and how to make it by hand"
    paper, sealed = results / "paper.pdf", results / "provenance.json"
    yield "paper", str(paper) if paper.exists() else f"./run {paper}{of} (needs LaTeX)"
    archive = results / "audit.zip"
    if archive.exists() and archive.stat().st_mtime >= (results / "metrics.csv").stat().st_mtime:
        yield "audit", f"{archive}: verifies elsewhere"
        yield "publish", f"sha256 {sha256_of(sealed)}, of {sealed}"
    else:
        audit = "an archive that verifies elsewhere, and a sha256 to publish"
        yield "audit", f"./run audit{of}: {audit}"
    yield "verify", f"emoword verify {results}: recompute all but the trainings, and compare"
