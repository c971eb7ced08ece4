"""A synthetic miniature of IEMOCAP: babble that follows a point in an emotion space, and raters."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
from cyclopts import Parameter
from cyclopts.validators import Number

from emoword.demo.synthesis import RATE, Array, Voice, draw_voice, synthesise
from emoword.io.errors import InputError
from emoword.io.files import replacing

# Where an emotion lies: valence, arousal, dominance, roughly as in Russell and Mehrabian,
# Journal of Research in Personality 11, 1977; how often it is meant, in percent; its code
EMOTIONS = {
    "Neutral": ((0.0, -0.1, 0.0), 17, "neu"),
    "Anger": ((-0.7, 0.7, 0.7), 21, "ang"),
    "Sadness": ((-0.6, -0.8, -0.6), 22, "sad"),
    "Happiness": ((0.8, 0.2, 0.2), 13, "hap"),
    "Excited": ((0.7, 0.8, 0.4), 13, "exc"),
    "Frustration": ((-0.6, 0.2, 0.1), 6, "fru"),
    "Surprise": ((0.2, 0.8, -0.4), 4, "sur"),
    "Fear": ((-0.6, 0.5, -0.8), 3, "fea"),
    "Disgust": ((-0.8, 0.0, 0.5), 1, "dis"),
}
LABELS = list(EMOTIONS)
POINTS = np.array([point for point, _, _ in EMOTIONS.values()])
SHARES = np.array([share for _, share, _ in EMOTIONS.values()])
CODES = {label: code for label, (_, _, code) in EMOTIONS.items()} | {"Other": "oth"}
CLASSES = ({"ang"}, {"hap", "exc"}, {"sad"}, {"neu"})  # the paper's four

# What raters write in comments, and where it lies in the same space
# fmt: off
WORDS = {
    "calm": (0.3, -0.6, 0.2), "serious": (-0.1, -0.2, 0.3), "bored": (-0.3, -0.6, -0.1),
    "tired": (-0.3, -0.8, -0.4), "resigned": (-0.4, -0.6, -0.4), "thoughtful": (0.1, -0.4, 0.1),
    "confident": (0.4, 0.1, 0.6), "determined": (0.1, 0.3, 0.6), "guarded": (-0.3, 0.0, 0.2),
    "curious": (0.2, 0.2, 0.0), "confused": (-0.2, 0.2, -0.4), "concerned": (-0.3, 0.1, -0.1),
    "tense": (-0.4, 0.4, -0.1), "nervous": (-0.3, 0.5, -0.5), "anxious": (-0.4, 0.5, -0.6),
    "worried": (-0.5, 0.2, -0.4), "scared": (-0.6, 0.6, -0.8), "desperate": (-0.7, 0.4, -0.6),
    "hurt": (-0.7, 0.0, -0.5), "lonely": (-0.6, -0.6, -0.6), "hopeless": (-0.8, -0.5, -0.7),
    "depressed": (-0.8, -0.7, -0.6), "disappointed": (-0.6, -0.3, -0.3),
    "regretful": (-0.5, -0.4, -0.4), "annoyed": (-0.5, 0.3, 0.2), "irritated": (-0.6, 0.4, 0.3),
    "impatient": (-0.4, 0.5, 0.3), "bitter": (-0.7, 0.1, 0.3), "hostile": (-0.7, 0.5, 0.6),
    "outraged": (-0.8, 0.8, 0.6), "furious": (-0.8, 0.9, 0.8), "contempt": (-0.7, 0.1, 0.6),
    "surprised": (0.2, 0.7, -0.3), "shocked": (-0.3, 0.8, -0.4), "hopeful": (0.5, 0.1, 0.1),
    "relieved": (0.6, -0.2, 0.1), "content": (0.6, -0.3, 0.2), "grateful": (0.7, 0.0, 0.0),
    "amused": (0.6, 0.3, 0.2), "cheerful": (0.8, 0.4, 0.3), "proud": (0.7, 0.3, 0.6),
    "delighted": (0.8, 0.6, 0.3), "thrilled": (0.8, 0.9, 0.4),
}
# fmt: on
WORD_POINTS = np.array(list(WORDS.values()))
PHRASES = ("a bit {}", "kind of {}", "more {} than angry", "trying not to sound {}")

OBSERVERS = ("E2 E3 E4", "E1 E2 E5", "E3 E4 E6", "E1 E4 E5", "E2 E5 E6")  # by session
DIALOGS = ("F_impro01", "M_impro02", "F_script01_1", "M_script01_1")  # in every session
NOTICE = """A synthetic miniature in the layout of IEMOCAP, made by `emoword demo`.
The voices are synthesised and the raters are simulated: it says nothing about people.
"""


@dataclass(frozen=True)
class Rater:
    """A simulated rater's errors and habits."""

    name: str
    bias: Array  # [3]
    several: float  # how readily they name a second emotion: 0 to 1
    chatty: float  # the chance of a comment


