"""`emoword page` without a browser: its data say what the files say; what is escaped."""

import json
import re
import shutil
import tempfile
from base64 import b64decode
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from page_at_size import LABELS

from emoword.io.errors import InputError
from emoword.io.files import read_table, write_table
from emoword.labels.words import read_dropped, read_label_sets
from emoword.layout import read_variant
from emoword.page.build import UNSEEN, audio_addresses, page, visible, write_data
from emoword.reproduction.verdicts import Part
from emoword.tables import model


def read_data(path: Path) -> Any:
    """What a script hands to the page."""
    found = re.fullmatch(r'emoword\["[^"]*"\]=(.*);\n', path.read_text(encoding="ascii"), re.DOTALL)
    assert found
    return json.loads(found[1])


def rows_of(table: pd.DataFrame, *columns: str) -> Counter[tuple[str, ...]]:
    """The rows of some columns as texts, and how often each is there."""
    return Counter(table[[*columns]].astype(str).itertuples(index=False, name=None))


def test_decisions_are_digits_in_the_order_of_the_utterances(sized: Path) -> None:
    listed = read_data(sized / "report/utterances.js")

    def spelled(digits: str) -> dict[str, str]:
        named = zip(listed["id"], digits, strict=True)
        return {name: listed["classes"][int(digit)] for name, digit in named if digit != "."}

    decisions = read_table(sized / "decisions/paper.csv", ["model", "loss", "seed", "utterance"])
    assert set(decisions["loss"]) == {"mse", "lc", "ce"}
    shown = decisions[decisions["loss"] != "mse"]  # the tables' loss is log-cosh
    assert {
        (model, seed): spelled(digits)
        for model, by_seed in listed["decided"].items()
        for seed, digits in by_seed.items()
    } == {
        key: dict(zip(own["utterance"], own["predicted"], strict=True))
        for key, own in shown.groupby(["model", "seed"])
    }
    assert spelled(listed["truth"]) == dict(zip(shown["utterance"], shown["true"], strict=True))
    utterances = read_table(sized / "utterances.csv", ["utterance", "speaker", "fold", "label"])
    assert listed["id"] == list(utterances["utterance"])
    assert listed["fold"] == list(utterances["fold"].astype(int))
    for column in ("speaker", "label", "style"):
        assert [listed[f"{column}s"][i] for i in listed[column]] == list(utterances[column])


def test_each_line_of_a_rater_with_what_was_left_out_of_it(sized: Path) -> None:
    ids = read_data(sized / "report/utterances.js")["id"]
    made = read_data(sized / "report/details.js")
    texts, reasons, sets = made["texts"], made["reasons"], made["label_sets"]
    said: Counter[tuple[str, ...]] = Counter()
    gone: Counter[tuple[str, ...]] = Counter()
    for name, notes in zip(ids, made["notes"], strict=True):
        for rater, role, source, kind, file, line, own, dropped in notes:
            who, what, where = made["raters"][rater], made["kinds"][kind], made["files"][file]
            about = (name, who, made["kinds"][role], made["kinds"][source])
            said.update((*about, what, where, str(line), texts[text]) for text in own)
            gone.update(
                (name, who, what, where, str(line), texts[text], sets[label_set], reasons[reason])
                for text, label_set, reason in dropped
            )
    place = ("file", "line", "text")
    annotations = read_table(sized / "annotations.csv", [])
    assert said == rows_of(annotations, "utterance", "rater", "role", "source", "kind", *place)
    variant = read_variant(sized / "variants/paper.json")
    dropped = read_dropped(variant)
    whole = dropped["kind"] == "utterance"
    # of an utterance that takes no part everything was left out: said once
    columns = ("utterance", "rater", "kind", *place, "label_set", "reason")
    assert gone == rows_of(dropped[~whole], *columns)
    out = {name: reasons[r] for name, r in zip(ids, made["out"], strict=True) if r >= 0}
    assert out == dict(dropped[whole][["utterance", "reason"]].to_numpy())
    for label_set, table in read_label_sets(variant).items():
        words: Counter[tuple[str, ...]] = Counter()
        for name, own in zip(ids, made["sets"][label_set], strict=True):
            pairs = zip(own[::2], own[1::2], strict=True)
            words.update((name, made["words"][word], str(count)) for word, count in pairs)
        assert words == rows_of(table, "utterance", "word", "count")


