"""Rows of a table by index, alone and in bags."""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of `weight` by index: (*) -> (*, D). Arguments as in `nn.Embedding`; max_norm scales the rows that come out.

    Raises IndexError for an index outside.
    """
    del sparse
    if max_norm is not None:
        weight = renormalize_rows(weight, input, max_norm, norm_type)
    rows = _core.embedding(input, weight, padding_idx)
    return _scale_gradient(rows, input, weight.shape[0]) if scale_grad_by_freq else rows


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sum, mean or maximum of the rows of each bag -> (B, D). Arguments as in `nn.EmbeddingBag`.

    Raises ShapeError unless input is (B, n), or (n,) with offsets (B,) that begin at 0 and do not fall.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: expected mode 'sum', 'mean' or 'max', got {mode!r}")
    if per_sample_weights is not None and (mode != "sum" or per_sample_weights.shape != input.shape):
        raise ShapeError(
            f"embedding_bag: expected per_sample_weights {tuple(input.shape)} with mode 'sum', "
            f"got {tuple(per_sample_weights.shape)} with mode {mode!r}"
        )
    positions, present = _bags(input, offsets, include_last_offset)
    flat = input.reshape((-1,))
    rows = embedding(flat, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape((-1, 1))
    if padding_idx is not None and flat.size:
        present = present & (_core.take(flat, positions.reshape((-1,))).reshape(positions.shape) != padding_idx)
    bags, longest = positions.shape
    if not flat.size or not longest:
        return _core.zeros((bags, weight.shape[1]), dtype=weight.dtype, device=weight.device)
    rows = _core.embedding(positions, rows)
    absent = ~present.unsqueeze(-1)
    if mode == "max":
        empty = absent.all(axis=1)
        return rows.masked_fill(absent, float("-inf")).max(axis=1).masked_fill(empty, 0.0)
    total = rows.masked_fill(absent, 0.0).sum(axis=1)
    if mode == "sum":
        return total
    count = present.sum(axis=1, keepdims=True).to(dtype=weight.dtype)
    return total / _core.maximum(count, 1.0)


def renormalize_rows(weight: Tensor, input: Tensor, max_norm: float, norm_type: float = 2.0) -> Tensor:
    """The table with the rows that `input` names scaled down to at most `max_norm`."""
    norms = _core.linalg_vector_norm(weight, axis=-1, keepdims=True, ord=norm_type)
    used = _counts(input, weight.shape[0]).reshape((-1, 1)) > 0
    return _core.where(used & (norms > max_norm), weight * (max_norm / (norms + 1e-7)), weight)


def _bags(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Tensor, Tensor]:
    """Positions in the flat input, bag by bag, (B, longest), and which of them exist."""
    if input.ndim == 2 and offsets is None:
        positions = _core.arange(input.size, dtype=_core.int64, device=input.device).reshape(input.shape)
        return positions, _core.ones(input.shape, dtype=_core.bool, device=input.device)
    if input.ndim != 1 or offsets is None or offsets.ndim != 1:
        got = None if offsets is None else tuple(offsets.shape)
        raise ShapeError(
            f"embedding_bag: expected input (B, n), or input (n,) and offsets (B,), got {tuple(input.shape)} and {got}"
        )
    starts = offsets.tolist()
    ends = starts[1:] if include_last_offset else [*starts[1:], input.size]
    starts = starts[:-1] if include_last_offset else starts
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    if starts and (starts[0] != 0 or min(lengths) < 0 or ends[-1] > input.size):
        raise ShapeError(
            f"embedding_bag: expected offsets from 0 that do not fall and stay within {input.size}, got {starts}"
        )
    longest = max(lengths, default=0)
    column = _core.arange(longest, dtype=_core.int64, device=input.device)
    begin, length = (
        _core.asarray(values, dtype=_core.int64, device=input.device).reshape((-1, 1)) for values in (starts, lengths)
    )
    present = column < length
    return (begin + column).masked_fill(~present, 0), present


def _scale_gradient(rows: Tensor, input: Tensor, num_embeddings: int) -> Tensor:
    """The same rows, each passing its gradient on divided by how often its index occurs."""
    share = 1.0 / _core.take(_counts(input, num_embeddings), input.reshape((-1,))).to(dtype=rows.dtype)
    if rows.requires_grad:
        rows.register_hook(lambda gradient: gradient * share.reshape((*input.shape, 1)))
    return rows


def _counts(input: Tensor, num_embeddings: int) -> Tensor:
    # What is outside the table is for the lookup to refuse.
    return _core.bincount(input.reshape((-1,)), minlength=num_embeddings)[:num_embeddings]
