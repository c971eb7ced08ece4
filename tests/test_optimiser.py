"""OneCycleAdam is torch's Adam and OneCycleLR, and resumes where it was stopped."""

import json

import pytest
import torch
from torch import Tensor, nn

from emoword.settings import TrainingSettings
from emoword.training.optimiser import OneCycleAdam

STEPS = 12


def learn(optimiser: OneCycleAdam, network: nn.Linear, steps: range) -> list[float]:
    """Take the steps of these numbers, each on data of its own; returns the rates of each."""
    rates = []
    for step in steps:
        x = torch.randn(8, 5, generator=torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        (network(x) - 1).square().mean().backward()
        rates.append(optimiser.learning_rate)
        optimiser.step()
    return rates


def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(5, 3)


def weights(network: nn.Linear) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def trained(chosen: TrainingSettings) -> Tensor:
    network = layer()
    learn(OneCycleAdam(network.parameters(), chosen, STEPS), network, range(STEPS))
    return weights(network)


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_it_equals_plain_torch(name: str, kind: type[torch.optim.Adam]) -> None:
    network = layer()
    # torch's defaults: AdamW decays, Adam does not
    adam = kind(network.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.1, total_steps=STEPS)
    for step in range(STEPS):
        x = torch.randn(8, 5, generator=torch.Generator().manual_seed(step))
        adam.zero_grad()
        (network(x) - 1).square().mean().backward()
        adam.step()
        if step < STEPS - 1:
            schedule.step()
    ours = trained(TrainingSettings(learning_rate=0.1, optimiser=name))  # type: ignore[arg-type]
    torch.testing.assert_close(ours, weights(network), rtol=1e-5, atol=1e-7)
    other = "adamw" if name == "adam" else "adam"
    different = trained(TrainingSettings(learning_rate=0.1, optimiser=other))  # type: ignore[arg-type]
    assert (ours - different).abs().max() > 1e-4


@pytest.mark.parametrize("stop", [1, 5, STEPS - 1])
def test_resumed_it_takes_the_same_steps(stop: int) -> None:
    chosen = TrainingSettings(learning_rate=0.1, cycle=0.75)
    first = layer()
    optimiser = OneCycleAdam(first.parameters(), chosen, STEPS)
    learn(optimiser, first, range(stop))
    tensors, values = optimiser.state()
    second = layer()
    second.load_state_dict(first.state_dict())
    resumed = OneCycleAdam(second.parameters(), chosen, STEPS)
    kept = {name: tensor.clone() for name, tensor in tensors.items()}
    resumed.load(kept, json.loads(json.dumps(values)))  # a checkpoint keeps it as JSON
    rates = learn(resumed, second, range(stop, STEPS))
    assert torch.equal(weights(second), trained(chosen))
    assert rates == learn(optimiser, first, range(stop, STEPS))


def test_after_a_part_of_the_epochs_the_rate_stays_low() -> None:
    network = layer()
    chosen = TrainingSettings(learning_rate=0.1, cycle=0.5)
    optimiser = OneCycleAdam(network.parameters(), chosen, STEPS)
    rates = learn(optimiser, network, range(STEPS))
    # OneCycle begins with the highest / 25 and ends with that / 1e4 (Smith and Topin; torch)
    assert rates[0] == pytest.approx(0.1 / 25)
    assert max(rates) > 0.08
    assert rates[5:] == pytest.approx([0.1 / 25 / 1e4] * 7)
    assert rates[4] > rates[5]