@dataclass(frozen=True)
class Opinion:
    """What one rater wrote about one utterance."""

    rater: Rater
    labels: tuple[str, ...]  # an empty string is a label left empty
    comment: str
    attributes: tuple[int | None, ...] = ()  # valence, arousal, dominance from 1 to 5, or none
    attribute_comment: str = ""


@dataclass(frozen=True)
class Utterance:
    """One utterance before it sounds; ``rng`` is its own, so that none depends on another."""

    name: str
    dialog: str
    sex: str  # the speaker's: F or M
    point: Array  # [3]
    opinions: tuple[Opinion, ...]  # the three observers', then perhaps the speaker's own
    rng: np.random.Generator


@dataclass(frozen=True)
class Cast:
    """Who takes part in a session."""

    session: int  # 1 to 5
    observers: tuple[Rater, ...]  # three
    selves: dict[str, Rater]  # the speakers as raters of themselves, by sex
    voices: dict[str, Voice]  # by sex
    shares: Array  # [9], sum 1: how often each of EMOTIONS is meant, and so expected by raters


def demo(
    *,
    out: Path,
    seed: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    utterances: Annotated[int, Parameter(validator=Number(gte=60, lte=100_000))] = 480,
    emotions: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = tuple(
        EMOTIONS
    ),
) -> None:
    """Write a synthetic miniature of IEMOCAP, to try the pipeline without the corpus.

    Nobody speaks in it and nobody listened: each utterance is babble from a small synthesiser that
    follows a point in an emotion space (valence, arousal, dominance), and three simulated raters
    name what they hear near that point, with their own errors. It shows that the pipeline works,
    and says nothing about people. OUT has IEMOCAP's own layout and format, with IEMOCAP's oddities,
    and the same bytes for the same seed: five sessions of two speakers, four dialogs a session,
    16 kHz wav.

        emoword demo --out /tmp/small --utterances 60 --seed 1
        emoword demo --out /tmp/other --emotions Anger Neutral Fear

    Args:
        out: The folder, which must not hold anything yet.
        seed: Of everything.
        utterances: About how many, at least 60: rounded to fill twenty dialogs.
        emotions: Those that are meant, and that raters may choose among; comments are free.
    """
    for name in emotions or [""]:
        if name not in EMOTIONS:
            raise InputError(f"--emotions {name!r}: choose among {', '.join(EMOTIONS)}")
    shares = np.where(np.isin(LABELS, emotions), SHARES, 0)
    # said at once, and not by `replacing` when all is done
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise InputError(f"{out}: exists and is not empty; remove it, or choose another --out")
    turns = round(utterances / (len(OBSERVERS) * len(DIALOGS)))
    rater_seed, *seeds = np.random.SeedSequence(seed).spawn(1 + len(OBSERVERS))
    names = sorted(set(" ".join(OBSERVERS).split()))
    observers = draw_raters(names, np.random.default_rng(rater_seed))
    with replacing(out) as made:
        for session, (own, session_seed) in enumerate(zip(OBSERVERS, seeds, strict=True), 1):
            rng = np.random.default_rng(session_seed)
            cast = Cast(
                session,
                tuple(rater for rater in observers if rater.name in own),
                dict(zip("FM", draw_raters(["F1", "M1"], rng), strict=True)),
                {sex: draw_voice(sex, rng) for sex in "FM"},
                shares / shares.sum(),
            )
            plan = plan_session(cast, turns, session_seed)
            folder = made / f"Session{session}"
            for start in range(0, len(plan), turns):
                write_dialog(folder, plan[start : start + turns], cast)
            write_decoys(folder, plan[0].dialog)
        (made / "SYNTHETIC.txt").write_text(NOTICE, encoding="utf-8")


# ---- raters ------------------------------------------------------------------------------------


def near(point: Array, places: Array, spread: float) -> Array:
    """Give the chance of each of ``places`` [n, 3] to be named for ``point`` [3]: [n], sum 1."""
    scores = np.exp(-((places - point) ** 2).sum(axis=1) / (2 * spread**2))
    return np.asarray(scores / scores.sum())


