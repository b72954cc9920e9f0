"""Multi-head attention and rotation by position."""

from __future__ import annotations

import math
from typing import Any

from ferrograd import _core, _namespace
from ferrograd._core import DTypeError, ShapeError, Tensor

OP = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    batch_first: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of several heads over projected queries, keys and values.

    Args:
        query, key, value: (L, N, E), (S, N, kdim), (S, N, vdim), with batch_first N before L and S, or all without N.
        in_proj_weight: (3 E, E), the three projections stacked; with use_separate_proj_weight the three are
            q_proj_weight (E, E), k_proj_weight (E, kdim) and v_proj_weight (E, vdim).
        bias_k, bias_v: (1, 1, E), a key and a value added to every sequence.
        add_zero_attn: whether a key and a value of zeros are added.
        key_padding_mask: (N, S); True (or minus infinity) hides a key.
        attn_mask: (L, S) or (N * num_heads, L, S); True (or minus infinity) hides a key from a query.
        need_weights: whether the weights are returned; without them they are never stored.
        is_causal: hide the keys after each query; with attn_mask given, the mask alone counts.

    Returns the output (L, N, E) and the weights (N, L, S), or (N, num_heads, L, S) unless average_attn_weights.
    Raises ShapeError for sizes that do not fit. A query whose keys are all hidden gets zeros.
    """
    embed_dim = query.shape[-1]
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise ShapeError(
            f"{OP}: expected query, key and value (L, N, E) or (L, E), got {_shapes(query=query, key=key, value=value)}"
        )
    if embed_dim != embed_dim_to_check or num_heads < 1 or embed_dim % num_heads:
        raise ShapeError(
            f"{OP}: expected embeddings of {embed_dim_to_check}, divisible by {num_heads} heads, got {embed_dim}"
        )
    if not use_separate_proj_weight and not key.shape[-1] == value.shape[-1] == embed_dim:
        raise ShapeError(f"{OP}: expected keys and values of {embed_dim} features, got {_shapes(key=key, value=value)}")
    unbatched = query.ndim == 2
    axis = 1 if batch_first else 0
    if unbatched:
        # One tensor stays one tensor, which is projected in one product.
        raised = {id(x): x.unsqueeze(1 - axis) for x in (query, key, value)}
        query, key, value = (raised[id(x)] for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch = query.shape[axis], query.shape[1 - axis]
    if key.shape[:2] != value.shape[:2] or key.shape[1 - axis] != batch:
        raise ShapeError(
            f"{OP}: expected keys and values of one length and {batch} sequences, got {_shapes(key=key, value=value)}"
        )
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _project(query, key, value, weights or in_proj_weight, in_proj_bias)
    mask = _merge_masks(attn_mask, key_padding_mask, batch, num_heads, length, key.shape[axis], is_causal, q)
    extra_shape = (batch, 1, embed_dim) if batch_first else (1, batch, embed_dim)
    for extra_k, extra_v in _extra_keys(bias_k, bias_v, add_zero_attn, q):
        k = _namespace.concat([k, extra_k.expand(extra_shape)], axis=axis)
        v = _namespace.concat([v, extra_v.expand(extra_shape)], axis=axis)
        mask = None if mask is None else _core.pad(mask, (0, 1), value=mask.dtype == _core.bool)
    # (N, L, E) -> (N, heads, L, E / heads), or the same from (L, N, E).
    order = (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)
    width = embed_dim // num_heads
    q, k, v = (x.reshape((*x.shape[:2], num_heads, width)).permute(order) for x in (q, k, v))
    dropout_p = dropout_p if training else 0.0
    attention = None
    if need_weights:
        attention = _core.dropout(_attention_weights(q, k, mask), dropout_p, training)
        heads = attention @ v
    else:
        heads = _core.scaled_dot_product_attention(q, k, v, mask, dropout_p)
    joined = heads.permute((0, 2, 1, 3) if batch_first else (2, 0, 1, 3)).reshape(query.shape)
    output = _core.linear(joined, out_proj_weight, out_proj_bias)
    if attention is not None and average_attn_weights:
        attention = attention.mean(axis=1)
    if unbatched:
        output = output.squeeze(1 - axis)
        attention = None if attention is None else attention.squeeze(0)
    return output, attention


def _project(query: Tensor, key: Tensor, value: Tensor, weights: Any, bias: Tensor | None) -> list[Tensor]:
    """The three projections; one matrix product when query, key and value are one tensor."""
    biases = (None,) * 3 if bias is None else _core.chunk(bias, 3)
    if isinstance(weights, Tensor):
        if query is key and key is value:
            return list(_core.chunk(_core.linear(query, weights, bias), 3, axis=-1))
        weights = _core.chunk(weights, 3)
    return [_core.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)]


def _extra_keys(bias_k: Any, bias_v: Any, add_zero_attn: bool, like: Tensor) -> list[tuple[Tensor, Tensor]]:
    extra = [(bias_k, bias_v)] if bias_k is not None and bias_v is not None else []
    if add_zero_attn:
        zero = _core.zeros((1, 1, like.shape[-1]), dtype=like.dtype, device=like.device)
        extra.append((zero, zero))
    return extra


def _attention_weights(q: Tensor, k: Tensor, mask: Tensor | None) -> Tensor:
    scores = (q * (1.0 / math.sqrt(q.shape[-1]))) @ k.mT
    if mask is None:
        return scores.softmax(axis=-1)
    bias = mask if mask.dtype != _core.bool else _minus_infinity_where(~mask, q)
    scores = scores + bias
    # A row without any key would be NaN: it gets zeros, as from the fused kernel.
    hidden = (scores == -math.inf).all(axis=-1, keepdims=True)
    return scores.masked_fill(hidden, 0.0).softmax(axis=-1).masked_fill(hidden, 0.0)


def _minus_infinity_where(hidden: Tensor, like: Tensor) -> Tensor:
    return _core.zeros(hidden.shape, dtype=like.dtype, device=like.device).masked_fill(hidden, -math.inf)


def _merge_masks(
    attn_mask: Tensor | None,
    key_padding_mask: Tensor | None,
    batch: int,
    num_heads: int,
    length: int,
    keys: int,
    is_causal: bool,
    like: Tensor,
) -> Tensor | None:
    """One mask that broadcasts to (N, heads, L, S): booleans that are True where a key counts, or numbers to add."""
    masks = []
    if attn_mask is not None:
        if attn_mask.ndim == 3 and tuple(attn_mask.shape) == (batch * num_heads, length, keys):
            masks.append(attn_mask.reshape((batch, num_heads, length, keys)))
        elif tuple(attn_mask.shape) == (length, keys):
            masks.append(attn_mask)
        else:
            raise ShapeError(
                f"{OP}: expected attn_mask {(length, keys)} or {(batch * num_heads, length, keys)}, "
                f"got {tuple(attn_mask.shape)}"
            )
    elif is_causal:
        masks.append(_core.triu(_core.ones((length, keys), dtype=_core.bool, device=like.device), k=1))
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, keys):
            raise ShapeError(f"{OP}: expected key_padding_mask {(batch, keys)}, got {tuple(key_padding_mask.shape)}")
        masks.append(key_padding_mask.reshape((batch, 1, 1, keys)))
    for mask in masks:
        if mask.dtype != _core.bool and "floating" not in mask.dtype.kind:
            raise DTypeError(f"{OP}: expected masks of booleans or floating-point numbers, got {mask.dtype.name}")
    if not masks:
        return None
    if all(mask.dtype == _core.bool for mask in masks):
        hidden = masks[0] if len(masks) == 1 else masks[0] | masks[1]
        return ~hidden
    biases = [
        _minus_infinity_where(mask, like) if mask.dtype == _core.bool else mask.to(dtype=like.dtype) for mask in masks
    ]
    return biases[0] if len(biases) == 1 else biases[0] + biases[1]


def _shapes(**tensors: Tensor) -> str:
    return ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
