"""The page in a real browser, opened from disk: filters, utterances, traces, hostile texts, print.

What is expected is counted with pandas from the files that the page was made from.
"""

import itertools
import json
import re
import shlex
import shutil
import subprocess
import tarfile
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from page_at_size import CHROMIUM, FLAGS
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from emoword.io.files import read_table, write_table
from emoword.labels.words import read_dropped, read_label_sets
from emoword.layout import Place, read_variant
from emoword.page.build import page as make_page
from emoword.spaces.word_space import WordSpace
from emoword.spaces.writer import write_space
from emoword.tables import model

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium (Debian: apt install chromium)"),
]
HOSTILE_ID = """<img src=x onerror="pwned=1">'"/../?&#%22"""
HOSTILE_COMMENT = "</script><script>pwned=1</script>\u202egnp.exe\u2028'\"${pwned=1}"
HOSTILE_WORD = '"><svg onload=pwned=1>'
HOSTILE_FILE = "../../<b>x</b>/javascript:pwned=1"
VIEWS = ["overview", "tables", "figures", "utterances", "map", "runs"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def results(sized: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results with one hostile utterance, its audio, and the page of them."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(sized.parent, folder, dirs_exist_ok=True)
    made = folder / sized.name
    victim = truth_of(made).index[0]
    for path in (
        *made.glob("*.csv"),
        *made.glob("*/*.csv"),
        *made.glob("targets/*/*.csv"),
        *made.glob("runs/*/*/split.csv"),
    ):
        spoil(path, victim)
    table = read_table(made / "utterances.csv", ["utterance", "wav"])
    heard = table["utterance"] == HOSTILE_ID
    sound = folder / "a 'b' #1?" / "x%20<y>.wav"
    sound.parent.mkdir()
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16000, 16000, "NONE", ""))
        file.writeframes(bytes(32000))
    write_table(table.assign(wav=table["wav"].mask(heard, str(sound))), made / "utterances.csv")
    neighbours, table5 = made / "neighbours/paper.csv", made / "tables/table5.json"
    word = model.read(table5).rows[0].cells["anger"].text
    write_table(read_table(neighbours, ["word"]).replace(word, HOSTILE_WORD), neighbours)
    hostile = f'"text": {json.dumps(HOSTILE_WORD)}'
    table5.write_text(table5.read_text().replace(f'"text": "{word}"', hostile))
    space = WordSpace.open(folder / "spaces/embedded")
    names = [*space.words(), HOSTILE_WORD]
    vectors = np.concatenate([space.vectors_of(space.words()), space.vectors_of([word])])
    shutil.rmtree(space.folder)
    write_space([([name.encode() for name in names], vectors)], space.folder, {**space.meta})
    make_page(made / "variants/paper.json", out=made / "report")
    return made


def spoil(path: Path, victim: str) -> None:
    """Give one utterance the worst name, comment, word and file."""
    table = read_table(path, [])
    if "utterance" not in table.columns:
        return
    own = table["utterance"] == victim
    if path.name == "annotations.csv":
        first = own & (table["kind"] == "label")
        extra = (
            table[first].iloc[:1].assign(kind="comment", text=HOSTILE_COMMENT, file=HOSTILE_FILE)
        )
        table = pd.concat([table, extra], ignore_index=True)
        own = table["utterance"] == victim
    if path.parent.name == "nearest":
        table["word 2"] = table["word 2"].mask(own, HOSTILE_WORD)
    table["utterance"] = table["utterance"].mask(own, HOSTILE_ID)
    write_table(table, path)


