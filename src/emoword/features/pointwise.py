"""Linear layers of a large network computed as convolutions of width 1, on AMD's processors.

In float32 torch hands a linear layer to MKL, which on AMD's processors reaches less than half of
what oneDNN does; oneDNN is what computes convolutions. On Intel's it would cost 5%. The results
differ in the order of the sums. benchmarks/README.md says what it gains.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from emoword.features.device import processor


class PointwiseConvolution(nn.Module):
    """What ``nn.Linear`` is, with its very parameters."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.weight = linear.weight
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        """Float32 [..., inputs] -> [..., outputs]: one image whose pixels are the rows of x."""
        rows = x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)
        made = functional.conv2d(rows, self.weight[:, :, None, None], self.bias)
        return made.permute(0, 2, 3, 1).reshape(*x.shape[:-1], -1)


def pays(device: torch.device, precision: str) -> bool:
    """Whether it is faster here: hangs on the vendor alone, so on one machine it is always so."""
    return device.type == "cpu" and precision == "float32" and "AuthenticAMD" in processor()


def replace_linear(network: nn.Module) -> None:
    """Put a `PointwiseConvolution` in the place of each linear layer within ``network``."""
    for module in list(network.modules()):
        for name, inner in list(module.named_children()):
            if isinstance(inner, nn.Linear):
                setattr(module, name, PointwiseConvolution(inner))
