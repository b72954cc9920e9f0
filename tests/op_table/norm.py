"""Normalisations, softmax, linear layers, attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import dtypes
from op_table.reduce import TAME
from op_table.row import Call, Row, Source, call, refuses


def standardised(x: np.ndarray, axes: tuple[int, ...], eps: float) -> np.ndarray:
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axes, keepdims=True) + eps)


def affine(x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    x = x if weight is None else x * weight.reshape(shape)
    return x if bias is None else x + bias.reshape(shape)


def channels(x: np.ndarray) -> tuple[int, ...]:
    return (1, -1, *[1] * (x.ndim - 2))


def layer_norm(x: np.ndarray, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    axes = tuple(range(-len(normalized_shape), 0))
    return affine(standardised(x, axes, eps), weight, bias, tuple(normalized_shape))


def rms_norm(x: np.ndarray, normalized_shape: Any, weight: Any = None, eps: float = 1e-5) -> np.ndarray:
    axes = tuple(range(-len(normalized_shape), 0))
    return affine(x / np.sqrt((x**2).mean(axes, keepdims=True) + eps), weight, None, tuple(normalized_shape))


def add_layer_norm(x: np.ndarray, residual: np.ndarray, *rest: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    return x + residual, layer_norm(x + residual, *rest, **options)


def add_rms_norm(x: np.ndarray, residual: np.ndarray, *rest: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    return x + residual, rms_norm(x + residual, *rest, **options)


def group_norm(x: np.ndarray, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> np.ndarray:
    groups = x.reshape(x.shape[0], num_groups, -1)
    return affine(standardised(groups, (2,), eps).reshape(x.shape), weight, bias, channels(x))


def instance_norm(x: np.ndarray, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> np.ndarray:
    return affine(standardised(x, tuple(range(2, x.ndim)), eps), weight, bias, channels(x))


def batch_norm(
    x: np.ndarray,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    residual: Any = None,
    relu: bool = False,
) -> np.ndarray:
    if training:
        y = standardised(x, (0, *range(2, x.ndim)), eps)
    else:
        y = (x - running_mean.reshape(channels(x))) / np.sqrt(running_var.reshape(channels(x)) + eps)
    y = affine(y, weight, bias, channels(x))
    y = y if residual is None else y + residual
    return np.maximum(y, 0) if relu else y


def parameters(source: Source, shape: tuple[int, ...], count: int) -> list[Any]:
    """None, or a weight and a bias: the first `count` of them given."""
    given = source.integer(0, count)
    return [source.array(shape, special=False) if i < given else None for i in range(count)]


def trailing_cases(count: int, residual: bool = False) -> Any:
    def cases(source: Source) -> Call:
        # Two values at least: the normalisation of one value is constant and its derivative rounding error.
        x = source.array(
            (*source.shape(max_dims=2, min_side=1), source.integer(1, 4), source.integer(2, 5)), special=TAME
        )
        shape = x.shape[-source.integer(1, 2) :]
        added = [source.array(x.shape, special=TAME)] if residual else []
        return call(x, *added, shape, *parameters(source, shape, count), eps=source.choice(1e-5, 1e-2))

    return cases


def channel_image(source: Source, multiple: int = 1) -> np.ndarray:
    spatial = (source.integer(2, 4), *source.shape(max_dims=2, max_side=3, min_side=1))
    return source.array((source.integer(1, 3), multiple * source.integer(1, 3), *spatial), special=TAME)


def group_cases(source: Source) -> Call:
    groups = source.integer(1, 3)
    x = channel_image(source, groups)
    return call(x, groups, *parameters(source, x.shape[1:2], 2))


def instance_cases(source: Source) -> Call:
    x = channel_image(source)
    weight, bias = parameters(source, x.shape[1:2], 2)
    return call(x, weight=weight, bias=bias)


def batch_cases(source: Source) -> Call:
    x = channel_image(source)
    running = source.array(x.shape[1:2], special=False), source.array(x.shape[1:2], low=0.5, high=2, special=False)
    finish = {"residual": source.array(x.shape, special=TAME) if source.flag() else None, "relu": source.flag()}
    if source.flag():
        return call(x, None, None, *parameters(source, x.shape[1:2], 2), training=True, **finish)
    return call(x, *running, *parameters(source, x.shape[1:2], 2), **finish)


def batch_smooth(source: Source) -> Call:
    """The running statistics are constants; a relu has a kink."""
    x = channel_image(source)
    residual = source.array(x.shape, special=False) if source.flag() else None
    return call(x, None, None, *parameters(source, x.shape[1:2], 2), training=True, residual=residual)


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def softmax_cases(source: Source) -> Call:
    x = source.array(source.shape(min_dims=1, min_side=1), special=(1e4, -1e4, -np.inf, 0.0))
    return call(x, axis=source.axis(x.shape))


def linear_cases(source: Source) -> Call:
    inside, outside = source.integer(1, 5), source.integer(1, 4)
    x = source.array((*source.shape(max_dims=2), inside), special=False)
    bias = source.array((outside,), special=False) if source.flag() else None
    return call(x, source.array((outside, inside), special=False), bias)


def linear(x: np.ndarray, weight: np.ndarray, bias: Any = None) -> np.ndarray:
    y = x @ weight.T
    return y if bias is None else y + bias


def rotary_cases(source: Source) -> Call:
    batch, length, half = source.shape(max_dims=2, max_side=3), source.integer(1, 5), source.integer(1, 5)
    angles = source.choice((length, half), (*batch, length, half), (*(1 for _ in batch), length, half))
    cos, sin = (source.array(angles, low=-1, high=1, special=False) for _ in range(2))
    return call(source.array((*batch, length, 2 * half), special=False), cos, sin, interleaved=source.flag())


def rotate_positions(x: np.ndarray, cos: np.ndarray, sin: np.ndarray, interleaved: bool) -> np.ndarray:
    half = x.shape[-1] // 2
    a, b = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    turned = a * cos - b * sin, b * cos + a * sin
    return np.stack(turned, -1).reshape(x.shape) if interleaved else np.concatenate(turned, -1)


def attention_cases(source: Source) -> Call:
    batch, queries, keys = source.choice((2,), (2, 3)), source.integer(1, 4), source.integer(1, 4)
    width, value_width = source.integer(1, 4), source.integer(1, 3)
    q = source.array((*batch, queries, width), special=False)
    k = source.array((*batch, keys, width), special=False)
    v = source.array((*batch, keys, value_width), special=False)
    kind = source.choice("plain", "causal", "bias", "mask", "scale")
    if kind == "bias":
        return call(q, k, v, attn_mask=source.array((queries, keys), special=False))
    if kind == "mask":
        mask = source.array((queries, keys), dtype="bool")
        mask[:, 0] = True  # rows without any key are a case of their own
        return call(q, k, v, attn_mask=mask)
    return call(q, k, v, **{"plain": {}, "causal": {"is_causal": True}, "scale": {"scale": 0.3}}[kind])


def attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, attn_mask: Any = None, is_causal: bool = False, scale: Any = None
) -> np.ndarray:
    scores = q @ np.swapaxes(k, -1, -2) * (scale if scale is not None else q.shape[-1] ** -0.5)
    if is_causal:
        attn_mask = np.tril(np.ones(scores.shape[-2:], bool))
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    return softmax(scores, -1) @ v


IMAGE = np.ones((2, 4, 3))

ROWS = (
    Row(
        "layer_norm",
        layer_norm,
        trailing_cases(2),
        slack=64,
        refusals=(
            refuses("ShapeError", "layer_norm", np.ones((2, 3)), (4,)),
            refuses("ShapeError", "layer_norm", np.ones((2, 3)), (3,), np.ones(2)),
        ),
    ),
    Row(
        "rms_norm",
        rms_norm,
        trailing_cases(1),
        slack=32,
        refusals=(refuses("ShapeError", "rms_norm", np.ones(3), (4,)),),
    ),
    Row(
        "add_layer_norm",
        add_layer_norm,
        trailing_cases(2, residual=True),
        slack=64,
        refusals=(
            refuses("ShapeError", "add_layer_norm", np.ones((2, 3)), np.ones(3), (3,)),
            refuses("ShapeError", "add_layer_norm", np.ones((2, 3)), np.ones((2, 3)), (4,)),
        ),
    ),
    Row(
        "add_rms_norm",
        add_rms_norm,
        trailing_cases(1, residual=True),
        slack=32,
        refusals=(refuses("ShapeError", "add_rms_norm", np.ones(3), np.ones((1, 3)), (3,)),),
    ),
    Row(
        "group_norm",
        group_norm,
        group_cases,
        slack=64,
        refusals=(
            refuses("ValueError", "group_norm", IMAGE, 3),
            refuses("ValueError", "group_norm", IMAGE, 0),
        ),
    ),
    Row("instance_norm", instance_norm, instance_cases, slack=64),
    Row(
        "batch_norm",
        batch_norm,
        batch_cases,
        slack=64,
        result=None,
        smooth=batch_smooth,
        refusals=(
            refuses("ValueError", "batch_norm", np.ones((1, 3)), None, None, training=True),
            refuses("ShapeError", "batch_norm", IMAGE, np.ones(3), np.ones(3)),
            refuses("ShapeError", "batch_norm", IMAGE, None, None, training=True, residual=np.ones((2, 4, 1))),
        ),
    ),
    Row("softmax", softmax, softmax_cases, slack=4, refusals=(refuses("IndexError", "softmax", np.ones(2), axis=1),)),
    Row(
        "log_softmax",
        log_softmax,
        softmax_cases,
        slack=8,
        refusals=(refuses("IndexError", "log_softmax", np.ones(2), axis=1),),
    ),
    Row(
        "linear",
        linear,
        linear_cases,
        slack=32,
        refusals=(refuses("ShapeError", "linear", np.ones((2, 3)), np.ones((4, 2))),),
    ),
    Row(
        "rotate_positions",
        rotate_positions,
        rotary_cases,
        slack=8,
        constants=(1, 2),
        refusals=(
            refuses("ShapeError", "rotate_positions", np.ones((2, 3)), np.ones((2, 1)), np.ones((2, 1))),
            refuses("ShapeError", "cos does not fit", np.ones((2, 4)), np.ones((3, 2)), np.ones((3, 2))),
        ),
    ),
    Row(
        "scaled_dot_product_attention",
        attention,
        attention_cases,
        dtypes.FLOATS,
        slack=64,
        refusals=(
            refuses(
                "ShapeError", "scaled_dot_product_attention", np.ones((1, 2, 3)), np.ones((1, 2, 4)), np.ones((1, 2, 3))
            ),
        ),
    ),
)
