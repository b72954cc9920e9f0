"""Positional encodings: what tells a Transformer the order of its inputs."""

from __future__ import annotations

import math
from typing import Any

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.dropout import Dropout
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter
from ferrograd.nn.sizes import required_size


class _AddedEncoding(Module):
    """What the encodings that are added to embeddings share: a table of rows by position."""

    max_len: int
    d_model: int
    batch_first: bool
    dropout: Dropout

    def _add(self, x: Tensor, table: Tensor, start: int) -> Tensor:
        kind = type(self).__name__
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            raise ShapeError(f"{kind}: expected (N, T, {self.d_model}) or (T, {self.d_model}), got {tuple(x.shape)}")
        length = x.shape[1] if self.batch_first and x.ndim == 3 else x.shape[0]
        if start < 0 or start + length > self.max_len:
            raise ShapeError(f"{kind}: expected positions below {self.max_len}, got {start} to {start + length - 1}")
        rows = table[start : start + length].to(dtype=x.dtype)
        output: Tensor = self.dropout(x + (rows if self.batch_first or x.ndim == 2 else rows.unsqueeze(1)))
        return output

    def extra_repr(self) -> str:
        return f"{self.max_len}, {self.d_model}, batch_first={self.batch_first}"


class SinusoidalPositionalEncoding(_AddedEncoding):
    """Adds sines and cosines of the position, of wavelengths from 2 pi to 10000 * 2 pi (Vaswani et al. 2017, 3.5).

    pe[t, 2 i] = sin(t / 10000^(2 i / E)), pe[t, 2 i + 1] = cos(t / 10000^(2 i / E)).

    Args:
        d_model: E, features.
        max_len: largest number of positions.
        dropout: probability, applied to the sum.
        batch_first: whether inputs are (N, T, E) rather than (T, N, E).

    `forward(x, start=0)` takes embeddings whose first position is `start`. Raises ShapeError beyond max_len.

    >>> import ferrograd as fg
    >>> fg.nn.SinusoidalPositionalEncoding(4)(fg.zeros((1, 2, 4)))[0, 0].tolist()
    [0.0, 1.0, 0.0, 1.0]
    """

    pe: Tensor

    def __init__(
        self,
        d_model: int,
        max_len: int = 5000,
        dropout: float = 0.0,
        batch_first: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.d_model = required_size(self, "d_model", d_model)
        self.max_len = required_size(self, "max_len", max_len)
        self.batch_first = batch_first
        self.dropout = Dropout(dropout)
        angles = _angles(_core.arange(self.max_len, dtype=_core.float64), self.d_model, 10000.0)
        table = _core.stack([_core.sin(angles), _core.cos(angles)], axis=-1).reshape((self.max_len, -1))
        table = table[:, : self.d_model].to(device=device or "cpu", dtype=dtype or _core.float32)
        self.register_buffer("pe", table, persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        return self._add(x, self.pe, start)


class LearnedPositionalEncoding(_AddedEncoding):
    """Adds a learnt vector per position, as BERT, GPT-2 and ViT do.

    Args:
        d_model: E, features.
        max_len: number of positions.
        dropout: probability, applied to the sum.
        batch_first: whether inputs are (N, T, E) rather than (T, N, E).
        device, dtype: of `weight` (max_len, E), which starts normal with std 0.02.

    `forward(x, start=0)` takes embeddings whose first position is `start`. Raises ShapeError beyond max_len.

    >>> import ferrograd as fg
    >>> fg.nn.LearnedPositionalEncoding(8, max_len=16)(fg.zeros((2, 5, 8))).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        max_len: int,
        dropout: float = 0.0,
        batch_first: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.d_model = required_size(self, "d_model", d_model)
        self.max_len = required_size(self, "max_len", max_len)
        self.batch_first = batch_first
        shape = (self.max_len, self.d_model)
        self.weight = Parameter(_core.zeros(shape, dtype=dtype or _core.float32, device=device))
        init.normal_(self.weight, std=0.02)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        return self._add(x, self.weight, start)


class RotaryEmbedding(Module):
    """Turns pairs of features of queries and keys by angles that grow with the position (Su et al. 2021).

    Pair i of D features is turned by t * base^(-2 i / D) at position t, so that scores depend on distances alone.

    Args:
        dim: D, features of a head; even.
        base: 10000 in RoFormer and Llama 2, 500000 in Llama 3.
        interleaved: pairs (2 i, 2 i + 1) as in RoFormer and GPT-J; False pairs (i, i + D / 2) as Llama and GPT-NeoX.

    `forward(x, start=0)` takes (*, T, D), such as (N, heads, T, D), and gives the same shape; `start` is the position
    of the first row (the length of a cache), or a tensor of positions, (T,) or (N, 1, T). Nothing is learnt.

    >>> import ferrograd as fg
    >>> rotary = fg.nn.RotaryEmbedding(8)
    >>> q, k = rotary(fg.rand((2, 4, 5, 8))), rotary(fg.rand((2, 4, 5, 8)))
    >>> q.shape
    (2, 4, 5, 8)
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = False) -> None:
        self.dim = required_size(self, "dim", dim)
        if self.dim % 2:
            raise ValueError(f"RotaryEmbedding: dim must be even, got {dim}")
        self.base, self.interleaved = base, interleaved
        self._tables: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor, start: int | Tensor = 0) -> Tensor:
        if x.ndim < 2 or x.shape[-1] != self.dim:
            raise ShapeError(f"RotaryEmbedding: expected (*, T, {self.dim}), got {tuple(x.shape)}")
        if isinstance(start, Tensor):
            cos, sin = self._turns(start, x)
        elif start < 0:
            raise ValueError(f"RotaryEmbedding: start must not be negative, got {start}")
        else:
            end = start + x.shape[-2]
            cos, sin = (table[start:end] for table in self._rows(end, x))
        return F.rotate_positions(x, cos, sin, self.interleaved)

    def _rows(self, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Tables of at least `length` rows, made again when they are too short or of another dtype or device."""
        made = self._tables
        if made is None or len(made[0]) < length or (made[0].dtype, made[0].device) != (like.dtype, like.device):
            rows = 1 << max(length - 1, 1).bit_length()
            made = self._tables = self._turns(_core.arange(rows, dtype=_core.int64), like)
        return made

    def _turns(self, positions: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        angles = _angles(positions.to(device="cpu", dtype=_core.float64), self.dim, self.base)
        cos, sin = (table.to(device=like.device, dtype=like.dtype) for table in (_core.cos(angles), _core.sin(angles)))
        return cos, sin


def _angles(positions: Tensor, features: int, base: float) -> Tensor:
    """(*, T) float64 -> (*, T, features / 2): position times the frequency of each pair of features."""
    exponents = _core.arange(0, features, 2, dtype=_core.float64) * (-math.log(base) / max(features, 1))
    return positions.unsqueeze(-1) * _core.exp(exponents)
