"""The demo's corpus is in IEMOCAP's format, reproducible, and can be learned from, but not fully.

What stands in the files is read here by a reader of the tests' own, not by the project's.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from emoword import cli
from emoword.demo import corpus as demo
from emoword.demo.corpus import CODES, LABELS, Opinion, Rater, vote
from emoword.demo.synthesis import FRAME, RATE, Voice, formant_filter, glottal_pulses, synthesise
from emoword.io.errors import InputError
from emoword.settings import Meant

FOUR = {"ang": "anger", "hap": "happiness", "exc": "happiness", "sad": "sadness", "neu": "neutral"}
HEADER = re.compile(
    r"\[(\d+\.\d{4}) - (\d+\.\d{4})\]\t((Ses0[1-5][FM]_(?:impro\d\d|script\d\d_1))_[FM]\d{3})\t"
    r"(neu|fru|ang|exc|sad|hap|sur|fea|dis|oth|xxx)\t\[(\d\.\d{4}), (\d\.\d{4}), (\d\.\d{4})\]"
)
CATEGORICAL = re.compile(r"C-(E[1-6]|[FM]1):\t((?:[A-Z][a-z]+; ?)*;?)\t\(([^()]*)\)")
ATTRIBUTE = re.compile(r"A-(E[1-6]|[FM]1):\tval (\d); act (\d); dom (?: (\d))?;\t\(([^()]*)\)")


def read_corpus(root: Path) -> list[dict[str, Any]]:
    """Read each block by the format's own description; a line that differs fails."""
    utterances = []
    for path in sorted(root.glob("Session*/dialog/EmoEvaluation/Ses*.txt")):
        title, *blocks = path.read_bytes().decode("latin-1").split("\n\n")
        assert title == "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"
        assert blocks.pop() == ""
        for block in blocks:
            header, *lines = block.split("\n")
            head = HEADER.fullmatch(header)
            assert head, header
            assert head[4] == path.stem
            categorical = [m.groups() for line in lines if (m := CATEGORICAL.fullmatch(line))]
            attribute = [m.groups() for line in lines if (m := ATTRIBUTE.fullmatch(line))]
            assert len(categorical) + len(attribute) == len(lines), block
            utterances.append(
                {
                    "name": head[3],
                    "session": int(head[3][4]),
                    "seconds": float(head[2]) - float(head[1]),
                    "code": head[5],
                    "means": [float(head[number]) for number in (6, 7, 8)],
                    "categorical": categorical,
                    "attribute": attribute,
                    "wav": root / f"Session{head[3][4]}/sentences/wav/{head[4]}/{head[3]}.wav",
                }
            )
    return utterances


