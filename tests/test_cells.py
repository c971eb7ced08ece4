"""Cells by the tables' own names, against tables that the package made."""

from pathlib import Path

import pandas as pd
import pytest

from emoword.io.errors import InputError
from emoword.tables.cells import (
    metric_cell,
    neighbours_of,
    row_names,
    table_number,
    word_cell,
)
from emoword.tables.number_tables import (
    Key,
    Measured,
    accuracy_table,
    comparison_table,
    similarity_table,
    top10_table,
)
from emoword.tables.word_tables import prediction_table, target_table

KEYS = [
    Key(model, loss, "class", metric)
    for model, loss in [(m, x) for m in ("M1", "M2", "M3") for x in ("mse", "mae", "lc")]
    + [("baseline", "ce")]
    for metric in ("UA", "WA")
]
KEYS += [Key(m, "lc", on, "cosine") for m in ("M1", "M2", "M3") for on in ("S1", "S2", "S3")]
KEYS += [
    Key(m, "lc", on, f"top10_{label}")
    for m in ("M1", "M2", "M3")
    for on in ("S2", "S3")
    for label in ("l1", "l2")
]
# every value is another one, so that a cell that is looked up wrongly shows
METRICS = {key: Measured(0.001 * (i + 1), 100 + i) for i, key in enumerate(KEYS)}
NO_WORKS = pd.DataFrame(
    columns=["key", "name", "year", "dataset", "features", "UA", "WA", "protocol", "source"]
)


@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_each_number_of_a_table_is_the_metric_that_its_cell_names(number: int) -> None:
    table = {
        1: lambda: accuracy_table(METRICS),
        2: lambda: comparison_table(METRICS, "lc", NO_WORKS),
        3: lambda: similarity_table(METRICS, "lc"),
        6: lambda: top10_table(METRICS, "lc"),
    }[number]()[0]
    looked_up = 0
    for name, row in zip(row_names(number, table), table.to_dict("records"), strict=True):
        for column, value in row.items():
            if (isinstance(value, float) and value == value) or str(column).endswith(" n"):
                cell = metric_cell(number, name, str(column))
                assert getattr(METRICS[cell.key], cell.field) == value
                looked_up += 1
    assert looked_up == {1: 20, 2: 4, 3: 9, 6: 24}[number]


def test_each_word_of_tables_4_and_5_is_found_among_the_neighbours() -> None:
    rows: list[dict[str, object]] = [
        {"kind": kind, "model": model, "loss": loss, "collapsed": "", "name": name}
        | {"words": words, "rank": rank}
        | {"word": f"{name}-{model}-{rank}", "similarity": 1 / rank}
        for kind, model, loss, name, words in [
            ("target", "", "", "example 1", "a:1 b:1"),
            ("target", "", "", "example 2", "c:1"),
            ("prediction", "M1", "lc", "anger", ""),
            ("prediction", "M1", "mse", "anger", ""),
            ("prediction", "M2", "lc", "anger", ""),
            ("prediction", "M1", "lc", "two words", ""),
        ]
        for rank in (2, 1)
    ]
    neighbours = pd.DataFrame(rows)
    for number, table in [
        (4, target_table(neighbours)[0]),
        (5, prediction_table(neighbours, "lc")[0]),
    ]:
        for name, row in zip(row_names(number, table), table.to_dict("records"), strict=True):
            for column in ("word 1", "similarity 1", "word 2", "similarity 2"):
                cell = word_cell(number, name, column)
                found = neighbours_of(cell, neighbours)
                assert list(found["rank"]) == [1, 2]
                assert found[cell.field].iloc[cell.rank - 1] == row[column]


@pytest.mark.parametrize(
    ("number", "row", "column", "says"),
    [
        (1, "M4", "LC UA", "M1, M2, M3, baseline"),
        (1, "M1", "CE UA", "MSE UA"),
        (3, "M1", "S4", "S1, S2, S3"),
    ],
)
def test_a_cell_that_is_not_there_says_which_are(
    number: int, row: str, column: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        metric_cell(number, row, column)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(InputError, match="not one of"):
        table_number(Path("metrics.csv"))
    with pytest.raises(InputError, match="no word in column"):
        word_cell(4, "example 1", "collapsed")
    with pytest.raises(InputError, match="no row 'anger'"):
        word_cell(5, "anger", "word 1")