def draw_raters(names: Sequence[str], rng: np.random.Generator) -> list[Rater]:
    """Draw raters with errors and habits of their own."""
    return [
        Rater(name, rng.normal(0, 0.08, 3), rng.uniform(0.4, 0.9), rng.uniform(0.1, 0.35))
        for name in names
    ]


def write_comment(point: Array, rng: np.random.Generator) -> str:
    """Write one to three words or phrases near ``point``, as carelessly as people do."""
    chances = near(point, WORD_POINTS, 0.22)
    count = rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])
    words = [str(word) for word in rng.choice(list(WORDS), size=count, replace=False, p=chances)]
    for place, word in enumerate(words):
        slip = rng.random()
        if slip < 0.08:
            words[place] = str(rng.choice(PHRASES)).format(word)
        elif slip < 0.14:  # a typo
            swapped = int(rng.integers(1, len(word) - 1))
            words[place] = word[:swapped] + word[swapped + 1] + word[swapped] + word[swapped + 2 :]
        elif slip < 0.22:
            words[place] = word.capitalize()
    return ", ".join(words) + str(rng.choice(["", ".", "!", "..."], p=[0.88, 0.06, 0.03, 0.03]))


def give_opinion(point: Array, rater: Rater, shares: Array, rng: np.random.Generator) -> Opinion:
    """Let ``rater`` hear an emotion ``point`` [3] and write down labels, attributes, comments."""
    heard = point + rater.bias + rng.normal(0, 0.15, 3)
    chances = near(heard, POINTS, 0.3) * shares
    chances /= chances.sum()
    first, second = np.argsort(-chances)[:2]
    label = str(rng.choice(LABELS, p=chances))
    labels: tuple[str, ...] = (label,)
    if rng.random() < 0.03:
        labels = ("Other",)
    elif chances[second] > 0.2 and rng.random() < rater.several:
        labels = (LABELS[first], LABELS[second])
    elif rng.random() < 0.01:
        labels = ("",)
    comments = [
        write_comment(heard, rng) if rng.random() < chance else ""
        for chance in (0.9 if labels == ("Other",) else rater.chatty, rater.chatty / 2)
    ]
    values = np.clip(np.rint(3 + 2 * heard + rng.normal(0, 0.3, 3)), 1, 5)
    return Opinion(rater, labels, comments[0], tuple(int(v) for v in values), comments[1])


def vote(opinions: Sequence[Opinion]) -> str:
    """Give the code of the label that more than half of the observers name, else ``xxx``."""
    observers = [o for o in opinions if o.rater.name.startswith("E")]
    votes = Counter(label for o in observers for label in set(o.labels) if label)
    (label, most), (_, next_most) = [*votes.most_common(2), ("", 0), ("", 0)][:2]
    return CODES[label] if 2 * most > len(observers) and most > next_most else "xxx"


# ---- what is said ------------------------------------------------------------------------------


def plan_session(cast: Cast, turns: int, seed: np.random.SeedSequence) -> list[Utterance]:
    """Plan a session's utterances, in dialogs of ``turns`` turns.

    Plans are drawn until each of the four classes that is meant has a majority on some utterance:
    a fold without one of them could be neither trained nor tested on.
    """
    meant = {CODES[label] for label, share in zip(LABELS, cast.shares, strict=True) if share}
    places = list(itertools.product(DIALOGS, range(turns)))
    # as even as can be: the emotions at evenly spaced quantiles, in random order
    quantiles = (np.arange(len(places)) + 0.5) / len(places)
    emotions = np.searchsorted(np.cumsum(cast.shares), quantiles)
    while True:
        (own,) = seed.spawn(1)
        drawn = np.random.default_rng(own).permutation(emotions)
        utterances = [
            draw_utterance(cast, *place, POINTS[emotion], np.random.default_rng(child))
            for place, emotion, child in zip(places, drawn, own.spawn(len(places)), strict=True)
        ]
        if cast.session == 1:
            utterances = add_oddities(utterances)
        codes = {vote(utterance.opinions) for utterance in utterances}
        if all(codes & wanted for wanted in CLASSES if wanted & meant):
            return utterances


