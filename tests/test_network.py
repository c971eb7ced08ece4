"""The network: what it gives is torch's, whatever the padding, and what Figure 1 says."""

from typing import Literal

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emoword.settings import NetworkSettings
from emoword.training.network import (
    BidirectionalLSTM,
    Convolution,
    Network,
    convolve,
    frames_needed,
    masked_mean,
)

SMALL = NetworkSettings(channels=(6, 8, 8), kernels=(15, 5, 3), lstm=4, hidden=(9, 9))


def network(shape: NetworkSettings = SMALL, standardise: str = "run") -> Network:
    torch.manual_seed(1)
    return Network(5, 7, shape, standardise).double().eval()


@given(lengths=st.lists(st.integers(4, 60), min_size=1, max_size=5), extra=st.integers(0, 9))
def test_padding_changes_nothing(lengths: list[int], extra: int) -> None:
    frames = [torch.randn(n, 5, dtype=torch.float64) for n in lengths]
    batch = torch.full((len(lengths), max(lengths) + extra, 5), 1e3, dtype=torch.float64)
    for i, utterance in enumerate(frames):
        batch[i, : len(utterance)] = utterance
    for standardise in ("run", "utterance"):
        model = network(standardise=standardise)
        together = model(batch, torch.tensor(lengths))
        alone = [model(u[None], torch.tensor([len(u)]))[0] for u in frames]
        torch.testing.assert_close(together, torch.stack(alone), rtol=1e-9, atol=1e-9)


def test_lstm_equals_torch_bidirectional_over_packed_sequences() -> None:
    torch.manual_seed(0)
    ours = BidirectionalLSTM(3, 4)
    peer = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    weights = ours.forwards.state_dict()
    weights |= {f"{name}_reverse": w for name, w in ours.backwards.state_dict().items()}
    peer.load_state_dict(weights)
    x, lengths = torch.randn(3, 9, 3), torch.tensor([9, 2, 5])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    wanted, _ = pad_packed_sequence(peer(packed)[0], batch_first=True)
    got = ours(x, lengths)
    for i, n in enumerate(lengths):
        torch.testing.assert_close(got[i, :n], wanted[i, :n])


def test_masked_mean_ignores_whatever_is_in_the_padding() -> None:
    x = torch.tensor([[[1.0], [3.0], [float("nan")]], [[1.0], [2.0], [6.0]]])
    assert masked_mean(x, torch.tensor([2, 3]))[:, 0].tolist() == [2.0, 3.0]


def test_the_papers_network_has_the_layers_of_figure_1() -> None:
    model = Network(1024, 300, NetworkSettings())
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters() if "weight" in name}
    convolutions = [s for n, s in shapes.items() if n.startswith("convolutions")]
    assert convolutions == [(96, 1024, 15), (256, 96, 5), (256, 256, 3)]
    recurrent = [s for n, s in shapes.items() if "weight_ih" in n]
    assert recurrent == [(4 * 64, 256)] * 2 + [(4 * 64, 128)] * 2
    connected = [s for n, s in shapes.items() if n.startswith(("dense", "output"))]
    assert connected == [(1024, 128), (1024, 1024), (300, 1024)]


def test_standardising_by_run_is_part_of_the_weights() -> None:
    model = network()
    x, lengths = torch.randn(2, 30, 5).double(), torch.tensor([30, 12])
    plain = model(x, lengths)
    model.input_mean.fill_(3.0)
    model.input_std.fill_(2.0)
    torch.testing.assert_close(model(x * 2 + 3, lengths), plain)


def test_standardising_by_utterance_forgets_offset_and_scale() -> None:
    model = network(standardise="utterance")
    x, lengths = torch.randn(2, 30, 5).double(), torch.tensor([30, 12])
    torch.testing.assert_close(model(x * 5 - 1, lengths), model(x, lengths), rtol=1e-5, atol=1e-6)


