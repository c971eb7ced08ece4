"""Batches of utterances, what is computed from them, and how they reach a GPU."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoword.layout import run_settings
from emoword.settings import NetworkSettings, Settings, TrainingSettings
from emoword.training.loop import (
    Examples,
    collated,
    in_epochs,
    predict,
    random_batches,
    train_epoch,
)
from emoword.training.network import Network
from emoword.training.optimiser import OneCycleAdam
from emoword.training.split import frame_statistics

SMALL = NetworkSettings(channels=(4, 4, 4), lstm=2, hidden=(4,))


def examples_of(lengths: list[int], dim: int = 2) -> Examples:
    """Random frames that lie one after the other in memory, as in a mapped file."""
    frames = torch.randn(sum(lengths), dim).split(lengths)
    names = [f"u{i}" for i in range(len(lengths))]
    return Examples(names, frames, torch.zeros(len(lengths), 3))


@given(lengths=st.lists(st.integers(1, 99), min_size=1, max_size=200), size=st.integers(1, 40))
def test_batches_hold_everything_once(lengths: list[int], size: int) -> None:
    batches = list(random_batches(np.array(lengths), size, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // size)
    assert max(map(len, batches)) <= size


@given(lengths=st.lists(st.integers(1, 30), min_size=1), size=st.integers(1, 9))
def test_collated_batches_hold_the_frames_of_their_utterances(
    lengths: list[int], size: int
) -> None:
    examples = examples_of(lengths)
    assert examples.lengths.tolist() == lengths
    order = np.random.default_rng(0).permutation(len(lengths))
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    made = list(collated(examples, batches, torch.device("cpu")))
    assert len(made) == len(batches)
    for which, (batch, own) in zip(batches, made, strict=True):
        assert own.tolist() == [lengths[i] for i in which]
        assert batch.shape == (len(which), max(own), 2)
        for i, utterance in zip(which, batch, strict=True):
            assert torch.equal(utterance[: lengths[i]], examples.frames[i])
            assert not utterance[lengths[i] :].any()


def test_collated_batches_are_of_the_stored_type() -> None:
    frames = [torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])]
    examples = Examples(["a", "b"], [clip.half() for clip in frames], torch.zeros(2, 1))
    ((batch, _),) = collated(examples, [np.array([0, 1])], torch.device("cpu"))
    assert batch.dtype == torch.float16
    assert batch.tolist() == [[[3, 4], [0, 0]], [[1, 2], [3, 4]]]


def test_frame_statistics_of_halves_are_exact() -> None:
    frames = (np.random.default_rng(0).normal(100, 3, (400, 3))).astype(np.float16)
    frames[:, 2] = 7
    mean, std = frame_statistics(torch.from_numpy(frames).split([150, 250]))
    exact = frames.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(std, [*exact.std(0)[:2], 1.0], rtol=1e-5)


def test_predictions_come_in_the_order_of_the_examples() -> None:
    torch.manual_seed(0)
    network = Network(2, 3, SMALL)
    examples = examples_of([20, 8, 32])
    together = predict(network, examples, batch_size=2)
    alone = [predict(network, examples.take(np.array([i])), 1)[0] for i in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_frames_stay_where_they_are_without_a_gpu() -> None:
    examples = examples_of([3, 5])
    assert examples.held(torch.device("cpu")) is examples


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_an_epoch_waits_for_the_gpu_once() -> None:
    examples = examples_of([5, 20, 7, 30, 9, 12, 8, 21, 6, 17]).held(torch.device("cuda"))
    assert {frames.device.type for frames in examples.frames} == {"cuda"}
    network = Network(2, 3, SMALL).cuda()
    made_by = run_settings(Settings(training=TrainingSettings(batch_size=4)), "S1", "mse")
    optimiser = OneCycleAdam(network.parameters(), made_by.training, 100)
    train_epoch(network, examples, optimiser, made_by, 0, 1)  # cuDNN finds its kernels
    with warnings.catch_warnings(record=True) as waits:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        train_epoch(network, examples, optimiser, made_by, 0, 2)
        torch.cuda.set_sync_debug_mode("default")
    # the lengths and the targets go there, the losses come back, and at least these are counted
    assert 1 <= len([wait for wait in waits if "synchroniz" in str(wait.message)]) <= 3


@pytest.mark.parametrize(
    ("steps", "utterances", "batch", "epochs", "patience"),
    [(100, 32, 16, 50, 10), (101, 32, 16, 51, 11), (1, 1000, 8, 1, 1), (7, 33, 16, 3, 1)],
)
def test_steps_in_place_of_epochs(
    steps: int, utterances: int, batch: int, epochs: int, patience: int
) -> None:
    chosen = TrainingSettings(steps=steps, batch_size=batch, epochs=9, patience=20)
    found = in_epochs(chosen, utterances)
    assert (found.epochs, found.patience) == (epochs, patience)
    # as many steps as asked for, and no whole epoch more
    batches = -(-utterances // batch)
    assert steps <= found.epochs * batches < steps + batches
    assert in_epochs(found, utterances) == found
