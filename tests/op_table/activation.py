"""Activation functions: formulas of the papers, evaluated in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_table.row import Call, Row, Source, call, refuses
from op_table.unary import erf, unary

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def softplus(x: np.ndarray, beta: float = 1.0, threshold: float = 20.0) -> np.ndarray:
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x))


def gelu(x: np.ndarray, approximate: str = "none") -> np.ndarray:
    if approximate == "tanh":
        return at_ends(x, 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))
    return at_ends(x, 0.5 * x * (1 + erf(x / np.sqrt(2))))


def at_ends(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`y` with the limits at -inf and inf, where the formula says inf * 0."""
    return np.where(np.isinf(x), np.where(x > 0, x, -0.0), y)


def keep_nan(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x), x, y)


def prelu(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    slope = weight.reshape(-1, *[1] * max(x.ndim - 2, 0)) if weight.size > 1 else weight.reshape(())
    return np.where(x > 0, x, slope * x)


def glu(x: np.ndarray, axis: int = -1) -> np.ndarray:
    first, second = np.split(x, 2, axis)
    return first * sigmoid(second)


def parametric(name: str, reference: Any, *parameters: dict[str, Any], **row: Any) -> Row:
    """An activation with options: each example takes one of `parameters`."""

    def cases(source: Source) -> Call:
        return call(source.array(source.shape()), **source.choice({}, *parameters))

    return Row(name, reference, cases, **row)


def prelu_cases(source: Source) -> Call:
    shape = source.shape(min_dims=2, max_dims=4, min_side=1)
    weight = source.array((source.choice(1, shape[1]),), special=False)
    return call(source.array(shape), weight)


def glu_cases(source: Source) -> Call:
    shape = list(source.shape(min_dims=1, min_side=1))
    axis = source.axis(tuple(shape))
    shape[axis] *= 2
    return call(source.array(tuple(shape)), axis=axis)


ROWS = (
    unary("relu", lambda x: keep_nan(x, np.maximum(x, 0))),
    unary("relu6", lambda x: np.clip(x, 0, 6), low=-4, high=9),
    unary("sigmoid", sigmoid),
    unary("logsigmoid", lambda x: -np.logaddexp(0, -x)),
    unary("silu", lambda x: at_ends(x, x * sigmoid(x))),
    unary("mish", lambda x: at_ends(x, x * np.tanh(np.logaddexp(0, x)))),
    unary("softsign", lambda x: x / (1 + np.abs(x))),
    unary("selu", lambda x: SELU_SCALE * elu(x, SELU_ALPHA)),
    unary("tanhshrink", lambda x: x - np.tanh(x)),
    unary("hardswish", lambda x: at_ends(x, x * np.clip(x + 3, 0, 6) / 6)),
    unary("hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    parametric(
        "leaky_relu", lambda x, negative_slope=0.01: np.where(x > 0, x, x * negative_slope), {"negative_slope": 0.3}
    ),
    parametric("elu", elu, {"alpha": 0.5}),
    parametric("celu", lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)), {"alpha": 0.5}),
    parametric(
        "gelu", gelu, {"approximate": "tanh"}, refusals=(refuses("ValueError", "gelu", np.ones(2), approximate="x"),)
    ),
    parametric("softplus", softplus, {"beta": 2.0}, {"threshold": 1.0}),
    parametric("hardtanh", lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val), {"min_val": -2.0}),
    parametric(
        "softshrink",
        lambda x, lambd=0.5: keep_nan(x, np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0))),
        {"lambd": 1.0},
    ),
    parametric("hardshrink", lambda x, lambd=0.5: keep_nan(x, np.where(np.abs(x) > lambd, x, 0)), {"lambd": 1.0}),
    Row(
        "threshold",
        lambda x, threshold, value: np.where(x <= threshold, value, x),
        lambda source: call(source.array(source.shape()), 0.5, -2.0),
    ),
    Row("prelu", prelu, prelu_cases, refusals=(refuses("ShapeError", "prelu", np.ones((2, 3)), np.ones(4)),)),
    Row("glu", glu, glu_cases, refusals=(refuses("ShapeError", "glu", np.ones((2, 3)), axis=-1),)),
)
