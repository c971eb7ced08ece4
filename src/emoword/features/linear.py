"""Linear layers by oneDNN, on AMD's processors.

In float32 torch hands a linear layer to MKL, which on AMD's processors reaches less than half of
what oneDNN does (benchmarks/README.md). On Intel's it would not pay. torch's convolutions, and its
linear layers in bfloat16, are oneDNN's anyway. The results differ in the order of the sums.
"""

from types import MethodType

import torch
from torch import Tensor, nn

from emoword.features.device import processor


def pays(device: torch.device, precision: str) -> bool:
    """Whether it is faster here: hangs on the vendor alone, so on one machine it is always so."""
    there = torch.backends.mkldnn.is_available() and "AuthenticAMD" in processor()
    return there and device.type == "cpu" and precision == "float32"


def use_onednn(network: nn.Module) -> None:
    """Let the linear layers of a network, for inference alone, be computed so."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.forward = MethodType(by_onednn, module)  # type: ignore[method-assign]


def by_onednn(linear: nn.Linear, x: Tensor) -> Tensor:
    """What ``linear(x)`` gives: float32 [..., inputs] -> [..., outputs].

    The operator is the one that torch's compiler chooses; ``none``: nothing is applied after it.
    """
    made: Tensor = torch.ops.mkldnn._linear_pointwise(x, linear.weight, linear.bias, "none", [], "")
    return made
