"""The quick half of tests/fault_matrix.py: one kill, a full disk, a cut or changing input."""

import random
from pathlib import Path

import pytest

from auditing import make_results
from fault_matrix import FAULTS, Stage, harm, stages

# `read only` gives rights up, which not every machine's tests may; too little memory can end the
# interpreter itself, in words that are not ours
LEFT_OUT = ("read only", "memory")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results up to their label sets."""
    folder = tmp_path_factory.mktemp("root")
    make_results(folder, trains=False)
    return folder


@pytest.fixture(scope="module", params=["read-iemocap", "label-set"])
def stage(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    (made,) = stages(root, tmp_path_factory.mktemp("work"), [request.param])
    return made


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in LEFT_OUT])
def test_a_command_that_is_harmed_ends_in_a_line_and_runs_again(stage: Stage, fault: str) -> None:
    outcomes = harm(stage, fault, 1, random.Random(0))  # noqa: S311  no secret
    assert stage.findings == []
    assert outcomes[-1] == "same bytes"
