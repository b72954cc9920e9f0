"""Distances and similarities of vectors as layers."""

from __future__ import annotations

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last dimension: (N, D) and (N, D) -> (N,).

    Args:
        p: order of the norm.
        eps: added to the differences.
        keepdim: whether the last dimension stays, with size 1.

    >>> import ferrograd as fg
    >>> fg.round(fg.nn.PairwiseDistance()(fg.tensor([[3.0, 4.0]]), fg.zeros((1, 2)))).tolist()
    [5.0]
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`, which goes away.

    >>> import ferrograd as fg
    >>> fg.nn.CosineSimilarity()(fg.tensor([[2.0, 0.0]]), fg.tensor([[3.0, 0.0]])).tolist()
    [1.0]
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
