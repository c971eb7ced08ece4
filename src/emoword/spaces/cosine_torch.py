"""The matrix product of `emoword.spaces.cosine` by torch, on a GPU (in the tests on a CPU)."""

import numpy as np
import numpy.typing as npt
import torch

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class TorchProduct:
    """Cosines of a tile of queries with a block of rows; see `emoword.spaces.cosine.NumpyProduct`.

    The products are float32 throughout: TF32's error would be larger than the bound.
    """

    BLOCK = 1 << 15  # 40 MB of rows at 300 dimensions
    TILE = 2048  # 256 MB of cosines

    def __init__(self, units: Float32, block: int, device: str) -> None:
        self.device = torch.device(device)
        self.units = torch.from_numpy(units).to(self.device)
        self.block = block
        self.rows = self.cosines = self.units[:0]
        self.zeros = torch.empty(0, dtype=torch.bool, device=self.device)

    def take(self, vectors: Float32, inverse: Float32) -> None:
        """Take the next rows, [m, d], and their inverse lengths, [m, 1]; 0 for a row of zeros."""
        scale = torch.from_numpy(inverse).to(self.device)
        # a copy, as the space is mapped read-only
        self.rows = torch.from_numpy(np.array(vectors)).to(self.device) * scale
        self.zeros = scale[:, 0] == 0

    def multiply(self, tile: slice) -> None:
        """Multiply these queries with the rows; what has no direction gets -inf."""
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            self.cosines = self.units[tile] @ self.rows.T
        finally:
            torch.set_float32_matmul_precision(precision)
        self.cosines.masked_fill_(self.zeros, -torch.inf)

    def kth_largest(self, k: int) -> Float64:
        """The k-th largest cosine of each query; -inf if there are no k."""
        if self.cosines.shape[1] < k:
            return np.full(len(self.cosines), -np.inf)
        largest: Float64 = self.cosines.topk(k).values[:, -1].double().cpu().numpy()
        return largest

    def between(self, low: Float64, high: Float64) -> tuple[Int64, Int64, Int64]:
        """Which cosines lie between ``low`` and ``high`` [tile], and how many above."""
        # as float32, rounded outwards
        outer = [
            np.nextafter(bound.astype(np.float32), np.float32(end))[:, None]
            for bound, end in ((low, -np.inf), (high, np.inf))
        ]
        floor, ceiling = (torch.from_numpy(bound).to(self.device) for bound in outer)
        above = self.cosines > ceiling
        which, rows = torch.nonzero((self.cosines >= floor) & ~above, as_tuple=True)
        return which.cpu().numpy(), rows.cpu().numpy(), above.sum(dim=1).cpu().numpy()
