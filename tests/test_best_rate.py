"""Each run at the rate with the lowest validation loss, and not at that with the best test part."""

from pathlib import Path

import pandas as pd
import pytest

from emoword import cli
from emoword.layout import Model
from variant_files import write_variant

# of each rate and fold: the validation losses by epoch, and the class that its runs decide on
LOSSES = {
    "slow": {1: [0.9, 0.5, 0.6], 2: [0.9, 0.8, 0.7]},
    "fast": {1: [0.8, 0.6, 0.6], 2: [0.9, 0.2, 0.9]},
}
DECIDED = {"slow": "anger", "fast": "fear"}


@pytest.fixture
def variants(tmp_path: Path) -> list[str]:
    """Two variants of one model, two folds and a seed; the truth is always fear."""
    (tmp_path / "decisions").mkdir()
    paths = []
    for name, losses in LOSSES.items():
        model = Model(name="M1", label_set="S1", loss="lc", folder=f"runs/{name}")
        paths.append(str(write_variant(tmp_path, name, folds=2, models=[model])))
        rows = []
        for fold, values in losses.items():
            folder = tmp_path / f"runs/{name}/fold{fold}-seed0"
            folder.mkdir(parents=True)
            history = pd.DataFrame({"validation_loss": values})
            history.to_csv(folder / "history.csv", index_label="epoch")
            run = {"variant": name, "model": "M1", "loss": "lc", "fold": fold, "seed": 0}
            for utterance in ("a", "b"):
                decision = {"utterance": f"{utterance}{fold}", "true": "fear"}
                more = {"predicted": DECIDED[name], "cosine_S1": 0.25, "collapsed": 0}
                rows.append({**run, **decision, **more})
        pd.DataFrame(rows).to_csv(tmp_path / f"decisions/{name}.csv", index=False)
    return paths


@pytest.mark.parametrize("order", [1, -1])
def test_each_fold_has_the_rate_that_its_validation_chose(
    variants: list[str], tmp_path: Path, order: int
) -> None:
    out = tmp_path / "best.csv"
    cli.main(["best-rate", *variants[::order], "--out", str(out)])
    best = pd.read_csv(out)
    assert set(best["variant"]) == {"best_rate"}
    rows = set(best[["fold", "utterance", "from", "predicted"]].itertuples(index=False, name=None))
    # in the first fold the test part would have chosen the other one
    assert rows == {
        (1, "a1", "slow", "anger"),
        (1, "b1", "slow", "anger"),
        (2, "a2", "fast", "fear"),
        (2, "b2", "fast", "fear"),
    }
    assert (best["cosine_S1"] == 0.25).all()


def test_a_run_that_is_not_there_is_named(variants: list[str], tmp_path: Path) -> None:
    (tmp_path / "runs/fast/fold2-seed0/history.csv").unlink()
    with pytest.raises(SystemExit, match=r"fold2-seed0/history\.csv: no such file"):
        cli.main(["best-rate", *variants, "--out", str(tmp_path / "best.csv")])
    assert not (tmp_path / "best.csv").exists()
