"""`emoword page` without a browser: what its data say, worked out by hand; what is escaped."""

import json
import re
import shutil
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emoword.io.errors import InputError
from emoword.io.files import read_table, write_table
from emoword.page.build import UNSEEN, audio_addresses, page, visible, write_data
from emoword.page.data import details, nearest, utterance_list
from emoword.tables import model

IDS = ["u1", "u2", "u3"]
S1 = pd.DataFrame({"utterance": ["u1", "u3"], "word": ["anger", "sadness"], "count": [1, 1]})
S3 = pd.DataFrame(
    {"utterance": ["u1", "u1", "u3"], "word": ["anger", "tense", "sadness"], "count": [2, 1, 3]}
)


def read_data(path: Path) -> object:
    """What a script hands to the page."""
    found = re.fullmatch(r'emoword\["[^"]*"\]=(.*);\n', path.read_text(encoding="ascii"), re.DOTALL)
    assert found
    return json.loads(found[1])


def table(columns: str, *rows: str) -> pd.DataFrame:
    """Cells as strings, separated by `|`."""
    return pd.DataFrame([row.split("|") for row in rows], columns=columns.split("|"))


def test_decisions_are_digits_in_the_order_of_the_utterances() -> None:
    utterances = table(
        "utterance|wav|speaker|fold|style|label",
        "u1|a.wav|s1|1|scripted|anger",
        "u2|b.wav|s2|1|improvised|",
        "u3|c.wav|s1|2|scripted|sadness",
    )
    decisions = table(
        "model|loss|seed|utterance|predicted",
        "M1|lc|0|u3|sadness",
        "M1|lc|0|u1|sadness",
        "M1|mse|0|u1|anger",
        "M1|lc|10|u1|anger",
        "baseline|ce|0|u1|anger",
    )
    listed = utterance_list(utterances, {"S1": S1}, decisions, "lc")

    def spelled(digits: str) -> list[str | None]:
        return [listed["classes"][int(d)] if d != "." else None for d in digits]

    said = {
        (model, seed): spelled(digits)
        for model, by_seed in listed["decided"].items()
        for seed, digits in by_seed.items()
    }
    assert said == {
        ("M1", "0"): ["sadness", None, "sadness"],
        ("M1", "10"): ["anger", None, None],
        ("baseline", "0"): ["anger", None, None],
    }
    assert spelled(listed["truth"]) == ["anger", None, "sadness"]
    assert listed["seeds"] == ["0", "10"]
    assert [listed["speakers"][i] for i in listed["speaker"]] == ["s1", "s2", "s1"]


def test_each_line_of_a_rater_with_what_was_left_out_of_it() -> None:
    annotations = table(
        "utterance|rater|role|kind|source|text|file|line",
        "u1|E1|observer|label|categorical|Anger|f.txt|4",
        "u1|E1|observer|label|categorical|Other|f.txt|4",
        "u1|E1|observer|comment|categorical|tense, qqq|f.txt|4",
        "u1|F1|self|label|categorical|Anger|f.txt|5",
        "u3|E1|observer|label|categorical|Sadness|f.txt|9",
    )
    dropped = table(
        "utterance|rater|kind|text|file|line|label_set|reason",
        "u2||utterance||||S1 S2 S3|no majority label",
        "u1|E1|label|other|f.txt|4|S2 S3|label that is left out",
        "u1|E1|comment|qqq|f.txt|4|S3|not in the spelling list",
        "u1|F1|label|anger|f.txt|5|S2 S3|self report",
    )
    audio = ["../a/u1.wav", "u2.wav", "/u3"]
    made = details(IDS, annotations, dropped, {"S1": S1, "S3": S3}, audio)
    text, reasons = made["texts"], made["reasons"]
    said = [
        (made["raters"][note[0]], made["kinds"][note[3]], note[5], [text[t] for t in note[6]])
        for note in made["notes"][0]
    ]
    assert said == [
        ("E1", "label", 4, ["Anger", "Other"]),
        ("E1", "comment", 4, ["tense, qqq"]),
        ("F1", "label", 5, ["Anger"]),
    ]
    gone = [[(text[t], reasons[r]) for t, _, r in note[7]] for note in made["notes"][0]]
    assert gone == [
        [("other", "label that is left out")],
        [("qqq", "not in the spelling list")],
        [("anger", "self report")],
    ]
    assert made["notes"][1] == made["notes"][2][0][7] == []
    out = [reasons[r] if r >= 0 else None for r in made["out"]]
    assert out == [None, "no majority label", None]
    assert [made["words"][w] for w in made["sets"]["S3"][0][::2]] == ["anger", "tense"]
    assert made["sets"]["S3"][0][1::2] == [2, 1]
    addresses = [(made["folders"][folder], name) for folder, name in made["audio"]]
    assert addresses == [("../a", "u1.wav"), ("", "u2.wav"), ("", "u3")]


def test_nearest_words_are_listed_once() -> None:
    rows = table(
        "of|seed|utterance|word 1|similarity 1|word 2|similarity 2",
        "S1||u1|anger|1.0|rage|0.8004",
        "S1||u3|anger|1.0|rage|0.8004",
        "M1|0|u1|rage|-0.1236|anger|0.5",
    )
    decisions = table("model|loss|seed|utterance|cosine_S1|cosine_S2", "M1|lc|0|u1|0.25|")
    parts = nearest(IDS, rows, decisions, "lc")
    assert list(parts) == ["targets", "0"]
    targets = parts["targets"]
    assert targets["of"] == {"S1": [0, -1, 0]}
    ((first, similarity, second, less),) = targets["lists"]
    assert (targets["words"][first], similarity) == ("anger", 1000)
    assert (targets["words"][second], less) == ("rage", 800)
    assert parts["0"]["lists"][0][1::2] == (-124, 500)
    assert parts["0"]["cosines"] == {"M1": {"S1": [250, None, None], "S2": [None, None, None]}}


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
    assert address == "./audio-00001.wav"
    assert (tmp_path / address).read_bytes() == b"RIFF"


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
        if self._address.startswith("#trace/"):
            self.found[self._address] = self.found.get(self._address, "") + data

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
    traces = read_data(tmp_path / "page" / "runs.js")["traces"]  # type: ignore[index]
    assert {address[1:] for address in cells.found} == set(traces)
    for number, expected in ((1, 8), (3, 9), (6, 12)):
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
    claims = pd.DataFrame({"claim": ["best"], "place": ["Table 1"], "verdict": ["undecided"]})
    claims["says"] = "M1 <b>is</b> best"
    parts = pd.DataFrame(
        {"claim": ["best", "other"], "what": ["M1 - M2", "M2 - M3"], "p": ["", "1"]}
    )
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
    assert "M1 - M2" in text
    assert "M2 - M3" not in text
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


def test_the_benchmark_makes_as_many_as_asked_for(sized: Path, page_at_size: ModuleType) -> None:
    utterances = read_table(sized / "utterances.csv", ["utterance", "label"])
    assert len(utterances) == 120
    assert set(utterances["label"]) == set(page_at_size.LABELS)
    assert sum(page_at_size.LABELS.values()) == 10_039
