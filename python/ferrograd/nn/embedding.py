"""Embedding: a table looked up by integer."""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, assign
from ferrograd.nn.sizes import required_size


class Embedding(Module):
    """Rows of a table by index: integers (*) -> (*, embedding_dim).

    Args:
        num_embeddings: number of rows.
        embedding_dim: length of a row.
        padding_idx: a row that starts at zero and gets no gradient.
        device, dtype: of the table.

    `weight` is (num_embeddings, embedding_dim) and starts standard normal. Raises IndexError for an index outside.

    >>> import ferrograd as fg
    >>> fg.nn.Embedding(10, 4, padding_idx=0)(fg.tensor([[1, 0]]))[0, 1].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.num_embeddings = required_size(self, "num_embeddings", num_embeddings)
        self.embedding_dim = required_size(self, "embedding_dim", embedding_dim)
        if padding_idx is not None and not -self.num_embeddings <= padding_idx < self.num_embeddings:
            raise IndexError(f"Embedding: padding_idx is outside {self.num_embeddings} rows, got {padding_idx}")
        self.padding_idx = None if padding_idx is None else padding_idx % self.num_embeddings
        shape = (self.num_embeddings, self.embedding_dim)
        self.weight = Parameter(_core.zeros(shape, dtype=dtype or _core.float32, device=device))
        init.normal_(self.weight)
        if self.padding_idx is not None:
            table = self.weight.detach()
            table[self.padding_idx] = 0.0
            assign(self.weight, table)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """An embedding whose table has the value of `embeddings` (rows, length), fixed if `freeze`."""
        if embeddings.ndim != 2:
            raise ShapeError(f"Embedding.from_pretrained: expected 2 dimensions, got shape {tuple(embeddings.shape)}")
        layer = cls(embeddings.shape[0], embeddings.shape[1], padding_idx)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