def observers(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [line for line in lines if line[0].startswith("E")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo") / "corpus"
    demo.demo(out=root, seed=0, utterances=120)
    return root


@pytest.fixture(scope="module")
def utterances(root: Path) -> list[dict[str, Any]]:
    return read_corpus(root)


def test_layout(root: Path, utterances: list[dict[str, Any]]) -> None:
    assert len(utterances) == 120
    assert len({u["name"] for u in utterances}) == 120
    # 5 sessions x 2 speakers, as many turns each
    speakers = Counter((u["session"], u["name"].rsplit("_", 1)[1][0]) for u in utterances)
    assert speakers == {(session, sex): 12 for session in range(1, 6) for sex in "FM"}
    assert set(root.glob("Session*/sentences/wav/*/*.wav")) == {u["wav"] for u in utterances}
    styles = Counter("impro" in u["name"] for u in utterances)
    assert styles == {True: 60, False: 60}
    evaluations = root / "Session1" / "dialog" / "EmoEvaluation"
    for folder in ("Categorical", "Attribute", "Self-evaluation"):
        assert len(list((evaluations / folder).iterdir())) == 1
    junk = evaluations / "._Ses01F_impro01.txt"
    assert junk.read_bytes().startswith(b"\x00\x05\x16\x07")  # the magic number of AppleDouble


def test_audio(utterances: list[dict[str, Any]]) -> None:
    seconds = []
    for utterance in utterances:
        about = soundfile.info(utterance["wav"])
        assert (about.samplerate, about.channels) == (16_000, 1)
        assert (about.format, about.subtype) == ("WAV", "PCM_16")
        assert about.duration == pytest.approx(utterance["seconds"], abs=2e-4)
        signal, _ = soundfile.read(utterance["wav"])
        assert np.abs(signal).max() <= 0.99
        assert 0.005 < signal.std() < 0.3
        seconds.append(about.duration)
    assert min(seconds) >= 1
    assert max(seconds) <= 3
    assert np.mean(np.array(seconds) < 2) > 0.8


def test_header_is_the_vote_and_the_mean_of_the_observers(
    utterances: list[dict[str, Any]],
) -> None:
    for utterance in utterances:
        votes: Counter[str] = Counter()
        raters = observers(utterance["categorical"])
        for _, labels, _ in raters:
            votes.update({label.strip() for label in labels.split(";") if label.strip()})
        most = max(votes.values(), default=0)
        winners = [label for label, count in votes.items() if count == most]
        expected = CODES[winners[0]] if most >= 2 and len(winners) == 1 else "xxx"
        assert utterance["code"] == expected, utterance["name"]
        assert len(raters) == 3
        given = [line[1:4] for line in observers(utterance["attribute"])]
        assert len(given) == 2
        for mean, column in zip(utterance["means"], zip(*given, strict=True), strict=True):
            values = [int(value) for value in column if value is not None]
            assert mean == sum(values) / len(values)


def test_three_of_six_raters_by_session(utterances: list[dict[str, Any]]) -> None:
    by_session: dict[int, set[str]] = {}
    for utterance in utterances:
        names = {line[0] for line in observers(utterance["categorical"])}
        by_session.setdefault(utterance["session"], set()).update(names)
    assert all(len(names) == 3 for names in by_session.values())
    assert len({frozenset(names) for names in by_session.values()}) == 5
    assert set().union(*by_session.values()) == {f"E{number}" for number in range(1, 7)}


def test_self_reports_are_the_speakers_own_on_improvised_dialogs(
    utterances: list[dict[str, Any]],
) -> None:
    for utterance in utterances:
        own = [line[0] for line in utterance["categorical"] + utterance["attribute"]]
        own = [name for name in own if name[0] in "FM"]
        sex = utterance["name"].rsplit("_", 1)[1][0]
        assert own == ([f"{sex}1"] * 2 if "impro" in utterance["name"] else [])


def test_oddities_of_the_real_corpus(root: Path, utterances: list[dict[str, Any]]) -> None:
    first = (root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt").read_bytes()
    assert b"\tOther; ;\t" in first
    assert b"\t;\t" in first
    assert b"; dom ;\t" in first
    assert b"(blas\xe9)" in first
    assert b"val 6; act 6" in first
    lines = [line for u in utterances for line in u["categorical"]]
    assert any(labels.count(";") == 2 and "; ;" not in labels for _, labels, _ in lines)
    comments = [c for _, _, c in lines if c]
    comments += [line[4] for u in utterances for line in u["attribute"] if line[4]]
    assert any("," in comment for comment in comments)
    assert any(re.search(r"\w \w", comment) for comment in comments)
    assert any(comment[-1] in ".!" for comment in comments)
    assert any(comment[0].isupper() for comment in comments)
    words = {word.strip(" .!").lower() for comment in comments for word in comment.split(",")}
    typos = {word for word in words if " " not in word and sorted(word) in map(sorted, demo.WORDS)}
    assert typos - set(demo.WORDS)
    assert len(words & set(demo.WORDS)) > 20


def test_classes(utterances: list[dict[str, Any]]) -> None:
    codes = Counter(u["code"] for u in utterances)
    assert codes["xxx"] > 0
    assert codes["fru"] > 0
    assert 0.7 <= sum(codes[code] for code in FOUR) / len(utterances) <= 0.85


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_every_class_is_in_every_session_of_the_smallest_demo(seed: int, session: int) -> None:
    rng = np.random.default_rng(seed)
    cast = demo.Cast(
        session,
        tuple(demo.draw_raters(["E1", "E2", "E3"], rng)),
        dict(zip("FM", demo.draw_raters(["F1", "M1"], rng), strict=True)),
        {},
        demo.SHARES / demo.SHARES.sum(),
    )
    plan = demo.plan_session(cast, 3, np.random.SeedSequence(seed))
    assert len(plan) == 12
    assert {FOUR.get(vote(u.opinions)) for u in plan} >= set(FOUR.values())


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        ([("Anger",), ("Anger",), ("Neutral",)], "ang"),
        ([("Anger",), ("Sadness",), ("Neutral",)], "xxx"),
        ([("Anger", "Frustration"), ("Frustration",), ("Neutral",)], "fru"),
        # two labels with two of three each, then with three against two
        ([("Anger", "Frustration"), ("Frustration", "Anger"), ("Neutral",)], "xxx"),
        ([("Anger", "Frustration"), ("Frustration", "Anger"), ("Anger",)], "ang"),
        # excitement and happiness are merged later, not by the vote
        ([("Excited",), ("Happiness",), ("Neutral",)], "xxx"),
        ([("Other", ""), ("Other",), ("",)], "oth"),
        ([("",), ("",), ("Fear",)], "xxx"),
        ([("",), ("",), ("",)], "xxx"),
    ],
)
def test_vote(labels: list[tuple[str, ...]], code: str) -> None:
    raters = [Rater(f"E{number}", np.zeros(3), 0, 0) for number in range(3)]
    opinions = [Opinion(rater, named, "") for rater, named in zip(raters, labels, strict=True)]
    # what speakers say of themselves does not count
    own = Opinion(Rater("F1", np.zeros(3), 0, 0), ("Fear",), "")
    assert vote([*opinions, own]) == code


def test_same_bytes_for_the_same_seed_and_others_for_another(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("one", "two", "other")]
    for root, seed in zip(roots, (3, 3, 4), strict=True):
        demo.demo(out=root, seed=seed, utterances=60)
    one, two, other = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in roots
    )
    assert len(one) == 60 + 20 + 5 * 4 + 1
    assert one == two
    wavs = [name for name in one if name.suffix == ".wav"]
    assert all(one[name] != other[name] for name in wavs)


