"""Where a training stands after an epoch, in one file: killed and started again, it resumes.

All that is random in an epoch depends on the seed and the epoch's number alone, so that a run that
was killed ends with the same bytes as one that was not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from emoword.io.files import replacing
from emoword.training.network import Network
from emoword.training.optimiser import OneCycleAdam


@dataclass
class Progress:
    """What has happened so far.

    Attributes:
        best_weights: of the best epoch.
        best_loss: its validation loss, or minus what is watched in its place.
        best_epoch: that epoch; 0 before the first.
        rows: of history.csv, one an epoch.
    """

    best_weights: dict[str, Tensor]
    best_loss: float = float("inf")
    best_epoch: int = 0
    rows: list[tuple[float, ...]] = field(default_factory=list)


def save(
    path: Path,
    name: str,
    progress: Progress,
    network: Network | None = None,
    optimiser: OneCycleAdam | None = None,
) -> None:
    """Write the state after an epoch, whole or not at all.

    After the last one the best weights are enough, a quarter of the size: no network, no optimiser.
    """
    tensors = {f"best.{key}": value for key, value in progress.best_weights.items()}
    values: Mapping[str, Any] = {}
    if network and optimiser:
        moments, values = optimiser.state()
        tensors |= {f"network.{key}": value for key, value in network.state_dict().items()}
        tensors |= {f"optimiser.{key}": value for key, value in moments.items()}
    state = {
        "optimiser": values,
        "best_loss": progress.best_loss,
        "best_epoch": progress.best_epoch,
        "rows": progress.rows,
    }
    own = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    with replacing(path) as made:
        save_file(own, made, {"fingerprint": name, "state": json.dumps(state)})


def restore(path: Path, name: str, network: Network, optimiser: OneCycleAdam) -> Progress | None:
    """Put network and optimiser where a checkpoint of the same training left them.

    Returns:
        The progress so far; None if there is no such checkpoint, or one of another training.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about: Mapping[str, str] = file.metadata() or {}
            if about.get("fingerprint") != name:
                return None
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  no dict
    except (FileNotFoundError, SafetensorError):
        return None
    state = json.loads(about["state"])
    device = network.input_mean.device
    unfinished = under("network.", tensors)  # nothing after the last epoch
    if unfinished:
        network.load_state_dict(unfinished)
        optimiser.load(under("optimiser.", tensors), state["optimiser"])
    best = {key: value.to(device) for key, value in under("best.", tensors).items()}
    rows = [tuple(row) for row in state["rows"]]
    return Progress(best, state["best_loss"], state["best_epoch"], rows)


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, without it."""
    return {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}
