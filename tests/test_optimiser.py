import subprocess
import sys

import pytest
import torch
from torch import nn

from emoword.training.optimiser import OneCycleAdam, one_cycle


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize(("steps", "highest"), [(10, 2e-3), (57, 0.1), (4, 1.0)])
def test_the_same_as_torchs_classes(steps: int, highest: float, decay: float) -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    kind = torch.optim.AdamW if decay else torch.optim.Adam
    adam = kind(theirs.parameters(), lr=highest, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, highest, total_steps=steps)
    optimiser = OneCycleAdam(ours.parameters(), highest, steps, decay)
    for step in range(steps):
        assert optimiser.learning_rate == pytest.approx(schedule.get_last_lr()[0], rel=1e-12)
        assert one_cycle(step, steps, highest)[1] == pytest.approx(
            adam.param_groups[0]["betas"][0], rel=1e-12
        )
        x = torch.randn(8, 5)
        for network, zero in ((ours, optimiser.zero_grad), (theirs, adam.zero_grad)):
            zero()
            (network(x) ** 2).mean().backward()
        optimiser.step()
        adam.step()
        if step < steps - 1:
            schedule.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


def test_after_the_cycle_the_rate_stays_low() -> None:
    layer = nn.Linear(1, 1)
    optimiser = OneCycleAdam(layer.parameters(), 0.1, 4)
    for _ in range(9):
        layer(torch.ones(1, 1)).sum().backward()
        optimiser.step()
    assert optimiser.learning_rate == pytest.approx(0.1 / 25 / 1e4)


def test_the_compiler_stays_unimported() -> None:
    """What the module exists for; if torch changes, go back to its classes."""
    program = """
import sys, torch
from emoword.training.optimiser import OneCycleAdam
layer = torch.nn.Linear(2, 2)
optimiser = OneCycleAdam(layer.parameters(), 0.1, 10)
layer(torch.ones(1, 2)).sum().backward()
optimiser.step()
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
