"""Losses, each against its definition."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from harness import dtypes
from op_table.norm import log_softmax
from op_table.row import Call, Row, Source, call, refuses

REDUCTIONS = ("none", "mean", "sum")
BAD_REDUCTION = {"reduction": "average"}


def reduced(values: np.ndarray, reduction: str) -> np.ndarray:
    return {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[reduction](values)


def elementwise(formula: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def reference(x: np.ndarray, y: np.ndarray, *, reduction: str = "mean", **options: Any) -> np.ndarray:
        return reduced(formula(x, y, **options), reduction)

    return reference


def regression(name: str, formula: Callable[..., np.ndarray], *options: dict[str, Any], **row: Any) -> Row:
    def cases(source: Source) -> Call:
        shape = source.shape(min_side=1)
        first, second = (source.array(shape, special=False) for _ in range(2))
        return call(first, second, reduction=source.choice(*REDUCTIONS), **source.choice({}, *options))

    bad = np.ones(2)
    row.setdefault("refusals", (refuses("ValueError", name, bad, bad, **BAD_REDUCTION),))
    return Row(name, elementwise(formula), cases, slack=row.pop("slack", 16), **row)


def smooth_l1(x: np.ndarray, y: np.ndarray, beta: float = 1.0) -> np.ndarray:
    d = np.abs(x - y)
    return np.where(d < beta, 0.5 * d**2 / beta, d - 0.5 * beta)


def huber(x: np.ndarray, y: np.ndarray, delta: float = 1.0) -> np.ndarray:
    d = np.abs(x - y)
    return np.where(d <= delta, 0.5 * d**2, delta * (d - 0.5 * delta))


def kl_div(x: np.ndarray, y: np.ndarray, log_target: bool = False) -> np.ndarray:
    return np.exp(y) * (y - x) if log_target else np.where(y > 0, y * (np.log(np.where(y > 0, y, 1)) - x), 0)


def kl_cases(source: Source) -> Call:
    shape = source.shape(min_dims=1, min_side=1)
    log_target = source.flag()
    target = source.array(shape, low=-2 if log_target else 0.1, high=1, special=False)
    options = {"reduction": source.choice(*REDUCTIONS, "batchmean"), "log_target": log_target}
    return call(source.array(shape, special=False), target, **options)


def kl_reference(x: np.ndarray, y: np.ndarray, reduction: str, log_target: bool) -> np.ndarray:
    values = kl_div(x, y, log_target)
    return values.sum() / x.shape[0] if reduction == "batchmean" else reduced(values, reduction)


def bce(x: np.ndarray, y: np.ndarray, weight: Any = None, reduction: str = "mean") -> np.ndarray:
    values = -(y * np.maximum(np.log(x), -100) + (1 - y) * np.maximum(np.log1p(-x), -100))
    return reduced(values if weight is None else values * weight, reduction)


def bce_with_logits(
    x: np.ndarray, y: np.ndarray, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> np.ndarray:
    positive = y if pos_weight is None else y * pos_weight
    values = positive * np.logaddexp(0, -x) + (1 - y) * np.logaddexp(0, x)
    return reduced(values if weight is None else values * weight, reduction)


def bce_cases(low: float, high: float, logits: bool) -> Callable[[Source], Call]:
    def cases(source: Source) -> Call:
        shape = source.shape(min_dims=1, min_side=1)
        x = source.array(shape, low=low, high=high, special=False)
        y = source.array(shape, low=0, high=1, special=False)
        options = {"reduction": source.choice(*REDUCTIONS)}
        if source.flag():
            options["weight"] = source.array(shape[-1:], low=0.5, high=2, special=False)
        if logits and source.flag():
            options["pos_weight"] = source.array(shape[-1:], low=0.5, high=2, special=False)
        return call(x, y, **options)

    return cases


def class_cases(source: Source, score: Callable[[np.ndarray], np.ndarray] = lambda x: x) -> Call:
    """(N, C, ...) or (C,) scores; at least one target is not ignored, so that the mean is defined."""
    classes = source.integer(1, 4)
    batch, spatial = source.choice(((), ()), ((3,), ()), ((2,), (2,)), ((2,), (2, 2)))
    x = score(source.array((*batch, classes, *spatial), special=False))
    target = source.indices((*batch, *spatial), classes)
    options: dict[str, Any] = {"reduction": source.choice(*REDUCTIONS)}
    if source.flag():
        options["weight"] = source.array((classes,), low=0.5, high=2, special=False)
    if target.size > 1 and source.flag():
        target.flat[-1] = options["ignore_index"] = source.choice(-100, 7)
    return call(x, target, **options)


def cross_entropy_cases(source: Source) -> Call:
    example = class_cases(source)
    smoothing = source.choice(0.0, 0.1)
    if source.flag():
        return Call(example.args, {**example.kwargs, "label_smoothing": smoothing})
    x = example.args[0]
    axis = min(1, x.ndim - 1)
    probabilities = source.array(x.shape, low=0, high=1, special=False)
    probabilities = (probabilities / probabilities.sum(axis, keepdims=True, dtype="float64")).astype(x.dtype)
    options = {"reduction": example.kwargs["reduction"], "label_smoothing": smoothing}
    return call(x, probabilities, **options)


def nll(
    x: np.ndarray, target: np.ndarray, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    axis = min(1, x.ndim - 1)
    kept = target != ignore_index
    safe = np.where(kept, target, 0)
    scale = (np.ones(x.shape[axis]) if weight is None else weight)[safe] * kept
    values = -scale * np.take_along_axis(x, np.expand_dims(safe, axis), axis).squeeze(axis)
    return values.sum() / scale.sum() if reduction == "mean" else reduced(values, reduction)


def cross_entropy(
    x: np.ndarray,
    target: np.ndarray,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    axis = min(1, x.ndim - 1)
    classes, logs = x.shape[axis], log_softmax(x, axis)
    scale = np.ones(classes) if weight is None else weight
    if target.dtype.kind == "f":
        smoothed = target * (1 - label_smoothing) + label_smoothing / classes
        values = -(smoothed * logs).sum(axis)
        return values.sum() / max(values.size, 1) if reduction == "mean" else reduced(values, reduction)
    kept = target != ignore_index
    weighted = logs * scale.reshape(-1, *[1] * (x.ndim - axis - 1))
    uniform = -weighted.sum(axis) * kept / classes
    hard = nll(logs, target, weight, ignore_index, "none")
    values = (1 - label_smoothing) * hard + label_smoothing * uniform
    total = (scale[np.where(kept, target, 0)] * kept).sum()
    return values.sum() / total if reduction == "mean" else reduced(values, reduction)


def cosine_embedding(
    x: np.ndarray, y: np.ndarray, target: np.ndarray, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    cosine = (x * y).sum(-1) / np.sqrt(((x**2).sum(-1) + 1e-12) * ((y**2).sum(-1) + 1e-12))
    return reduced(np.where(target == 1, 1 - cosine, np.maximum(0, cosine - margin)), reduction)


def cosine_cases(source: Source) -> Call:
    batch, width = source.integer(1, 3), source.integer(2, 4)
    first, second = (source.array((batch, width), special=False) for _ in range(2))
    target = source.random.choice([-1, 1], batch)
    return call(first, second, target, margin=source.choice(0.0, 0.3), reduction=source.choice(*REDUCTIONS))


def triplet(
    anchor: np.ndarray,
    positive: np.ndarray,
    negative: np.ndarray,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (np.abs(x - y + eps) ** p).sum(-1) ** (1 / p)

    apart = distance(anchor, negative)
    if swap:
        apart = np.minimum(apart, distance(positive, negative))
    return reduced(np.maximum(distance(anchor, positive) - apart + margin, 0), reduction)


def triplet_cases(source: Source) -> Call:
    shape = (source.integer(1, 3), source.integer(2, 4))
    options = {"p": source.choice(1.0, 2.0, 3.0), "swap": source.flag(), "reduction": source.choice(*REDUCTIONS)}
    return call(*(source.array(shape, special=False) for _ in range(3)), margin=source.choice(1.0, 5.0), **options)


def hinge_embedding(x: np.ndarray, target: np.ndarray, margin: float = 1.0, reduction: str = "mean") -> Any:
    return reduced(np.where(target == 1, x, np.maximum(0, margin - x)), reduction)


def hinge_cases(source: Source) -> Call:
    x = source.array(source.shape(min_side=1), special=False)
    target = source.random.choice([-1.0, 1.0], x.shape).astype(x.dtype)
    return call(x, target, margin=source.choice(1.0, 2.5), reduction=source.choice(*REDUCTIONS))


def ctc(
    log_probs: np.ndarray,
    targets: np.ndarray,
    input_lengths: np.ndarray,
    target_lengths: np.ndarray,
    blank: int = 0,
    reduction: str = "mean",
) -> Any:
    """Sums the probability of every path that collapses to the target: exponential, and plainly right."""
    losses = []
    for n, (steps, length) in enumerate(zip(input_lengths, target_lengths, strict=True)):
        wanted, total = tuple(targets[n, :length]), -np.inf
        for path in itertools.product(range(log_probs.shape[2]), repeat=int(steps)):
            collapsed = tuple(label for label, _ in itertools.groupby(path) if label != blank)
            if collapsed == wanted:
                total = np.logaddexp(total, sum(log_probs[t, n, label] for t, label in enumerate(path)))
        losses.append(-total)
    values = np.array(losses)
    return np.mean(values / np.maximum(target_lengths, 1)) if reduction == "mean" else reduced(values, reduction)


def ctc_cases(source: Source) -> Call:
    steps, batch, classes = source.integer(3, 5), source.integer(1, 2), 3
    logs = log_softmax(source.array((steps, batch, classes), special=False).astype("float64"), -1).astype(source.dtype)
    # Two equal labels in a row need a blank between them, so a target of two always fits into three steps.
    targets = source.indices((batch, 2), classes - 1) + 1
    lengths = source.random.integers(0 if not source.smooth else 1, 3, batch)
    return call(logs, targets, np.full(batch, steps), lengths, reduction=source.choice(*REDUCTIONS))


SCORES, TARGET = np.ones((2, 3)), np.array([0, 2])
CLASS_REFUSALS = (
    ("IndexError", "class|target|range", (SCORES, np.array([0, 3])), {}),
    ("IndexError", "class|target|range", (SCORES, np.array([-1, 0])), {}),
    ("ShapeError", "weight", (SCORES, TARGET), {"weight": np.ones(2)}),
    ("ShapeError", "", (SCORES, np.array([0, 1, 2])), {}),
    ("ValueError", "reduction", (SCORES, TARGET), BAD_REDUCTION),
)


def class_refusals() -> tuple[Any, ...]:
    return tuple(refuses(kind, match, *args, **kwargs) for kind, match, args, kwargs in CLASS_REFUSALS)


ROWS = (
    regression("mse_loss", lambda x, y: (x - y) ** 2, slack=64),
    regression("l1_loss", lambda x, y: np.abs(x - y)),
    regression("smooth_l1_loss", smooth_l1, {"beta": 0.5}, slack=64),
    regression("huber_loss", huber, {"delta": 0.5}, slack=64),
    Row("kl_div", kl_reference, kl_cases, slack=64),
    Row(
        "binary_cross_entropy",
        bce,
        bce_cases(0.05, 0.95, logits=False),
        dtypes.WIDE_FLOATS,
        slack=32,
        refusals=(refuses("ValueError", "binary_cross_entropy", np.array([1.5]), np.array([1.0])),),
    ),
    Row("binary_cross_entropy_with_logits", bce_with_logits, bce_cases(-4, 4, logits=True), slack=32),
    Row(
        "nll_loss",
        nll,
        lambda source: class_cases(source, lambda x: -np.abs(x)),
        result=None,
        slack=32,
        constants=("weight",),
        refusals=class_refusals(),
    ),
    Row(
        "cross_entropy",
        cross_entropy,
        cross_entropy_cases,
        result=None,
        slack=32,
        constants=("weight",),
        refusals=class_refusals(),
    ),
    Row("cosine_embedding_loss", cosine_embedding, cosine_cases, dtypes.WIDE_FLOATS, result=None, slack=64),
    Row("triplet_margin_loss", triplet, triplet_cases, dtypes.WIDE_FLOATS, slack=64),
    Row("hinge_embedding_loss", hinge_embedding, hinge_cases, slack=16, constants=(1,)),
    Row("ctc_loss", ctc, ctc_cases, dtypes.WIDE_FLOATS, result=None, slack=64, structured=True),
)
