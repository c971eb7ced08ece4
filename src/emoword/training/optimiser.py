"""Adam with the OneCycle schedule (paper, section 4.3; Smith and Topin 2019).

The same numbers as ``torch.optim.Adam`` (with weight decay: ``AdamW``) under
``torch.optim.lr_scheduler.OneCycleLR`` (a test holds them to that), from torch's own functional
forms. The classes are not used because their first
step imports torch's compiler, which costs each of a corpus's hundreds of trainings seconds.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw

# OneCycleLR's defaults: the rate climbs over the first 30% of the steps from 1/25 of the highest,
# then falls to 1/10,000 of where it began; beta1 goes the other way.
CLIMB = 0.3
START = 1 / 25
END = START / 1e4
BETA1 = (0.85, 0.95)
BETA2 = 0.999
EPSILON = 1e-8
WEIGHT_DECAY = 0.01  # torch's default for AdamW


def one_cycle(step: int, steps: int, highest: float) -> tuple[float, float]:
    """Learning rate and beta1 of a step (0 .. steps - 1)."""
    top = CLIMB * steps - 1
    if step <= top:
        share, ends, betas = step / top, (START, 1.0), (BETA1[1], BETA1[0])
    else:
        share, ends, betas = (step - top) / (steps - 1 - top), (1.0, END), BETA1
    return highest * cosine_between(*ends, share), cosine_between(*betas, share)


def cosine_between(start: float, end: float, share: float) -> float:
    """Go from ``start`` to ``end`` along half a cosine, as ``share`` goes from 0 to 1."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


class OneCycleAdam:
    """Adam whose learning rate and beta1 follow one cycle over ``steps`` steps, and then stay.

    With ``decay``, AdamW (Loshchilov and Hutter 2019).
    """

    def __init__(
        self, parameters: Iterable[Tensor], highest: float, steps: int, decay: float = 0.0
    ) -> None:
        self.parameters = [p for p in parameters if p.requires_grad]
        self.highest = highest
        self.steps = steps
        self.decay = decay
        self.step_number = 0
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.counts = [torch.zeros((), device=p.device) for p in self.parameters]

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, or of the last when all are taken."""
        return one_cycle(min(self.step_number, self.steps - 1), self.steps, self.highest)[0]

    def tensors(self) -> dict[str, Tensor]:
        """The state that a checkpoint keeps, beside ``step_number``."""
        kinds = {"mean": self.means, "square": self.squares, "count": self.counts}
        return {f"{kind}.{i}": t for kind, own in kinds.items() for i, t in enumerate(own)}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take one step along the gradients; each parameter must have one."""
        step = min(self.step_number, self.steps - 1)
        rate, beta1 = one_cycle(step, self.steps, self.highest)
        gradients = [p.grad for p in self.parameters]
        update = adamw if self.decay else adam
        update(
            self.parameters,
            [g for g in gradients if g is not None],
            self.means,
            self.squares,
            [],
            self.counts,
            fused=self.parameters[0].device.type in ("cpu", "cuda"),
            amsgrad=False,
            beta1=beta1,
            beta2=BETA2,
            lr=rate,
            weight_decay=self.decay,
            eps=EPSILON,
            maximize=False,
        )
        self.step_number += 1