def draw_utterance(
    cast: Cast, dialog: str, turn: int, meant: Array, rng: np.random.Generator
) -> Utterance:
    """Draw the turn of a dialog in which the point ``meant`` [3] is meant, a blend or not."""
    sex = "FM"[(turn + (dialog[0] == "M")) % 2]  # in turns; who wears the markers begins
    other = POINTS[rng.choice(len(POINTS), p=cast.shares)]
    point = meant + 0.6 * rng.beta(1, 2) * (other - meant) + rng.normal(0, 0.08, 3)
    raters = [*cast.observers]
    if "impro" in dialog:
        raters.append(cast.selves[sex])
    first, *others = (give_opinion(point, rater, cast.shares, rng) for rater in raters)
    # two of the observers give attributes
    opinions = (replace(first, attributes=()), *others)
    dialog = f"Ses{cast.session:02d}{dialog}"
    return Utterance(f"{dialog}_{sex}{turn // 2:03d}", dialog, sex, point, opinions, rng)


def add_oddities(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Put in what is odd in the real corpus: ``Other; ;``, ``;``, ``dom ;``, latin-1, 6 of 5."""
    oddities: tuple[dict[str, Any], ...] = (
        {"labels": ("Other", "")},
        {"labels": ("",)},
        {"attributes": (3, 2, None)},
        {"comment": "blasé"},
        {"attributes": (6, 6, 3)},
    )
    odd = list(utterances)
    for place, oddity in enumerate(oddities):
        first, second, *others = odd[place].opinions
        odd[place] = replace(odd[place], opinions=(first, replace(second, **oddity), *others))
    return odd


# ---- files -------------------------------------------------------------------------------------


def format_block(utterance: Utterance, start: float, end: float) -> str:
    """Write an utterance's block of an EmoEvaluation file; times in seconds."""
    categorical, attribute, given = [], [], []
    for opinion in utterance.opinions:
        rater, labels = opinion.rater.name, "; ".join(opinion.labels)
        categorical.append(f"C-{rater}:\t{labels};\t({opinion.comment})")
        if opinion.attributes:
            val, act, dom = opinion.attributes
            values = f"val {val}; act {act}; dom " + (f" {dom};" if dom else ";")
            attribute.append(f"A-{rater}:\t{values}\t({opinion.attribute_comment})")
            if rater.startswith("E"):
                given.append(opinion.attributes)
    means = (np.mean([v for v in column if v is not None]) for column in zip(*given, strict=True))
    points = ", ".join(f"{mean:.4f}" for mean in means)
    header = f"[{start:.4f} - {end:.4f}]\t{utterance.name}\t{vote(utterance.opinions)}\t[{points}]"
    return "\n".join([header, *categorical, *attribute]) + "\n\n"


def write_dialog(folder: Path, utterances: Sequence[Utterance], cast: Cast) -> None:
    """Synthesise one dialog and write its wavs and its EmoEvaluation file into a session."""
    dialog = utterances[0].dialog
    wavs = folder / "sentences" / "wav" / dialog
    wavs.mkdir(parents=True)
    blocks, clock = {}, 0.0
    for utterance in utterances:
        signal = synthesise(utterance.point, cast.voices[utterance.sex], utterance.rng)
        soundfile.write(wavs / f"{utterance.name}.wav", signal, RATE, subtype="PCM_16")
        start = clock + utterance.rng.uniform(0.2, 1.5)
        clock = start + len(signal) / RATE
        blocks[utterance.name] = format_block(utterance, start, clock)
    evaluations = folder / "dialog" / "EmoEvaluation"
    evaluations.mkdir(parents=True, exist_ok=True)
    # as in IEMOCAP: by name, hers first
    text = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
    text += "".join(blocks[name] for name in sorted(blocks))
    (evaluations / f"{dialog}.txt").write_bytes(text.encode("latin-1"))


def write_decoys(folder: Path, dialog: str) -> None:
    """Write the files beside a session's EmoEvaluation files that are not to be read."""
    turn = f"{dialog}_F000"
    decoys = {
        f"Categorical/{dialog}_e2_cat.txt": f"{turn} :Disgust; ()\n".encode(),
        f"Attribute/{dialog}_e3_atr.txt": f"{turn} :act 5; :val 1; :dom  5; ()\n".encode(),
        f"Self-evaluation/{dialog}_f1_cat.txt": f"{turn} :Disgust; ()\n".encode(),
        # what macOS leaves beside a file on a foreign disk: an AppleDouble header
        f"._{dialog}.txt": b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \xff\xfe\x00\x91",
    }
    for name, content in decoys.items():
        path = folder / "dialog" / "EmoEvaluation" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