def test_only_some_emotions_are_meant_and_only_these_named_by_raters(tmp_path: Path) -> None:
    root = tmp_path / "some"
    demo.demo(out=root, seed=3, utterances=60, emotions=("Anger", "Fear", "Neutral"))
    some = read_corpus(root)
    named = {label for u in some for line in u["categorical"] for label in line[1].split("; ")}
    assert {label.strip("; ") for label in named} == {"Anger", "Fear", "Neutral", "Other", ""}
    codes = Counter(u["code"] for u in some)
    assert set(codes) - {"xxx", "oth"} == {"ang", "fea", "neu"}
    assert codes["ang"] > codes["fea"]  # 21 of 41 and 3 of 41 are meant
    by_session = {(u["session"], u["code"]) for u in some}
    assert by_session >= {(session, code) for session in range(1, 6) for code in ("ang", "neu")}


def test_the_configuration_knows_the_emotions_of_the_demo(tmp_path: Path) -> None:
    assert get_args(Meant) == tuple(LABELS)
    for wrong in (("Joy",), ()):
        with pytest.raises(InputError, match="choose among Neutral, Anger"):
            demo.demo(out=tmp_path / "new", utterances=60, emotions=wrong)


def test_mistakes_are_one_line_and_harm_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "real" / "Session1" / "thesis.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("ten years")
    for out in (tmp_path / "real", precious):
        with pytest.raises(InputError, match="exists and is not empty"):
            demo.demo(out=out, seed=0, utterances=60)
    assert precious.read_text() == "ten years"
    assert [path.name for path in tmp_path.iterdir()] == ["real"]