@pytest.fixture
def opened(browser: Browser, results: Path) -> Iterator[Callable[..., Page]]:
    """Open the page at an address; at the end nothing was asked of a network, and no error said."""
    complaints: list[str] = []
    contexts = []

    def open_page(address: str = "", expected: str = "", **options: object) -> Page:
        context = browser.new_context(offline=True, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()

        def complain(message: str) -> None:
            if not (expected and expected in message):
                complaints.append(message)

        def ask(request: Request) -> None:
            if not request.url.startswith(("file:", "data:")):
                complaints.append(request.url)

        page.on("console", lambda message: complain(message.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: complain(f"dialog: {dialog.message}"))
        page.on("request", ask)
        page.goto((results / "report" / "index.html").as_uri() + address)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def listed(page: Page) -> int:
    """How many utterances the list says that it shows."""
    found = re.match(r"([\d,]+|No) utterances", page.inner_text("#utterances .dt-info"))
    assert found
    return int(found[1].replace(",", "")) if found[1] != "No" else 0


def place_of(results: Path) -> Place:
    return read_variant(results / "variants/paper.json")


def truth_of(results: Path) -> pd.Series:
    return read_label_sets(place_of(results))["S1"].set_index("utterance")["word"]


def test_opens_from_disk_without_a_network(opened: Callable[..., Page]) -> None:
    page = opened()
    assert page.title() == "Emotion labels as word embeddings: sized · sized · emoword"
    assert "Synthetic speech." in page.inner_text(".banner")
    for view in VIEWS:
        page.click(f"nav a[href='#{view}']")
        page.wait_for_selector(f"#{view}:not([hidden]) h1")
        shown = page.eval_on_selector_all(
            "section.view", "all => all.filter(s => s.checkVisibility()).map(s => s.id)"
        )
        assert shown == [view]
        assert page.get_attribute("nav a[aria-current]", "href") == f"#{view}"


def test_the_list_is_filtered(opened: Callable[..., Page], results: Path) -> None:
    truth = truth_of(results)
    page = opened("#utterances")
    assert listed(page) == len(truth)
    page.select_option("#filters [name=label]", "anger")
    expect(page).to_have_url(re.compile("[?&]label=anger"))
    assert listed(page) == (truth == "anger").sum()
    decisions = read_table(results / "decisions/paper.csv", ["model", "loss", "seed"])
    ours = decisions[(decisions["loss"] == "lc") & (decisions["seed"] == "1")]
    wrong = ours[(ours["model"] == "M2") & (ours["true"] != ours["predicted"])]
    page.select_option("#filters [name=seed]", "1")
    page.select_option("#filters [name=M2]", "wrong")
    expect(page).to_have_url(re.compile("[?&]M2=wrong"))
    assert listed(page) == (wrong["true"] == "anger").sum()
    page.click("#filters button[type=reset]")
    expect(page).to_have_url(re.compile("#utterances$"))
    expect(page.locator("#utterances .dt-info")).to_contain_text(f"{len(truth)} utterances")
    page.select_option("#filters [name=part]", "out")
    expect(page).to_have_url(re.compile("[?&]part=out"))
    assert listed(page) == len(read_table(results / "utterances.csv", [])) - len(truth)


def test_free_text_is_found_in_comments_and_predicted_words(
    opened: Callable[..., Page], results: Path
) -> None:
    truth = truth_of(results)
    annotations = read_table(results / "annotations.csv", ["utterance", "kind", "text"])
    commented = annotations["utterance"].isin(truth.index) & (annotations["kind"] == "comment")
    word = annotations["text"][commented].iloc[0]
    near = read_table(results / "nearest/paper.csv", ["utterance", "of", "seed"])
    near = near[near["seed"] == "0"].set_index("utterance").filter(like="word ")
    sets = pd.concat(read_label_sets(place_of(results)).values())
    texts = [annotations.set_index("utterance")["text"], sets.set_index("utterance")["word"]]
    said = pd.concat([*texts, *(near[column] for column in near)])
    expected = set(said.index[said.str.contains(word, case=False, regex=False)])
    page = opened("#utterances")
    page.fill("#filters [name=q]", word.upper())
    expect(page).to_have_url(re.compile("[?&]q="))
    assert listed(page) == len(expected & set(truth.index))


def test_an_utterance_by_keyboard_alone(opened: Callable[..., Page]) -> None:
    page = opened("#utterances", expected="ERR_FILE_NOT_FOUND")
    page.focus("#filters [name=q]")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#list td.id') !== null"):
            break
    name = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_selector("#utterance:not([hidden]) audio", state="attached")
    assert page.inner_text("#utterance-title") == name
    assert page.evaluate("document.activeElement.id") == "utterance-title"
    page.click("#next")
    expect(page.locator("#utterance-title")).not_to_have_text(name)
    page.go_back()
    expect(page.locator("#utterance-title")).to_have_text(name)


def test_an_utterance_shows_raters_targets_and_nearest_words(
    opened: Callable[..., Page], results: Path
) -> None:
    name = truth_of(results).index[3]
    page = opened(f"#utterance/{quote(name, safe='')}?seed=1", expected="ERR_FILE_NOT_FOUND")
    annotations = read_table(results / "annotations.csv", ["utterance", "file", "line", "text"])
    own = annotations[annotations["utterance"] == name]
    body = page.inner_text("#utterance-body")
    for row in own.itertuples(index=False):
        assert f"{row.file}:{row.line}" in body
        assert str(row.text) in body
    dropped = read_dropped(place_of(results))
    for row in dropped[dropped["utterance"] == name].itertuples(index=False):
        assert f"{row.text} {row.reason}" in body
    near = read_table(results / "nearest/paper.csv", ["utterance", "of", "seed"])
    near = near[(near["utterance"] == name) & near["seed"].isin(["", "1"])].set_index("of")
    columns = ["S1", "S2", "S3", "M1", "M2", "M3"]
    for rank in (1, 10):
        cells = page.locator(f"table.near tbody tr:nth-child({rank}) td").all_inner_texts()
        expected = [
            (near.loc[of, f"word {rank}"], float(near.loc[of, f"similarity {rank}"]))
            for of in columns
        ]
        assert [cell.split()[0] for cell in cells] == [word for word, _ in expected]
        shown = [float(cell.split()[1]) for cell in cells]
        assert shown == pytest.approx([value for _, value in expected], abs=6e-4)
    page.wait_for_selector("text=The audio is not where this page looks for it")


def test_hostile_texts_are_inert_and_seen(opened: Callable[..., Page]) -> None:
    page = opened(f"#utterance/{quote(HOSTILE_ID, safe='')}")
    assert page.inner_text("#utterance-title") == HOSTILE_ID
    body = page.inner_text("#utterance-body")
    seen = HOSTILE_COMMENT.replace("\u202e", "⟨U+202E⟩").replace("\u2028", "⟨U+2028⟩")
    assert seen in body
    assert HOSTILE_WORD in body
    assert HOSTILE_FILE in body
    assert "\u202e" not in page.content()
    played = page.evaluate(
        """async () => {
          const audio = document.querySelector("#utterance audio");
          audio.muted = true;
          await audio.play();
          await new Promise((done) => audio.addEventListener("timeupdate", done));
          return [audio.duration, audio.currentTime];
        }"""
    )
    assert played[0] == pytest.approx(1.0)
    assert played[1] > 0
    page.goto(page.url.split("#")[0] + "#utterances?q=onerror")
    page.wait_for_selector("#list td")
    assert listed(page) == 1
    assert page.inner_text("#list td.id") == HOSTILE_ID
    page.click("#list td.id a")
    page.wait_for_selector("#utterance:not([hidden])")
    assert page.inner_text("#utterance-title") == HOSTILE_ID
    page.goto(page.url.split("#")[0] + "#tables")
    page.wait_for_selector("#tables:not([hidden])")
    page.click(f"#table5 a:has-text({HOSTILE_WORD!r}) >> nth=0")
    page.wait_for_selector("#trace:not([hidden])")
    assert HOSTILE_WORD in page.inner_text("#trace-body")
    assert page.evaluate("typeof pwned") == "undefined"
    for tag in (
        "main img[src=x]",
        "main svg[onload]",
        "main script",
        "main b",
        "main a[href^='javascript']",
    ):
        assert page.locator(tag).count() == 0


def test_a_cell_leads_to_its_folds_its_runs_and_its_command(
    opened: Callable[..., Page], results: Path
) -> None:
    page = opened("#tables")
    printed = page.inner_text("#tables a[href='#trace/1/M3/LC%20UA']")
    page.click("#tables a[href='#trace/1/M3/LC%20UA']")
    page.wait_for_selector("#trace:not([hidden]) .paste")
    words = shlex.split(page.inner_text("#trace .paste"))
    assert words == ["emoword", "trace", f"{results}/tables/table1.csv", "M3", "LC UA"]
    rows = page.eval_on_selector_all(
        "#trace tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    single = [float(row[2]) for row in rows if row[0].startswith("fold")]
    assert len(single) == 10, "five folds, two seeds"
    assert f"{100 * sum(single) / 10:.2f}" == printed
    page.click("#trace a[href='#utterances?M3=wrong']")
    page.wait_for_selector("#utterances:not([hidden])")
    page.go_back()
    page.click("#trace tbody a >> nth=0")
    page.wait_for_selector("#run:not([hidden]) .curve polyline", state="attached")
    assert "M3, lc, fold 1, seed 0" in page.inner_text("#run-title")
    said = page.eval_on_selector_all(
        "#run .facts div",
        "lines => lines.map(line => [...line.children].map(cell => cell.textContent))",
    )
    assert {"training: epochs", "network: lstm", "labels: nouns: angry"} <= {
        name for name, _ in said
    }
    assert dict(said)["labels: merge: excitement"] == "happiness"
    assert not any("[object" in value for _, value in said)


def test_an_address_shows_the_same_to_a_colleague(opened: Callable[..., Page]) -> None:
    first = opened("#utterances")
    first.select_option("#filters [name=fold]", "2")
    first.select_option("#filters [name=M1]", "right")
    expect(first).to_have_url(re.compile("&M1=right"))
    second = opened("#" + first.url.split("#")[1])
    assert listed(second) == listed(first) > 0
    assert second.input_value("#filters [name=fold]") == "2"
    lost = opened("#utterance/nobody")
    assert "There is no such place here" in lost.inner_text("main")


def test_the_list_is_found_again_where_it_was(opened: Callable[..., Page]) -> None:
    page = opened("#utterances?part=all", viewport={"width": 1000, "height": 500})
    page.evaluate("document.querySelector('#utterances .dt-scroll-body').scrollTop = 900")
    page.wait_for_timeout(200)
    page.click("nav a[href='#tables']")
    page.go_back()
    page.wait_for_selector("#utterances:not([hidden])")
    page.wait_for_timeout(200)
    top = page.evaluate("document.querySelector('#utterances .dt-scroll-body').scrollTop")
    assert top == pytest.approx(900, abs=2)


CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    // said already in the row above; a link that leads nowhere
    const none = element.closest(".follows, #previous:not([href]), #next:not([href])");
    if (!node.textContent.trim() || !element.checkVisibility() || none) continue;
    const ink = parse(getComputedStyle(element).color);
    const [a, b] = [light(ink), light(ground(element))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5)
      low.push([element.outerHTML.slice(0, 80), ((a + .05) / (b + .05)).toFixed(2)]);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_have_enough_contrast(
    opened: Callable[..., Page], results: Path, scheme: str
) -> None:
    name = quote(truth_of(results).index[3], safe="")
    page = opened(color_scheme=scheme, expected="ERR_FILE_NOT_FOUND")
    lightness = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    )
    assert (lightness > 200) == (scheme == "light")
    for address in (*VIEWS, f"utterance/{name}", "trace/1/M1/LC%20UA", "nowhere"):
        page.goto(page.url.split("#")[0] + f"#{address}")
        page.wait_for_timeout(150)
        assert page.evaluate(CONTRAST) == []


def test_a_phone_has_no_need_to_scroll_sideways(opened: Callable[..., Page], results: Path) -> None:
    name = quote(truth_of(results).index[3], safe="")
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    page = opened(expected="ERR_FILE_NOT_FOUND", **phone)
    for address in (*VIEWS, f"utterance/{name}", "trace/5/M1%201st/anger"):
        page.goto(page.url.split("#")[0] + f"#{address}")
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address


def test_on_paper_stands_the_whole_list_and_the_tables_follow_the_overview(
    opened: Callable[..., Page], results: Path
) -> None:
    page = opened("#utterances")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#printed tbody tr").count() == len(truth_of(results))
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#printed").count() == 0
    page = opened()
    page.emulate_media(media="print")
    seen = page.eval_on_selector_all(
        "section.view", "all => all.filter(s => s.checkVisibility()).map(s => s.id)"
    )
    assert seen == ["overview", "tables", "figures"]


def test_the_overview_opens_with_the_results(opened: Callable[..., Page], results: Path) -> None:
    page = opened()
    metrics = read_table(results / "metrics.csv", ["model", "loss", "fold", "seed", "metric"])
    keys = ["loss", "fold", "seed", "measured_on", "metric"]
    rows = metrics[(metrics[keys] == ["lc", "mean", "all", "class", "UA"]).all(axis=1)]
    ua = rows.set_index("model")["value"].astype(float)
    shown = page.eval_on_selector_all(
        ".outcome tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    named = {line[0]: line[1].split()[0] for line in shown}
    assert {name: named[name] for name in ("M1", "M2", "M3")} == {
        name: f"{100 * ua[name]:.2f}" for name in ("M1", "M2", "M3")
    }
    first = page.evaluate("document.querySelector('#overview h2').textContent")
    assert first == "What was run"
    (alt,) = page.eval_on_selector_all("#overview img", "all => all.map(image => image.alt)")
    near = read_table(results / "figures/neighbours.csv", ["model", "emotion", "word"])
    words = near[(near["model"] == "M1") & (near["emotion"] == "anger")]["word"]
    assert f"M1, anger: {', '.join(words)};" in alt
    page.click(".outcome a >> nth=0")
    page.wait_for_selector("#trace:not([hidden]) .paste")


def test_filters_by_decision_style_and_disagreement(
    opened: Callable[..., Page], results: Path
) -> None:
    decisions = read_table(results / "decisions/paper.csv", ["model", "loss", "seed"])
    ours = decisions[(decisions["seed"] == "0") & decisions["loss"].isin(["lc", "ce"])]
    wide = ours.pivot(index="utterance", columns="model", values="predicted")
    page = opened("#utterances?M2=as+sadness")
    assert listed(page) == (wide["M2"] == "sadness").sum()
    apart = wide.nunique(axis=1)
    page = opened("#utterances?models=disagree")
    assert listed(page) == (apart > 1).sum()
    first = page.inner_text("#list td.id >> nth=0")
    assert apart[first] == apart.max()
    page = opened("#utterances?models=agree&style=improvised")
    assert listed(page) == (apart == 1).sum()


def test_hits_of_a_search_are_marked_and_found_from_any_view(opened: Callable[..., Page]) -> None:
    page = opened("#runs")
    page.keyboard.press("/")
    page.keyboard.type("ANGE")
    page.keyboard.press("Enter")
    page.wait_for_selector("#utterances:not([hidden]) td.found mark")
    assert page.input_value("#filters [name=q]") == "ANGE"
    marks = page.locator("#list td.found mark").all_inner_texts()
    assert set(marks) == {"ange"}


def test_a_confusion_leads_to_its_utterances(opened: Callable[..., Page], results: Path) -> None:
    page = opened("#figures")
    cell = page.locator("#confusions table >> nth=1").locator("td:not(.best) a >> nth=0")
    count, address = int(cell.inner_text()), cell.get_attribute("href")
    cell.click()
    page.wait_for_selector("#utterances:not([hidden]) #list td")
    assert listed(page) == count
    asked = dict(part.split("=") for part in str(address).split("?")[1].split("&"))
    decisions = read_table(results / "decisions/paper.csv", [])
    own = (decisions[["model", "loss", "seed"]] == ["M2", "lc", "0"]).all(axis=1)
    own &= decisions["true"] == asked["label"]
    assert (own & (decisions["predicted"] == asked["M2"].removeprefix("as+"))).sum() == count


def test_arrow_keys_lead_to_the_next_utterance(opened: Callable[..., Page]) -> None:
    page = opened("#utterances", expected="ERR_FILE_NOT_FOUND")
    names = page.locator("#list td.id").all_inner_texts()[:2]
    page.click("#list td.id a >> nth=0")
    title = page.locator("#utterance-title")
    expect(title).to_have_text(names[0])
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text(names[1])
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text(names[0])


def exact_similarities(results: Path, word: str) -> pd.Series:
    """Cosine similarity of M3's predictions (log-cosh, seed 0) with a word, by numpy."""
    place = place_of(results)
    vector = WordSpace.open(place.space).vectors_of([word])[0].astype(float)
    found: dict[str, float] = {}
    for folder in place.runs(["lc"]):
        record = json.loads((folder / "run.json").read_text())
        if (record["model"], record["seed"]) == ("M3", 0):
            split = read_table(folder / "split.csv", ["utterance", "part"])
            vectors = np.load(folder / "predictions.npy").astype(float)
            lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
            tested = split["utterance"][split["part"] == "test"]
            found |= dict(zip(tested, vectors @ vector / lengths, strict=True))
    return pd.Series(found)


def test_the_map_answers_a_word(opened: Callable[..., Page], results: Path) -> None:
    page = opened("#map?model=M3", expected="ERR_FILE_NOT_FOUND")
    page.fill("#ask [name=q]", "sorrow")
    page.click("#ask button")
    page.wait_for_selector("#answer table.found")
    rows = page.eval_on_selector_all(
        "#answer tbody tr", "rows => rows.map(r => [r.cells[1].innerText, r.cells[2].innerText])"
    )
    exact = exact_similarities(results, "sorrow")
    off = page.evaluate("window.emoword.map.error")
    assert len(rows) == 20
    # these predictions are noise in all directions: the worst that a projection can meet
    shown = pd.Series({name: float(value) for name, value in rows})
    assert (exact[shown.index] - shown).abs().max() < 2 * off[1]
    assert list(shown) == sorted(shown, reverse=True)
    assert exact[shown.index].mean() > exact.nlargest(60).mean()
    command = shlex.split(page.inner_text("#answer .paste"))
    assert command == ["emoword", "query", str(results), "sorrow", "--model", "M3"]
    page.fill("#ask [name=q]", "no such word")
    page.click("#ask button")
    page.wait_for_selector("#answer:has-text('is not among the')")
    assert "'no such word'" in page.inner_text("#answer .paste")


def test_the_map_tells_of_a_dot_plays_it_and_zooms(
    opened: Callable[..., Page], results: Path
) -> None:
    page = opened("#map", expected="ERR_FILE_NOT_FOUND")
    page.locator("#space").scroll_into_view_if_needed()
    box = page.locator("#space").bounding_box()
    assert box
    for x, y in itertools.product(np.linspace(0.2, 0.8, 25), repeat=2):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if page.is_visible("#tip"):
            break
    name = page.inner_text("#tip small").strip()
    assert page.inner_text("#tip").startswith(truth_of(results)[name])
    page.mouse.down()
    page.mouse.up()
    page.wait_for_selector("#chosen a")
    assert page.inner_text("#chosen a") == name
    near = read_table(results / "nearest/paper.csv", ["utterance", "of", "seed"])
    own = (near[["utterance", "of", "seed"]] == [name, "M1", "0"]).all(axis=1)
    words = near[own][[f"word {rank}" for rank in range(1, 6)]].iloc[0]
    assert f"Nearest words: {', '.join(words)}." in page.inner_text("#chosen")
    before = page.locator("#space").screenshot()
    page.focus("#space")
    page.keyboard.press("+")
    assert page.locator("#space").screenshot() != before
    page.keyboard.press("0")
    page.uncheck("#ask [name=words]")
    assert page.locator("#space").screenshot() != before


def test_copied_audio_is_drawn_and_played_from_disk(
    browser: Browser, results: Path, tmp_path: Path
) -> None:
    made = tmp_path / "copy" / "sized"
    shutil.copytree(results.parent, made.parent)
    table = read_table(made / "utterances.csv", ["utterance", "wav"])
    sound = made.parent / "tone.wav"
    tone = np.sin(2 * np.pi * 2000 * np.arange(8000) / 16000)
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16000, 8000, "NONE", ""))
        file.writeframes((20000 * tone).astype("<i2").tobytes())
    write_table(table.assign(wav=str(sound)), made / "utterances.csv")
    make_page(made / "variants/paper.json", copy_audio=True, out=tmp_path / "page")
    page = browser.new_page()
    name = quote(truth_of(made).index[3], safe="")
    page.goto((tmp_path / "page/index.html").as_uri() + f"#utterance/{name}")
    page.wait_for_selector(".sound canvas:visible >> nth=1")
    # 2 kHz of 8 kHz: the darkest row is a quarter of the way up
    rows = page.evaluate(
        """() => {
          const canvas = document.querySelectorAll(".sound canvas")[1];
          const { data, width, height } = canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height);
          return Array.from({ length: height }, (_, y) => {
            let sum = 0;
            for (let x = 100; x < width - 100; x++) sum += data[4 * (y * width + x) + 3];
            return sum;
          });
        }"""
    )
    assert 256 - np.argmax(rows) == pytest.approx(64, abs=3)
    page.click("nav a[href='#utterances']")
    button = page.locator("#list button.play >> nth=0")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_have_attribute("aria-pressed", "false", timeout=5000)  # half a second long
    page.close()


def test_a_command_is_copied(opened: Callable[..., Page]) -> None:
    page = opened("#trace/1/M1/LC%20UA")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#trace .copy")
    expect(page.locator("#trace .copy")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.inner_text("#trace .paste")


def test_no_page_of_a_print_is_empty(
    opened: Callable[..., Page], results: Path, tmp_path: Path
) -> None:
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext (Debian: apt install poppler-utils)")
    name = quote(truth_of(results).index[3], safe="")
    for view in ("overview", "figures", "map", f"utterance/{name}"):
        page = opened(f"#{view}", expected="ERR_FILE_NOT_FOUND")
        page.pdf(path=tmp_path / "page.pdf", format="A4")
        command = ["pdftotext", "-layout", str(tmp_path / "page.pdf"), "-"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        images = ["pdfimages", "-list", str(tmp_path / "page.pdf")]
        listed = subprocess.run(images, capture_output=True, text=True, check=True).stdout
        drawn = {line.split()[0] for line in listed.splitlines()[2:]}
        for number, one in enumerate(text.split("\f")[:-1], start=1):
            assert one.strip() or str(number) in drawn, f"{view}: page {number}"


AXE = """async () => {
  const runOnly = ["wcag2a", "wcag2aa", "best-practice"];
  const found = await axe.run(document, { runOnly, preload: false });
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3)]);
}"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, from npm's registry."""
    folder = tmp_path_factory.mktemp("axe")
    if not shutil.which("npm"):
        pytest.skip("no npm, by which axe-core is had")
    command = ["npm", "pack", "--silent", "axe-core@4.14.1"]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    except subprocess.SubprocessError:
        pytest.skip("axe-core cannot be had from npm's registry")
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        script = packed.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


def test_axe_finds_nothing_serious(opened: Callable[..., Page], results: Path, axe: str) -> None:
    name = quote(truth_of(results).index[3], safe="")
    page = opened(expected="ERR_FILE_NOT_FOUND")
    page.evaluate(axe)
    for view in (*VIEWS, "map?q=sorrow", f"utterance/{name}", "trace/1/M1/LC%20UA"):
        page.evaluate(f"location.hash = '#{view}'")
        page.wait_for_timeout(400)
        assert page.evaluate(AXE) == [], view


def test_without_a_script_tables_and_figures_can_be_read(opened: Callable[..., Page]) -> None:
    page = opened(java_script_enabled=False)
    assert "Without JavaScript" in page.inner_text("body")
    assert page.is_visible("#table1")
    assert not page.is_visible("#filters")


def test_a_file_that_is_not_there_is_said(browser: Browser, results: Path, tmp_path: Path) -> None:
    shutil.copytree(results / "report", tmp_path / "page")
    (tmp_path / "page" / "runs.js").unlink()
    page = browser.new_page()
    page.goto((tmp_path / "page" / "index.html").as_uri() + "#trace/1/M1/LC%20UA")
    page.wait_for_selector("html[data-ready]")
    assert "runs.js is not beside this page" in page.inner_text("main")
    page.close()
