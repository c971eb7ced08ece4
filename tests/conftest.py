"""What several tests use: the embedded word space, a tiny dataset's results."""

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
import torch

from emoword import cli
from emoword.spaces.word_space import WordSpace
from small_results import Small

torch.set_num_threads(1)  # the tests run side by side
hypothesis.settings.register_profile(
    "emoword",
    deadline=None,  # the machine is shared
    max_examples=int(os.environ.get("EMOWORD_EXAMPLES", "40")),
    # the same examples each time: a red run can be run again
    derandomize="EMOWORD_EXAMPLES" not in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("emoword")


@pytest.fixture(scope="session")
def embedded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("space") / "embedded"
    cli.main(["space", "--format", "embedded", "--out", str(folder)])
    return folder


@pytest.fixture(scope="session")
def embedded(embedded_folder: Path) -> WordSpace:
    return WordSpace.open(embedded_folder)


@pytest.fixture
def fails(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run ``emoword`` with arguments that are wrong; returns its one line."""

    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(argument) for argument in arguments])
        capsys.readouterr()
        message = str(stopped.value.code)
        assert "\n" not in message
        return message

    return run


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, embedded_folder: Path) -> Small:
    """A tiny dataset's results, without runs; not to be changed."""
    return Small.make(tmp_path_factory.mktemp("small"), embedded_folder)


@pytest.fixture(scope="session")
def sized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of 120 utterances and two seeds, of which nothing was trained; not to be changed."""
    from page_at_size import make

    return make(tmp_path_factory.mktemp("sized"), 120, 2, ["lc", "mse"]).parent