def test_nothing_is_left_of_an_interrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emoword.demo.corpus.soundfile.write", fail)
    with pytest.raises(InputError, match=r"corpus: cannot be written .*No space.*make room"):
        demo.demo(out=tmp_path / "corpus", seed=0, utterances=60)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "bound"),
    [("--utterances", 59, "60"), ("--utterances", 100_001, "100000"), ("--seed", -1, "0")],
)
def test_a_number_beyond_its_bound_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str, value: int, bound: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["demo", f"--out={tmp_path / 'corpus'}", f"{option}={value}"])
    said = capsys.readouterr().err
    assert re.search(rf"{value}.*{option}.* {bound}\b.*\n\Z", said), said
    assert not (tmp_path / "corpus").exists()


# ---- the signal --------------------------------------------------------------------------------

VOICE = Voice(pitch=120, tract=1.0, level=0, brightness=0, tempo=0, expression=1)


def test_smooth_pulses_are_a_period_apart() -> None:
    pulses = glottal_pulses(np.full(RATE, 150.0), 0.0, np.random.default_rng(0))
    # between the samples: a pulse's place is the mean of its two samples, by their size
    groups = np.split(np.flatnonzero(pulses), np.flatnonzero(np.diff(np.flatnonzero(pulses)) > 2))
    assert len(groups) in (148, 149)
    total = pulses.sum()
    assert total == pytest.approx(round(total))
    spectrum = np.abs(np.fft.rfft(pulses))
    assert np.argmax(spectrum[75:225]) + 75 == 150  # 1 s: a bin is 1 Hz
    assert spectrum[150] == pytest.approx(total, rel=0.02)


def test_pulses_are_rough_as_asked() -> None:
    rng = np.random.default_rng(0)
    pulses = glottal_pulses(np.full(20 * RATE, 100.0), 0.02, rng)
    places = np.flatnonzero(pulses)
    groups = np.split(places, np.flatnonzero(np.diff(places) > 5) + 1)
    times = np.array([np.average(group, weights=pulses[group]) for group in groups])
    sizes = np.array([pulses[group].sum() for group in groups])
    # each interval has the jitter of two pulses, of 0.02 x 160 samples each
    assert np.diff(times).std() == pytest.approx(np.sqrt(2) * 3.2, rel=0.06)
    assert sizes.std() == pytest.approx(0.1, rel=0.06)


def test_steady_formants_are_one_cascade_of_resonators() -> None:
    formants = np.array([500.0, 1500.0, 2500.0, 3500.0, 4500.0])
    impulse = np.zeros(50 * FRAME)
    impulse[0] = 1
    response = np.fft.rfft(formant_filter(impulse, np.tile(formants, (50, 1))))
    frequencies = np.fft.rfftfreq(len(impulse), 1 / RATE)
    expected = np.ones(len(frequencies), dtype=complex)
    for formant, bandwidth in zip(formants, (70, 90, 140, 220, 300), strict=True):
        pole = np.exp((-np.pi * bandwidth + 2j * np.pi * formant) / RATE)
        polynomial = np.poly([pole, pole.conj()]).real
        expected *= scipy.signal.freqz([polynomial.sum()], polynomial, worN=frequencies, fs=RATE)[1]
    np.testing.assert_allclose(response, expected, atol=1e-6 * np.abs(expected).max())
    assert np.abs(response[0]) == pytest.approx(1, abs=1e-6)


def spoken_pitch(signal: np.ndarray) -> float:
    """Median of the autocorrelation's peak over the loudest 40 ms windows, in Hz."""
    windows = np.lib.stride_tricks.sliding_window_view(signal, 640)[::160]
    loud = windows[windows.std(axis=1) > np.quantile(windows.std(axis=1), 0.6)]
    periods = []
    for window in loud:
        centred = window - window.mean()
        correlation = np.correlate(centred, centred, "full")[639:]
        correlation /= np.arange(640, 0, -1)  # else long lags lose
        periods.append(40 + np.argmax(correlation[40:270]))
    return float(RATE / np.median(periods))


