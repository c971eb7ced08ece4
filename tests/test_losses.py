"""The losses, by hand, by scipy and by brute force."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine
from scipy.special import gammaln, log_softmax
from scipy.stats import dirichlet_multinomial

from emoword.training.losses import LOSSES, MARGIN, centroids, log_cosh


@given(error=st.floats(-300, 300))
def test_log_cosh_is_log_of_cosh(error: float) -> None:
    got = log_cosh(torch.tensor([error], dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    assert got.item() == pytest.approx(math.log(math.cosh(error)), rel=1e-9, abs=1e-12)


def test_log_cosh_does_not_overflow() -> None:
    got = log_cosh(torch.tensor([1e6]), torch.tensor([0.0]))
    assert got.item() == pytest.approx(1e6 - math.log(2))


def test_losses_by_hand() -> None:
    output, target = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    assert LOSSES["mse"](output, target).item() == pytest.approx((1 + 4) / 2)
    assert LOSSES["mae"](output, target).item() == pytest.approx((1 + 2) / 2)
    by_hand = -math.log(math.exp(2) / (math.exp(1) + math.exp(2)))
    assert LOSSES["ce"](output, torch.tensor([1])).item() == pytest.approx(by_hand, rel=1e-6)
    assert np.isclose(LOSSES["lc"](output, target).item(), np.log(np.cosh([1, 2])).mean())


def test_cosine_loss_is_scipys_distance() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 7, 5))
    got = LOSSES["cosine"](torch.from_numpy(a), torch.from_numpy(b)).item()
    assert got == pytest.approx(np.mean([cosine(x, y) for x, y in zip(a, b, strict=True)]))


@pytest.mark.parametrize("loss", ["soft", "soft_words"])
def test_soft_labels_are_cross_entropy_with_shares(loss: str) -> None:
    logits, shares = np.array([[1.0, 2.0, -1.0]]), np.array([[0.5, 0.25, 0.25]])
    wanted = -(shares * log_softmax(logits, axis=1)).sum()
    got = LOSSES[loss](torch.from_numpy(logits), torch.from_numpy(shares)).item()
    assert got == pytest.approx(wanted)


@given(counts=st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1), seed=st.integers(0, 999))
def test_dirichlet_prior_is_scipys_dirichlet_multinomial(
    counts: list[tuple[int, ...]], seed: int
) -> None:
    logits = np.random.default_rng(seed).normal(scale=3, size=(len(counts), 3))
    wanted = []
    for output, named in zip(logits, np.array(counts), strict=True):
        # of the labels in their order: without how many orders there are
        orders = gammaln(named.sum() + 1) - gammaln(named + 1).sum()
        likely = dirichlet_multinomial.logpmf(named, np.exp(output), named.sum())
        wanted.append(orders - likely)
    given_counts = torch.tensor(counts, dtype=torch.float64)
    got = LOSSES["dirichlet"](torch.from_numpy(logits), given_counts)
    assert got.item() == pytest.approx(np.mean(wanted), rel=1e-7, abs=1e-9)
    single = LOSSES["dirichlet"](torch.from_numpy(logits), torch.from_numpy(logits) * 0)
    assert single.item() == 0


@given(classes=st.lists(st.integers(0, 2), min_size=1, max_size=9), seed=st.integers(0, 999))
def test_triplet_loss_is_the_mean_over_all_triplets(classes: list[int], seed: int) -> None:
    outputs = np.random.default_rng(seed).normal(size=(len(classes), 3))
    units = outputs / np.linalg.norm(outputs, axis=1, keepdims=True)
    terms = []
    for a, p, n in product(range(len(classes)), repeat=3):
        if a != p and classes[a] == classes[p] != classes[n]:
            near, far = ((units[a] - units[i]) ** 2 for i in (p, n))
            terms.append(max(0.0, near.sum() - far.sum() + MARGIN))
    got = LOSSES["triplet"](torch.from_numpy(outputs), torch.tensor(classes)).item()
    assert got == pytest.approx(np.mean(terms) if terms else 0.0, abs=1e-9)


def test_a_batch_without_triplets_teaches_nothing() -> None:
    outputs = torch.randn(4, 3, requires_grad=True)
    LOSSES["triplet"](outputs, torch.tensor([1, 1, 1, 1])).backward()
    assert outputs.grad is not None
    assert not outputs.grad.any()


def test_centroids_are_means_of_directions() -> None:
    outputs = torch.tensor([[2.0, 0.0], [0.0, 3.0], [-1.0, 0.0]])
    got = centroids(outputs, torch.tensor([0, 0, 1]), 2)
    assert got.tolist() == [[0.5, 0.5], [-1.0, 0.0]]