def test_without_padding_frames_are_lost_and_batches_change_nothing() -> None:
    shape = msgspec.structs.replace(SMALL, padding="valid")
    model = network(shape)
    # by hand: 1 -> 3 (kernel 3) -> 6 + 4 = 10 (pool 2, kernel 5) -> 20 + 14 = 34
    assert frames_needed(shape) == 34
    assert frames_needed(SMALL) == 4
    x, lengths = torch.randn(3, 60, 5).double(), torch.tensor([60, 34, 47])
    together = model(x, lengths)
    for i, length in enumerate(lengths.tolist()):
        alone = model(x[i : i + 1, :length], lengths[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


def test_bfloat16_is_near_and_its_gradients_are_float32() -> None:
    exact, rounded = (Network(5, 7, SMALL, precision=p).eval() for p in ("float32", "bfloat16"))
    rounded.load_state_dict(exact.state_dict())
    frames, lengths = torch.randn(4, 50, 5), torch.tensor([50, 31, 8, 22])
    wanted, got = exact(frames, lengths), rounded(frames, lengths)
    assert got.dtype == torch.float32
    error = (got - wanted).norm() / wanted.norm()
    assert 1e-5 < error < 0.03  # a mantissa of 8 bits rounds by up to 2**-9 = 0.002, many times
    got.square().mean().backward()
    assert {p.grad.dtype for p in rounded.parameters() if p.grad is not None} == {torch.float32}


@given(
    time=st.integers(8, 700),
    kernel=st.integers(1, 8),
    padding=st.sampled_from(["same", "valid"]),
    bias=st.booleans(),
)
def test_convolution_is_torchs(time: int, kernel: int, padding: str, bias: bool) -> None:
    x = torch.randn(2, time, 3, dtype=torch.float64)
    weight = torch.randn(4, 3, kernel, dtype=torch.float64, requires_grad=True)
    shift = torch.randn(4, dtype=torch.float64, requires_grad=True) if bias else None
    x.requires_grad_()
    wanted = functional.conv1d(x.transpose(1, 2), weight, shift, padding=padding).transpose(1, 2)
    got = convolve(x, weight, shift, padding)
    torch.testing.assert_close(got, wanted)
    towards = torch.randn(wanted.shape, dtype=torch.float64)
    inputs = [x, weight] if shift is None else [x, weight, shift]
    slopes = torch.autograd.grad((got * towards).sum(), inputs)
    wanted_slopes = torch.autograd.grad((wanted * towards).sum(), inputs)
    torch.testing.assert_close(slopes, wanted_slopes)


def test_convolution_and_pooling_are_torchs() -> None:
    layer = Convolution(5, 6, kernel=5, pool=3, padding="same")
    x = torch.randn(2, 22, 5)
    padded = functional.conv1d(
        x.transpose(1, 2), layer.convolution.weight, layer.convolution.bias, padding=2
    )
    pooled = functional.max_pool1d(functional.relu(padded), 3).transpose(1, 2)
    got, lengths = layer(x, torch.tensor([22, 14]))
    torch.testing.assert_close(got[0], pooled[0])
    torch.testing.assert_close(got[1, :4], pooled[1, :4])
    assert lengths.tolist() == [7, 4]
    assert not got[1, 4:].any()


@pytest.mark.parametrize(("where", "after"), [("between", 2 - 1), ("each", 2)])
def test_dropout_of_the_lstms(where: Literal["between", "each"], after: int) -> None:
    """Once for each fully connected layer, and between the two BLSTMs or after each of them."""
    model = Network(5, 7, msgspec.structs.replace(SMALL, lstm_dropout=where)).train()
    widths: list[int] = []
    model.dropout.register_forward_hook(lambda _, given, __: widths.append(given[0].shape[-1]))
    model(torch.randn(2, 40, 5), torch.tensor([40, 30]))
    assert len(SMALL.hidden) == len(widths) - after
    assert widths[:after] == [2 * SMALL.lstm] * after
