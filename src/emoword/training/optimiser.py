"""Adam with the OneCycle schedule (paper, section 4.3; Smith and Topin 2019), both torch's."""

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import Adam, AdamW
from torch.optim.lr_scheduler import OneCycleLR

from emoword.settings import TrainingSettings


class OneCycleAdam:
    """Adam (or AdamW) whose learning rate and first beta follow one cycle, and then stay.

    Args:
        parameters: of the network.
        chosen: learning_rate (the highest), cycle, optimiser.
        steps: that the whole training may take; the cycle is planned over a share of them.
    """

    def __init__(
        self, parameters: Iterable[Parameter], chosen: TrainingSettings, steps: int
    ) -> None:
        kind = AdamW if chosen.optimiser == "adamw" else Adam  # weight decay: torch's .01 and 0
        self.adam = kind(parameters, chosen.learning_rate, fused=True)
        planned = max(round(chosen.cycle * steps), 2)
        self.schedule = OneCycleLR(self.adam, chosen.learning_rate, total_steps=planned)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step, or of the last when all are taken."""
        return float(self.adam.param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self.adam.zero_grad()

    def step(self) -> None:
        """Take one step along the gradients."""
        self.adam.step()
        if self.schedule.last_epoch + 1 < self.schedule.total_steps:
            self.schedule.step()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What a checkpoint keeps: tensors by name, and what JSON can hold."""
        state = self.adam.state_dict()
        tensors: dict[str, Tensor] = {}
        for row, own in state["state"].items():
            tensors |= {f"{row}.{name}": value for name, value in own.items()}
        return tensors, {"groups": state["param_groups"], "schedule": self.schedule.state_dict()}

    def load(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Go back to a state that `state` gave."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            row, name = key.split(".")
            state.setdefault(int(row), {})[name] = value
        self.adam.load_state_dict({"state": state, "param_groups": values["groups"]})
        self.schedule.load_state_dict(dict(values["schedule"]))