def test_nearest_words_are_listed_once(sized: Path) -> None:
    ids = read_data(sized / "report/utterances.js")["id"]
    decisions = read_table(sized / "decisions/paper.csv", [])
    decisions = decisions[decisions["loss"] == "lc"].set_index(["model", "seed", "utterance"])
    rows = read_table(sized / "nearest/paper.csv", [])
    for seed in set(rows["seed"]):
        part = rows[rows["seed"] == seed]
        made = read_data(sized / f"report/nearest-{seed or 'targets'}.js")
        assert len(set(map(tuple, made["lists"]))) == len(made["lists"])
        expected = part.set_index(["of", "utterance"])
        found = {
            (of, name): made["lists"][place]
            for of, places in made["of"].items()
            for name, place in zip(ids, places, strict=True)
            if place >= 0
        }
        assert set(found) == set(expected.index)
        for key, cells in found.items():
            row = expected.loc[key]
            assert [made["words"][word] for word in cells[::2]] == list(row.filter(like="word "))
            exact = row.filter(like="similarity ").astype(float)
            assert np.abs(np.array(cells[1::2]) / 1000 - exact).max() < 0.0005 + 1e-9
        for name, by_set in made["cosines"].items():
            for label_set, values in by_set.items():
                own = decisions.loc[(name, seed)].reindex(ids)[f"cosine_{label_set}"]
                exact = pd.to_numeric(own, errors="coerce").fillna(-9)
                listed = [-9000 if value is None else value for value in values]
                assert np.abs(np.array(listed) / 1000 - exact).max() < 0.0005 + 1e-9
        assert set(made["cosines"]) == ({"M1", "M2", "M3"} if seed else set())


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert not UNSEEN.search(shown)
    if not UNSEEN.search(text):
        assert shown == text


@given(st.dictionaries(st.text(), st.text()))
def test_data_are_a_script_that_ends_where_it_should(value: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), "data", value)
        path = Path(folder) / "data.js"
        text = path.read_text(encoding="ascii")
        assert "<" not in text
        assert text.count("\n") == 1
        assert read_data(path) == value


def test_audio_is_an_address_and_never_a_scheme(tmp_path: Path) -> None:
    wavs = ["javascript:alert(1).wav", 'a b/"q"#?.wav', "../x%2F.wav"]
    out = tmp_path / "results" / "report"
    for address in audio_addresses(wavs, out, out, copy=False):
        assert re.fullmatch(r"[\w./~%-]+", address)
        assert address.startswith("../")


def test_audio_is_copied_if_asked_under_a_name_of_ours(tmp_path: Path) -> None:
    wav = tmp_path / "..'<b>.wav"
    wav.write_bytes(b"RIFF")
    (address,) = audio_addresses([str(wav)], tmp_path, tmp_path, copy=True)
    assert address == "./audio-00001.js"
    assert b64decode(read_data(tmp_path / address)) == b"RIFF"