def test_the_voice_follows_arousal() -> None:
    calm, excited = np.array([0.0, -1.0, 0.0]), np.array([0.0, 1.0, 0.0])
    pairs = [
        [synthesise(point, VOICE, np.random.default_rng(seed)) for point in (calm, excited)]
        for seed in range(12)
    ]
    levels = [20 * np.log10(loud.std() / soft.std()) for soft, loud in pairs]
    assert np.mean(levels) == pytest.approx(10, abs=0.5)  # 5 dB a unit, from the same noise
    pitches = [12 * np.log2(spoken_pitch(high) / spoken_pitch(low)) for low, high in pairs]
    assert np.median(pitches) == pytest.approx(8, abs=2.5)  # 4 semitones a unit


def test_the_voice_swells_with_valence_and_is_no_louder() -> None:
    """20 dB over six syllables: -10 -6 -2 2 6 10: the second half has 12.0 dB more power."""
    sad, glad = np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])
    rises, levels = [], []
    for seed in range(12):
        pair = [synthesise(point, VOICE, np.random.default_rng(seed)) for point in (sad, glad)]
        halves = [[20 * np.log10(half.std()) for half in np.array_split(s, 2)] for s in pair]
        rises.append(halves[1][1] - halves[1][0] - halves[0][1] + halves[0][0])
        levels.append(20 * np.log10(pair[1].std() / pair[0].std()))
    assert np.mean(rises) == pytest.approx(2 * 12.0, abs=2)  # from falling to rising
    assert np.mean(levels) == pytest.approx(0, abs=1)


def log_mel_statistics(wav: Path) -> np.ndarray:
    """Mean and standard deviation over time of 40 log-mel bands, [80]."""
    signal, _ = soundfile.read(wav)
    power = np.abs(scipy.signal.stft(signal, RATE, nperseg=400, noverlap=80, nfft=512)[2]) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 42) / 2595) - 1)
    hertz = np.linspace(0, 8000, 257)
    up = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    down = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    bands = np.log(np.maximum(0, np.minimum(up, down)) @ power + 1e-9)
    return np.concatenate([bands.mean(axis=1), bands.std(axis=1)])


def test_unseen_speakers_can_be_told_but_not_fully(utterances: list[dict[str, Any]]) -> None:
    chosen = [u for u in utterances if u["code"] in FOUR]
    features = np.stack([log_mel_statistics(u["wav"]) for u in chosen])
    session = np.array([u["session"] for u in chosen])
    truth = np.array([FOUR[u["code"]] for u in chosen])
    named = [
        [
            label.strip()
            for _, labels, _ in observers(u["categorical"])
            for label in labels.split(";")
        ]
        for u in chosen
    ]
    blend = np.array([[float(words.count(label)) for label in LABELS] for words in named])
    # as in S1, excitement is happiness
    nouns = [label.lower() for label in LABELS]
    majority = np.array([[float(noun == FOUR[u["code"]]) for noun in nouns] for u in chosen])
    predicted = np.empty_like(truth)
    similarity: dict[str, list[float]] = {"blend": [], "majority": []}
    for fold in range(1, 6):
        test = session == fold
        scaler = StandardScaler().fit(features[~test])
        inputs, unseen = scaler.transform(features[~test]), scaler.transform(features[test])
        logistic = LogisticRegression(C=0.1, max_iter=1000).fit(inputs, truth[~test])
        predicted[test] = logistic.predict(unseen)
        shares = blend / blend.sum(axis=1, keepdims=True)
        for name, target in (("blend", shares), ("majority", majority)):
            guess = Ridge(100).fit(inputs, target[~test]).predict(unseen)
            norms = np.linalg.norm(guess, axis=1) * np.linalg.norm(blend[test], axis=1)
            similarity[name] += list((guess * blend[test]).sum(axis=1) / norms)
    assert 0.5 < balanced_accuracy_score(truth, predicted) < 0.9
    assert np.mean(similarity["blend"]) > np.mean(similarity["majority"]) + 0.01
