"""A run's network with its weights, as training left it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from emoword.io.errors import InputError
from emoword.layout import RunSettings
from emoword.spaces.geometry import cosine
from emoword.training.network import Network

CENTROIDS = "centroids"
Weights = dict[str, Tensor]


def read_weights(path: Path) -> Weights:
    """The tensors of a safetensors file; nothing in it is ever run.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: damaged or cut short ({error}); copy it again") from None


def network_of(made_by: RunSettings, weights: Weights, input_dim: int, of: str) -> Network:
    """The network of a run.

    Args:
        made_by: its settings.
        weights: its tensors.
        input_dim: values a frame.
        of: what errors name: ``the weights of ...``.

    Raises:
        InputError: weights and settings do not fit.
    """
    network = Network(
        input_dim,
        len(weights.get("output.bias", ())),
        made_by.network,
        made_by.training.standardise,
        made_by.training.precision,
    )
    own = {name: tensor for name, tensor in weights.items() if name != CENTROIDS}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        said = " ".join(str(error).split())
        raise InputError(f"{of} do not fit its settings: {said}") from None
    return network


def similar_to_centroids(outputs: NDArray[np.float32], weights: Weights) -> NDArray[np.float32]:
    """What a run predicts: its outputs, or (triplet) their similarity with the classes' centres."""
    if CENTROIDS not in weights:
        return outputs
    centres = weights[CENTROIDS].numpy()
    similar: NDArray[np.float32] = cosine(outputs[:, None], centres).astype(np.float32)
    return similar