class Cells(HTMLParser):
    """The texts of a table's links by their address."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._address = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        # the overview has some of them, too
        if self._address.startswith("#trace/") and self._address not in self.found:
            self.found[self._address] = data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._address = ""


def page_of(results: Path, out: Path) -> str:
    """Make the page again; returns index.html."""
    page(results / "variants/paper.json", out=out)
    return (out / "index.html").read_text(encoding="utf-8")


def copy_of(sized: Path, folder: Path) -> Path:
    """The results with the word spaces beside them, to be changed."""
    shutil.copytree(sized.parent, folder)
    return folder / sized.name


def test_every_cell_of_the_tables_has_its_trace(sized: Path, tmp_path: Path) -> None:
    cells = Cells()
    cells.feed(page_of(sized, tmp_path / "page"))
    traces = read_data(tmp_path / "page" / "runs.js")["traces"]
    assert {address[1:] for address in cells.found} == set(traces)
    for number, expected in ((1, 14), (3, 9), (6, 12)):
        assert sum(address.startswith(f"#trace/{number}/") for address in cells.found) == expected
    table1 = read_table(sized / "tables/table1.csv", ["model"]).set_index("model")
    printed = f"{100 * float(str(table1.loc['M2', 'LC UA'])):.2f}"
    assert cells.found["#trace/1/M2/LC%20UA"] == printed
    second = read_table(sized / "tables/table5.csv", ["model", "rank"]).iloc[1]
    assert (second["model"], second["rank"]) == ("M1", "2nd")
    assert cells.found["#trace/5/M1%202nd/anger"] == second["anger"]
    trace = traces["trace/5/M1%202nd/anger"]
    assert trace["command"].endswith("table5.csv 'M1 2nd' anger")
    assert trace["vector"]["nearest"][1] == [second["anger"], second["anger similarity"]]


def test_what_other_stages_made_is_shown_where_it_is(sized: Path, tmp_path: Path) -> None:
    assert 'id="further"' not in page_of(sized, tmp_path / "bare")
    results = copy_of(sized, tmp_path / "copy")
    texts = {"claim": "best", "place": "Table 1", "verdict": "undecided", "kind": "greater"}
    texts |= {"says": "M1 <b>is</b> best", "quote": "", "on_paper": "", "margin": "", "because": ""}
    part = Part("M1 - M2", "class UA", 0.02, -0.01, 0.05, 0.2, 0.04, "undecided", "")
    claims, other = pd.DataFrame([texts]), part._replace(what="M2 - M3")
    rows = [("best", *part), ("other", *other)]
    parts = pd.DataFrame(rows, columns=["claim", *Part._fields])
    write_table(parts, results / "claim_parts.csv")
    write_table(claims, results / "claims.csv")
    write_table(
        pd.DataFrame({"space": ["glove"], "UA": [0.123456789]}), results / "tables/tableA1.csv"
    )
    path = results / "tables/table1.json"
    table1 = model.read(path)
    cell = replace(table1.find("M1", "LC UA"), interval="25.00–75.00", paper="69.68 (<b>)")
    row = replace(table1.rows[0], cells=table1.rows[0].cells | {"LC UA": cell})
    model.write(replace(table1, rows=(row, *table1.rows[1:])), path)
    text = page_of(results, tmp_path / "page")
    assert 'id="further"' in text
    assert "M1 \u2013 M2" in text
    assert "M2 \u2013 M3" not in text
    assert "+2.0" in text
    assert "95% interval \u22121.0 to +5.0" in text
    assert "M1 &lt;b&gt;is&lt;/b&gt; best" in text
    assert 'class="verdict undecided"' in text
    assert "Table A1" in text
    assert ">0.1235<" in text
    assert "<small><bdi>25.00–75.00</bdi></small>" in text
    assert "<small><bdi>69.68 (&lt;b&gt;)</bdi></small>" in text


def test_what_does_not_fit_together_is_said_in_one_line(sized: Path, tmp_path: Path) -> None:
    results = copy_of(sized, tmp_path / "copy")
    annotations = read_table(results / "annotations.csv", ["utterance"])
    write_table(annotations.assign(utterance="nobody"), results / "annotations.csv")
    with pytest.raises(InputError, match=r"annotations.csv: 'nobody' is not in .*utterances.csv$"):
        page_of(results, tmp_path / "page")
    (results / "nearest/paper.csv").unlink()
    with pytest.raises(InputError, match=r"nearest/paper.csv: no such file$"):
        page_of(results, tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_the_benchmark_makes_as_many_as_asked_for(sized: Path) -> None:
    utterances = read_table(sized / "utterances.csv", ["utterance", "label"])
    assert len(utterances) == 120
    assert set(utterances["label"]) == set(LABELS)
    assert sum(LABELS.values()) == 10_039


def test_audio_under_an_absolute_path_is_named_alike_wherever_the_page_is_made(
    tmp_path: Path,
) -> None:
    """Else `emoword verify`, which makes the page in a folder of its own, would call it edited."""
    wav = str(tmp_path / "IEMOCAP/a b.wav")
    one, other = (
        audio_addresses([wav, "results/x/c.wav"], Path(out), tmp_path, copy=False)
        for out in ("results/x/report", "/elsewhere/results/x/report")
    )
    assert one[0] == other[0] == wav.replace(" ", "%20")
    assert one[1] == "../c.wav"
