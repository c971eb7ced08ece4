"""CREMA-D and Emozionalmente: their votes -> tables -> S1, S2, counted here by plain csv code."""

import csv
import gzip
import json
import math
import os
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emoword import cli, layout
from emoword.layout import LabelSetSettings
from emoword.pipeline import Plan
from emoword.settings import LabelSet, LabelSettings, read_config

ROOT = Path(__file__).parents[1]
# the release's file, if it is here: the environment variable says where
VOTES = Path(os.environ.get("CREMA_D_VOTES", ROOT / "data/crema-d/tabulatedVotes.csv.gz"))
EMOTIONS = ["anger", "disgust", "fear", "happiness", "neutral", "sadness"]
HEADER = '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote"\n'


def example(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does; it needs no package."""
    command = [sys.executable, "-S", str(ROOT / f"examples/{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(folder: Path, folds: int) -> Path:
    """The reader's tables of what an example wrote."""
    tables = [str(folder / f"{name}.csv") for name in ("recordings", "annotations")]
    options = ["--annotations-table", tables[1], "--folds", str(folds)]
    cli.main(["read-recordings", tables[0], *options, "--out", str(folder / "read")])
    return folder / "read"


def label_set(folder: Path, name: LabelSet, classes: list[str], space: Path) -> dict[str, Any]:
    """A label set of the reader's tables: its summary, and `words`: utterance -> counts."""
    made_by = LabelSetSettings(
        label_set=name, labels=LabelSettings(classes=tuple(classes)), space="embedded"
    )
    (folder / "settings.json").write_text(layout.as_json(made_by))
    tables = [f"--{kind}={folder / kind}.csv" for kind in ("utterances", "annotations")]
    out = folder / name
    command = ["label-set", str(folder / "settings.json"), *tables, "--space", str(space)]
    cli.main([*command, "--out", str(out)])
    words: dict[str, dict[str, int]] = defaultdict(dict)
    with (out / "words.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            words[row["utterance"]][row["word"]] = int(row["count"])
    return {**json.loads((out / "summary.json").read_text()), "words": words}


def counted(votes: Path) -> dict[str, dict[str, int]]:
    """Clip -> votes of the voice alone by emotion, from the release's table."""
    with gzip.open(votes, "rt") if votes.suffix == ".gz" else votes.open() as file:
        return {
            row["fileName"]: {e: n for e in EMOTIONS if (n := int(row[e[0].upper()]))}
            for row in csv.DictReader(file)
            if row[""][0] == "1"
        }


def mixtures(votes: list[dict[str, int]]) -> int:
    """How many different proportions there are."""
    return len(
        {tuple(sorted((e, n // math.gcd(*own.values())) for e, n in own.items())) for own in votes}
    )


def clips(folder: Path, votes: Path) -> Path:
    """The clips of a table of votes, as files without sound, which the reader does not open."""
    folder.mkdir()
    for name in counted(votes):
        (folder / f"{name}.wav").touch()
    return folder


def test_votes_in_crema_ds_format(tmp_path: Path, embedded_folder: Path) -> None:
    votes = tmp_path / "tabulatedVotes.csv"
    rows = [  # made up, in the release's columns
        '"100001",0,0,0,1,3,0,"1001_IEO_NEU_XX",4,0.75,"N"',
        '"100002",2,2,0,0,0,0,"1002_IEO_ANG_HI",4,0.5,"A:D"',
        '"100003",0,4,0,0,0,4,"1003_IEO_DIS_LO",8,0.5,"D:S"',
        '"100004",0,0,6,0,0,0,"1001_DFA_FEA_MD",6,1,"F"',
        '"100005",0,0,1,2,0,0,"1002_DFA_HAP_XX",3,0.67,"H"',
        '"100006",0,0,0,0,1,5,"1003_DFA_SAD_XX",6,0.83,"S"',
        '"100007",0,0,0,0,0,5,"1076_MTI_SAD_XX",5,1,"S"',
        '"200001",9,0,0,0,0,0,"1001_IEO_NEU_XX",9,1,"A"',  # of the face
        '"300001",0,9,0,0,0,0,"1001_IEO_NEU_XX",9,1,"D"',  # of both
    ]
    votes.write_text(HEADER + "\n".join(rows) + "\n")
    audio, out = clips(tmp_path / "AudioWAV", votes), tmp_path / "crema-d"
    done = example("crema_d", "--votes", votes, "--audio", audio, "--out", out)
    assert done.stdout.splitlines() == [
        f"{out}: 6 recordings of 3 speakers, 31 votes",
        "left out: 1076_MTI_SAD_XX: the release says that it has no audio",
    ], done.stderr
    found = read(out, 3)
    with (found / "utterances.csv").open(newline="") as file:
        meant = {row["utterance"]: (row["speaker"], row["label"]) for row in csv.DictReader(file)}
    assert meant["1002_IEO_ANG_HI"] == ("1002", "anger")
    assert meant["1001_DFA_FEA_MD"] == ("1001", "fear")
    s1, s2 = (label_set(found, name, EMOTIONS, embedded_folder) for name in ("S1", "S2"))
    assert s1["utterances"] == 6
    assert s2["words"]["1001_IEO_NEU_XX"] == {"happiness": 1, "neutral": 3}
    assert s2["words"]["1003_IEO_DIS_LO"] == {"disgust": 4, "sadness": 4}
    assert (s2["utterances_with_words"], s2["distinct_targets"]) == (6, 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no column '': not CREMA-D's tabulatedVotes.csv"),
        (HEADER + '"1",0,0,0,0,1,0,"1001.wav",1,1,"N"\n', ":2: '1001.wav': not a clip"),
        (HEADER + '"1",0,0,0,0,x,0,"1001_IEO_NEU_XX",1,1,"N"\n', ":2: '1001_IEO_NEU_XX': not a"),
    ],
)
def test_other_votes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    options = ("--votes", tmp_path / "v.csv", "--audio", tmp_path, "--out", tmp_path / "out")
    done = example("crema_d", *options)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not VOTES.is_file(), reason="CREMA-D's votes are not here (CREMA_D_VOTES)")
def test_the_real_votes_of_crema_d(tmp_path: Path, embedded_folder: Path) -> None:
    votes = counted(VOTES)
    assert len(votes) == 7442
    assert sum(sum(own.values()) for own in votes.values()) == 68_568
    assert mixtures(list(votes.values())) == 2370
    out = tmp_path / "crema-d"
    audio = clips(tmp_path / "AudioWAV", VOTES)
    done = example("crema_d", "--votes", VOTES, "--audio", audio, "--out", out)
    assert done.returncode == 0, done.stderr
    silent = votes.pop("1076_MTI_SAD_XX")
    found = read(out, 5)
    s2 = label_set(found, "S2", EMOTIONS, embedded_folder)
    assert s2["words"] == votes
    assert s2["utterances"] == s2["utterances_with_words"] == 7441
    assert sum(sum(own.values()) for own in votes.values()) == 68_568 - sum(silent.values())
    assert s2["distinct_targets"] == mixtures(list(votes.values()))


def archive(path: Path, samples: str, evaluations: str) -> Path:
    """An archive in Emozionalmente's layout, with made-up rows."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("emozionalmente_dataset/metadata/samples.csv", samples)
        made.writestr("emozionalmente_dataset/metadata/evaluations.csv", evaluations)
        made.writestr("emozionalmente_dataset/metadata/users.csv", "username,gender,age\n")
        for name in ("11.wav", "12.wav", "13.wav"):
            made.writestr(f"emozionalmente_dataset/audio/{name}", name)
    return path


SAMPLES = "file_name,sentence,sentence_language,actor,emotion_expressed\n" + "".join(
    f'{name}.wav,"Sì, grazie",it,{actor},{emotion}\n'
    for name, actor, emotion in ((11, "a", "joy"), (12, "b", "neutrality"), (13, "a", "fear"))
)
HEARD = {11: ["joy", "joy", "surprise"], 12: ["neutrality"] * 3, 13: ["fear", "sadness", "anger"]}
EVALUATIONS = "file_name,evaluator,audio_quality,emotion_recognized\n" + "".join(
    f"{name}.wav,e{i},good,{emotion}\n"
    for name, said in HEARD.items()
    for i, emotion in enumerate(said)
)


def test_emozionalmente(tmp_path: Path, embedded_folder: Path) -> None:
    path = archive(tmp_path / "e.zip", SAMPLES, EVALUATIONS)
    out = tmp_path / "emozionalmente"
    done = example("emozionalmente", "--zip", path, "--out", out)
    assert done.stdout == f"{out}: 3 recordings of 2 speakers, 9 votes\n", done.stderr
    assert "not version 1.1 as published (md5 398c6502dd2b0e1e810f927c12897547)" in done.stderr
    found = read(out, 2)
    with (found / "utterances.csv").open(newline="") as file:
        rows = {row["utterance"]: row for row in csv.DictReader(file)}
    assert [(row["speaker"], row["label"]) for row in rows.values()] == [
        ("a", "joy"), ("b", "neutral"), ("a", "fear")
    ]  # fmt: skip
    assert Path(rows["11"]["wav"]).read_text() == "11.wav"
    s2 = label_set(found, "S2", ["joy", "neutral", "fear"], embedded_folder)
    words = {"joy": "joy", "neutrality": "neutral"}
    assert s2["words"] == {
        str(name): dict(Counter(words.get(emotion, emotion) for emotion in said))
        for name, said in HEARD.items()
    }


@pytest.mark.parametrize(
    ("samples", "evaluations", "message"),
    [
        (SAMPLES.replace("actor", "who"), EVALUATIONS, "samples.csv: no column 'actor'"),
        (SAMPLES, EVALUATIONS.replace("joy", "gioia"), "row 1: unknown emotion 'gioia'"),
        (SAMPLES, EVALUATIONS.replace("11.wav", "9.wav"), "'9.wav' is not in samples.csv"),
        (SAMPLES.replace("13.wav", "9.wav"), EVALUATIONS.partition("13.wav")[0],
         "13.wav': not in metadata/samples.csv"),
    ],
)  # fmt: skip
def test_another_archive_is_refused(
    tmp_path: Path, samples: str, evaluations: str, message: str
) -> None:
    path = archive(tmp_path / "e.zip", samples, evaluations)
    done = example("emozionalmente", "--zip", path, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert message in done.stderr
    assert [own.name for own in tmp_path.iterdir()] == ["e.zip"]


def synthesised(folder: Path, most_heard: Mapping[str, str]) -> Path:
    """Half a second a clip, in noise, of a pitch that its listeners' most frequent emotion has."""
    folder.mkdir()
    random = np.random.default_rng(0)
    time = np.arange(8000) / 16_000
    for name, emotion in most_heard.items():
        pitch = 200 * 2 ** EMOTIONS.index(emotion) * random.uniform(0.95, 1.05)
        sound = 0.3 * np.sin(2 * np.pi * pitch * time) + 0.02 * random.normal(size=len(time))
        soundfile.write(folder / f"{name}.wav", sound, 16_000)
    return folder


def votes_of_few(path: Path) -> Path:
    """Six actors' clips of one sentence: the real votes if they are here, else made up."""
    text = [HEADER.strip()]
    if VOTES.is_file():
        with gzip.open(VOTES, "rt") if VOTES.suffix == ".gz" else VOTES.open() as file:
            rows = list(csv.DictReader(file))
        kept = [row for row in rows if row[""][0] == "1" and row["fileName"][:4] < "1007"]
        columns = ["", *"ADFHNS", "fileName", "numResponses", "agreement", "emoVote"]
        text += [
            ",".join(row[name] for name in columns) for row in kept if "IEO" in row["fileName"]
        ]
    else:
        random = np.random.default_rng(0)
        for i, (actor, code) in enumerate(product(range(1001, 1007), ("ANG", "HAP", "NEU", "SAD"))):
            for level in ("LO", "MD", "HI"):
                votes = random.multinomial(9, random.dirichlet(np.full(6, 0.5)))
                said = ",".join(map(str, votes))
                text.append(f"1{i:05},{said},{actor}_IEO_{code}_{level},9,1,X")
    path.write_text("\n".join(text) + "\n")
    return path


def test_from_votes_to_tables(
    tmp_path: Path, embedded_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Synthesised audio for votes: the commands of the workflow, through S1 and S2 to Table A6."""
    monkeypatch.chdir(tmp_path)
    votes = counted(votes_of_few(tmp_path / "votes.csv"))
    synthesised(
        tmp_path / "wav", {name: max(own, key=own.__getitem__) for name, own in votes.items()}
    )
    done = example("crema_d", "--votes", "votes.csv", "--audio", "wav", "--out", "data")
    assert done.returncode == 0, done.stderr
    with Path("data/recordings.csv").open(newline="") as file:
        meant = {row["label"] for row in csv.DictReader(file)}
    small = {
        "channels": [8],
        "kernels": [3],
        "pools": [2],
        "lstm": 4,
        "lstm_layers": 1,
        "hidden": [8],
    }
    own: dict[str, Any] = {
        "kind": "recordings", "table": "data/recordings.csv",
        "annotations_table": "data/annotations.csv", "folds": 2, "seeds": [0],
        "settings": {
            "space": "embedded", "upstream": "logmel", "label_sets": ["S1", "S2"],
            "losses": ["lc"], "labels": {"classes": sorted(meant)}, "network": small,
            "training": {"epochs": 5, "baseline_learning_rate": 2.0e-3, "batch_size": 8},
        },
    }  # fmt: skip
    values = {"dataset": "crema_d", "datasets": {"crema_d": own}}
    values |= {"spaces": {"embedded": {"format": "embedded"}}}
    config = read_config({**values, "upstreams": {"logmel": {"kind": "logmel", "mels": 20}}})
    Path("results/spaces").mkdir(parents=True)
    Path("results/spaces/embedded").symlink_to(embedded_folder)
    Path("paper").symlink_to(ROOT / "paper")
    plan = Plan(config, corpus="data")
    for name, text in plan.written().items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    wanted = ("read-recordings", "label-set", "encode", "decide", "neighbours", "temperature")
    for step in plan.steps():
        if step.name in wanted or step.name in (
            "evaluate",
            "linear",
            "intervals",
            "table",
            "raters",
        ):
            if step.name == "decide":
                train_all(plan)
            cli.run(step.name, step.words)
    s2 = json.loads(next(Path("results/crema_d/targets").glob("S2-*/summary.json")).read_text())
    assert s2["words"] == sum(sum(own.values()) for own in votes.values())
    assert s2["distinct_targets"] == mixtures(list(votes.values()))
    with Path("results/crema_d/tables/table3.csv").open(newline="") as file:
        similarities = {row["model"]: row for row in csv.DictReader(file)}
    with Path("results/crema_d/tables/tableA6.csv").open(newline="") as file:
        rows = {(row["against"][8:11], row["who"]): row for row in csv.DictReader(file)}
    assert {who for _, who in rows} == {"a rater", "M1 LC", "M2 LC", "baseline CE"}
    for model in ("M1", "M2"):
        assert float(rows["all", f"{model} LC"]["S2 cosine"]) == pytest.approx(
            float(similarities[model]["S2"]), abs=1e-7
        )
    assert 0 < float(rows["the", "a rater"]["S2 cosine"]) < 1


def train_all(plan: Plan) -> None:
    """Frames, and every run: what a plan leaves to the workflow."""
    own, root = plan.first, "results/crema_d"
    utterances = ["--utterances", f"{root}/utterances.csv"]
    made = f"{root}/{own.features}"
    cli.run(
        "features", ["features", f"{made}/settings.json", *utterances, "--out", f"{made}/shard1of1"]
    )
    for model in own.models:
        for fold in ("1", "2"):
            folders = {"truth": own.targets["S1"], "targets": own.targets[model.label_set]}
            folders |= {"vectors": own.vectors[model.label_set], "features": own.features}
            options = [
                word for key, place in folders.items() for word in (f"--{key}", f"{root}/{place}")
            ]
            out = f"{root}/{model.folder}/fold{fold}-seed0"
            command = ["train", f"{root}/{model.folder}/settings.json", *utterances, *options]
            cli.run("train", [*command, "--fold", fold, "--out", out])
