"""Words to utterances: arithmetic, what is found, and how precisely."""

import shutil
from base64 import b64decode
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from page_at_size import CHROMIUM, FLAGS
from playwright.sync_api import sync_playwright
from scipy.spatial.distance import cosine as distance
from sklearn.metrics import average_precision_score

from emoword import cli
from emoword.evaluation.decide import read_run
from emoword.inference.query import what_raters_said
from emoword.inference.results import Results
from emoword.inference.retrieval import chance, precision_of_raters
from emoword.io.files import write_table
from emoword.labels.words import read_words
from emoword.schemas import ANNOTATIONS
from emoword.spaces.word_space import WordSpace
from small_results import Small

TEMPLATE = Path(__file__).parents[1] / "paper/templates/table.tex.j2"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, embedded_folder: Path) -> Small:
    small = Small.make(tmp_path_factory.mktemp("trained"), embedded_folder)
    for model in small.variant.models:
        for fold in (1, 2, 3):
            small.train_model(model, fold)
    return small


# --- words ---


def test_arithmetic_with_words(
    embedded: WordSpace, embedded_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["nearest", str(embedded_folder), "king", "-man", "woman"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    king, man, woman = embedded.vectors_of(["king", "man", "woman"])
    wanted = king - man + woman
    similarity = {
        word: 1 - distance(wanted, vector)
        for word, vector in zip(embedded.words(), embedded.vectors, strict=True)
        if word not in ("king", "man", "woman")
    }
    best = sorted(similarity, key=lambda word: -similarity[word])[:10]
    assert [word for _, word in lines] == best
    assert float(lines[0][0]) == pytest.approx(similarity[best[0]], abs=6e-4)


def test_words_that_cannot_be_used(embedded_folder: Path, fails: Callable[..., str]) -> None:
    assert "'releif' is not in the word space" in fails("nearest", embedded_folder, "releif")
    assert "did you mean relief" in fails("nearest", embedded_folder, "anger", "-releif")
    assert "no word is spelled like it" in fails("nearest", embedded_folder, "xqzzy")
    assert "cancel out" in fails("nearest", embedded_folder, "anger", "-anger")
    assert "no words" in fails("nearest", embedded_folder)


# --- utterances ---


def test_query_finds_the_nearest_predictions(
    trained: Small, embedded: WordSpace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv = tmp_path / "found.csv"
    cli.main(["query", str(trained.root), "anger", "-joy", "--model", "M2", "--csv", str(csv)])
    table = pd.read_csv(csv, keep_default_na=False)
    anger, joy = embedded.vectors_of(["anger", "joy"])
    folder = next(m.folder for m in trained.variant.models if m.name == "M2")
    wanted = {}
    for fold in (1, 2, 3):
        run = read_run(trained.root / folder / f"fold{fold}-seed0")
        for name, vector in zip(run.utterances, run.predictions, strict=True):
            wanted[name] = 1 - distance(vector, anger - joy)
    assert list(table["utterance"]) == sorted(wanted, key=lambda name: (-wanted[name], name))
    for row in table.itertuples():
        assert row.similarity == pytest.approx(wanted[str(row.utterance)], abs=2e-6)
    of_u0 = table.set_index("utterance").loc["u0"]
    assert of_u0["raters"] == 'E1 anger; E2 anger; E3 frustration "tense"'
    assert len(capsys.readouterr().out.splitlines()) == 11


def test_query_says_what_is_there(trained: Small, fails: Callable[..., str]) -> None:
    assert "no model 'M4'; there are M1, M2, M3" in fails(
        "query", trained.root, "joy", "--model", "M4"
    )


HOSTILE = "</td><script>pwned=1</script><img src=x onerror='pwned=1'>\u202egnp"


@pytest.fixture
def played(trained: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A page of two utterances; one's audio is there, all comments are hostile."""
    shutil.copytree(trained.root, tmp_path / "results/tiny", symlinks=True)
    (tmp_path / "results/spaces").symlink_to(trained.root.parent / "spaces")
    root = tmp_path / "results/tiny"
    rows = ANNOTATIONS.read_text(root / "annotations.csv")
    rows.loc[rows["kind"] == "comment", "text"] = HOSTILE
    rows.loc[rows["rater"] == "E1", ["kind", "text"]] = ["comment", HOSTILE]
    write_table(rows, root / "annotations.csv")
    cli.main(["query", str(root), "joy", "--csv", str(tmp_path / "all.csv")])
    first = tmp_path / pd.read_csv(tmp_path / "all.csv")["wav"][0]
    soundfile.write(first, np.linspace(-0.5, 0.5, 22_050), 22_050)
    page = tmp_path / "elsewhere/page.html"
    cli.main(["query", str(root), "joy", "--most", "2", "--play", str(page)])
    assert f"{page}: 2 utterances, 1 with audio" in capsys.readouterr().out
    return page


class Seen(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_plays_what_is_found(played: Path) -> None:
    seen = Seen(played)
    (source,) = [attributes["src"] for tag, attributes in seen.tags if tag == "audio"]
    kind, _, data = str(source).partition(",")
    assert kind == "data:audio/flac;base64"
    samples, rate = soundfile.read(BytesIO(b64decode(data)))
    assert rate == 16_000
    np.testing.assert_allclose(
        samples[100:-100], np.linspace(-0.5, 0.5, 16_000)[100:-100], atol=1e-3
    )
    table = pd.read_csv(played.parents[1] / "all.csv")
    for row in table.head(2).itertuples():
        assert f"{row.similarity:.3f}" in seen.text
        assert str(row.utterance) in seen.text
    assert f"{table['wav'][1]}: no such file" in seen.text


def test_a_page_of_hostile_words_is_inert(played: Path) -> None:
    seen = Seen(played)
    assert HOSTILE.replace("\u202e", "⟨U+202E⟩") in seen.text
    assert not {tag for tag, _ in seen.tags} & {"script", "img", "svg", "iframe", "a", "link"}
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on")]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium (Debian: apt install chromium)")
def test_a_browser_plays_it(played: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
        page.goto(played.as_uri())
        length = page.evaluate(
            "() => new Promise((told) => { const sound = document.querySelector('audio');"
            "sound.onloadedmetadata = () => told(sound.duration); sound.onerror = () => told(-1);"
            "sound.load(); sound.preload = 'metadata'; })"
        )
        assert length == pytest.approx(1)
        assert page.evaluate("window.pwned") is None
        assert set(asked) <= {"file", "data"}
        browser.close()


def test_self_reports_are_not_told() -> None:
    rows = [("u", "E1", "observer", "label", "categorical", "Anger", "x", 1)]
    rows += [("u", "F", "self", "label", "categorical", "Sad", "x", 2)]
    told = what_raters_said(pd.DataFrame(rows, columns=ANNOTATIONS.names))
    assert dict(told) == {"u": "E1 Anger"}


# --- average precision ---


@pytest.mark.parametrize(("relevant", "count"), [(1, 1), (1, 5), (2, 5), (4, 5), (5, 5)])
def test_chance_is_the_mean_over_all_orders(relevant: int, count: int) -> None:
    right = np.arange(count) < relevant
    orders = [np.array(order, np.float64) for order in permutations(range(count))]
    wanted = np.mean([average_precision_score(right, order) for order in orders])
    assert chance(relevant, count) == pytest.approx(wanted)


def test_a_rater_against_the_others() -> None:
    said = pd.DataFrame(
        [("u1", "A", "joy"), ("u1", "B", "joy"), ("u2", "A", "joy"), ("u2", "B", "anger"),
         ("u3", "A", "anger"), ("u3", "B", "anger"), ("u4", "A", "anger"), ("u4", "C", "joy")],
        columns=["utterance", "rater", "word"],
    )  # fmt: skip
    # A, of u1 to u4: says joy of u1, u2; the others of u1, u4: half of either pair is right
    of_a = 0.5 * 1 / 2 + 0.5 * 2 / 4
    # B, of u1 to u3: says joy of u1; A of u1, u2.
    of_b = 0.5 * 1 + 0.5 * 2 / 3
    # C, of u4: nobody else says joy
    assert precision_of_raters(said, "joy") == pytest.approx((of_a + of_b) / 2)


def test_table_a3(trained: Small, embedded: WordSpace, tmp_path: Path) -> None:
    csv, tex = tmp_path / "A3.csv", tmp_path / "A3.tex"
    files = ["--template", str(TEMPLATE), "--csv", str(csv), "--tex", str(tex)]
    cli.main(["retrieval", str(trained.variant_file), *files])
    rows = {(row["set"], row["word"]): row for row in pd.read_csv(csv).to_dict("records")}
    names, vectors = Results.open(trained.root).mean_predictions("M3")
    words = read_words(trained.targets("S3"))
    for word in ("tense", "anger"):
        right = set(words["utterance"][words["word"] == word])
        relevant = [name in right for name in names]
        vector = embedded.vectors_of([word])[0]
        scores = [1 - distance(own, vector) for own in vectors]
        row = rows["S3", word]
        assert float(row["utterances"]) == sum(relevant)
        assert row["M3"] == pytest.approx(average_precision_score(relevant, scores))
        assert row["chance"] == pytest.approx(chance(sum(relevant), len(names)))
    assert ("S2", "tense") not in rows
    for name in ("S2", "S3"):
        own = [row["M1"] for (of, word), row in rows.items() if of == name and "mean" not in word]
        assert rows[name, f"mean of {len(own)} words"]["M1"] == pytest.approx(np.mean(own))
    # E3 alone wrote `tense`, of 12 of 47: E1 and E2, who never did, find it as chance does
    assert rows["S3", "tense"]["a rater"] == pytest.approx(12 / 47)
    assert "tense" in tex.read_text()


def test_hostile_words_are_inert(trained: Small, capsys: pytest.CaptureFixture[str]) -> None:
    root = trained.root.parent / "hostile"
    shutil.copytree(trained.root, root)
    rows = ANNOTATIONS.read_text(root / "annotations.csv")
    rows.loc[rows["kind"] == "comment", "text"] = "\x1b[2Jx"
    write_table(rows, root / "annotations.csv")
    cli.main(["query", str(root), "anger", "--most", "48"])
    assert "\x1b" not in capsys.readouterr().out
