"""Convolution over time of [batch, time, dim] tensors, shaped so that oneDNN is fast on a CPU.

oneDNN computes it as one of images that are a pixel high and have their channels last in memory, as
frames lie: several times as fast as ``nn.Conv1d``, which takes them first. Two shapes of images are
two to four times slower than the rest (measured with torch 2.13 on AVX-512): some widths, where it
adds the zeros of the padding itself, and in the backward pass those wider than some 500 pixels. So
the padding is added before, and long utterances are cut into windows that overlap by the kernel.
"""

from torch import Tensor
from torch.nn import functional

WIDEST = 256  # frames of a window; all between 100 and 400 do


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None, padding: str) -> Tensor:
    """What ``conv1d`` gives, with time before channels.

    Args:
        x: float [batch, time, inputs].
        weight: float [outputs, inputs, kernel].
        bias: float [outputs].
        padding: ``same`` (zeros, as many frames come out as go in) or ``valid`` (none; kernel - 1
            fewer come out).

    Returns:
        [batch, time, outputs].
    """
    kernel = weight.shape[2]
    left, right = ((kernel - 1) // 2, kernel // 2) if padding == "same" else (0, 0)
    if x.device.type != "cpu":
        return image(functional.pad(x, (0, 0, left, right)), weight, bias)
    time = x.shape[1] + left + right - kernel + 1
    count = -(-time // WIDEST)
    width = -(-time // count)
    x = functional.pad(x, (0, 0, left, right + count * width - time))
    if count > 1:
        windows = x.unfold(1, width + kernel - 1, width)  # [batch, count, inputs, width + ...]
        x = windows.transpose(2, 3).flatten(0, 1)
    made = image(x, weight, bias)
    return made.reshape(-1, count * width, made.shape[2])[:, :time]


def image(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Without padding, as images [batch, inputs, 1, time] whose channels come last in memory."""
    made = functional.conv2d(x.transpose(1, 2).unsqueeze(2), weight.unsqueeze(2), bias)
    # squeeze and not an index: the gradient of an index would have its channels first
    return made.squeeze(2).transpose(1, 2)
