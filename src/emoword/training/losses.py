"""The losses: the paper's three on word vectors, the baseline's, and those of the controls.

Each takes the network's outputs [n, dim] and their targets (see `emoword.training.targets`), and
gives the mean loss.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

# Of the triplet loss, on squared distances of unit vectors (Schroff et al. 2015, FaceNet)
MARGIN = 0.2


def log_cosh(output: Tensor, target: Tensor) -> Tensor:
    """Mean of log(cosh(error)): like MSE for small errors, like MAE for large ones.

    log cosh x = |x| + log(1 + exp(-2|x|)) - log 2, which does not overflow.
    """
    error = (output - target).abs()
    return (error + functional.softplus(-2 * error) - math.log(2)).mean()


def cosine(output: Tensor, target: Tensor) -> Tensor:
    """Mean of 1 - cosine similarity: what the decision looks at, and nothing of length."""
    return (1 - functional.cosine_similarity(output, target, dim=1)).mean()


def dirichlet(output: Tensor, counts: Tensor) -> Tensor:
    """Negative log likelihood of the raters' labels under a Dirichlet prior of the utterance.

    The labels are draws from a categorical distribution, which is a draw from a Dirichlet with
    parameters alpha = exp(output); with the distribution integrated out (Wu et al. 2022, the
    paper's [22]: without their interpolation with soft labels and their network) their likelihood
    is, for N_k labels of class k and N in all,

        product over k of alpha_k (alpha_k + 1) ... (alpha_k + N_k - 1)
        / (alpha_0 (alpha_0 + 1) ... (alpha_0 + N - 1)),    alpha_0 the sum of alpha.

    Args:
        output: [n, classes]; the mean of the Dirichlet is their softmax.
        counts: how many raters named each class, float [n, classes].
    """
    alpha = output.exp()
    steps = torch.arange(int(counts.sum(1).max()), device=output.device)

    def rising(start: Tensor, number: Tensor) -> Tensor:
        """Sum of the logarithms of start, start + 1, ... (number of them)."""
        inside = steps < number[..., None]
        return torch.where(inside, (start[..., None] + steps).log(), 0.0).sum(-1)

    named = rising(alpha, counts).sum(1)
    return (rising(alpha.sum(1), counts.sum(1)) - named).mean()


def triplet(output: Tensor, classes: Tensor) -> Tensor:
    """Triplet loss of unit vectors, over all triplets of a batch: anchor a, p of its class, n not.

    Mean of max(0, |a - p|^2 - |a - n|^2 + MARGIN); 0 for a batch that has no triplet. Of outputs
    [n, dim] only the direction counts; classes are int64 [n].
    """
    units = functional.normalize(output, dim=1)
    distances = 2 - 2 * units @ units.T
    same = classes[:, None] == classes
    total, count = output.sum() * 0.0, 0
    # by anchors: [p, n] at a time, where all triplets of a validation part would be billions
    for anchor in range(len(output)):
        alike = same[anchor].clone()
        alike[anchor] = False
        near, far = distances[anchor][alike], distances[anchor][~same[anchor]]
        total = total + (near[:, None] - far + MARGIN).clamp(min=0).sum()
        count += len(near) * len(far)
    return total / max(count, 1)


def centroids(output: Tensor, classes: Tensor, count: int) -> Tensor:
    """The mean unit vector of each class: float [count, dim] from [n, dim] and int64 [n]."""
    units = functional.normalize(output, dim=1)
    return torch.stack([units[classes == label].mean(0) for label in range(count)])


# mse, mae, lc (log-cosh): the paper's Table 1; ce: its baseline. soft, soft_words: cross entropy
# with the raters' distribution over classes or words, which is KL divergence but for a constant.
# co_occurrence: the same with shares that are multiplied by what mistakes cost, so that the lowest
# loss is at shares so multiplied.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "lc": log_cosh,
    "ce": functional.cross_entropy,
    "cosine": cosine,
    "soft": functional.cross_entropy,
    "soft_words": functional.cross_entropy,
    "co_occurrence": functional.cross_entropy,
    "dirichlet": dirichlet,
    "triplet": triplet,
}
