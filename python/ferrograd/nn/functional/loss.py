"""Losses that are sums of other ops."""

from __future__ import annotations

import math
from collections.abc import Callable

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn.functional.distance import pairwise_distance


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target input, or input - target log(input + eps); with `full` also Stirling's log(target!)."""
    _same_shape("poisson_nll_loss", input, target)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        many = _core.maximum(target, 1.0)
        stirling = many * many.log() - many + 0.5 * (2 * math.pi * many).log()
        loss = loss + _core.where(target > 1, stirling, _core.zeros_like(stirling))
    return _reduce("poisson_nll_loss", loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """0.5 (log var + (input - target)^2 / var), and 0.5 log(2 pi) with `full`; variances are at least eps."""
    if not isinstance(var, Tensor):
        var = _core.full_like(input, var)
    if tuple(var.shape) == tuple(input.shape[:-1]):
        var = var.unsqueeze(-1)
    if var.ndim != input.ndim or any(v not in (1, x) for v, x in zip(var.shape, input.shape, strict=True)):
        raise ShapeError(f"gaussian_nll_loss: expected var to fit input {tuple(input.shape)}, got {tuple(var.shape)}")
    if bool((var < 0).any()):
        raise ValueError("gaussian_nll_loss: expected variances >= 0, got a negative one")
    # The floor counts as a value alone: the gradient passes as if it were not there.
    var = var + (_core.maximum(var, eps) - var).detach()
    loss = 0.5 * (var.log() + (input - target).square() / var)
    return _reduce("gaussian_nll_loss", loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """log(1 + exp(-target input)) for targets of 1 and -1."""
    _same_shape("soft_margin_loss", input, target)
    return _reduce("soft_margin_loss", -(target * input).logsigmoid(), reduction)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """max(0, -target (input1 - input2) + margin)."""
    return _reduce("margin_ranking_loss", (margin - target * (input1 - input2)).relu(), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """sum over i != y of weight[y] max(0, margin - x[y] + x[i])^p / C; input (N, C), target (N,), or (C,) and ()."""
    scores, classes = _with_batch("multi_margin_loss", input, target, input.ndim - 1)
    right = _core.gather(scores, 1, classes.unsqueeze(1))
    gaps = (margin - right + scores).relu()
    gaps = gaps if p == 1 else gaps**p
    if weight is not None:
        gaps = gaps * _core.take(weight, classes).unsqueeze(1)
    own = _core.one_hot(classes, scores.shape[1]) != 0
    losses = gaps.masked_fill(own, 0.0).sum(axis=1) / scores.shape[1]
    return _reduce("multi_margin_loss", losses if input.ndim == 2 else losses[0], reduction)


def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """sum over right j and wrong i of max(0, 1 - x[j] + x[i]) / C; targets list classes up to the first -1."""
    scores, listed = _with_batch("multilabel_margin_loss", input, target, input.ndim)
    counts = _core.cummin((listed >= 0).to(dtype=_core.int64), 1)[0] != 0
    labels = listed.masked_fill(~counts, 0)
    right = ((_core.one_hot(labels, scores.shape[1]) != 0) & counts.unsqueeze(-1)).any(axis=1)
    gaps = (1.0 - _core.gather(scores, 1, labels).unsqueeze(2) + scores.unsqueeze(1)).relu()
    apart = counts.unsqueeze(2) & ~right.unsqueeze(1)
    losses = gaps.masked_fill(~apart, 0.0).sum(axis=(1, 2)) / scores.shape[1]
    return _reduce("multilabel_margin_loss", losses if input.ndim == 2 else losses[0], reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """Binary cross-entropy of logits, averaged over the last dimension."""
    _same_shape("multilabel_soft_margin_loss", input, target)
    losses = -(target * input.logsigmoid() + (1 - target) * (-input).logsigmoid())
    losses = losses if weight is None else losses * weight
    return _reduce("multilabel_soft_margin_loss", losses.mean(axis=-1), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(d(anchor, positive) - d(anchor, negative) + margin, 0); d is the pairwise distance by default."""
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    far = _core.minimum(far, distance(positive, negative)) if swap else far
    return _reduce("triplet_margin_with_distance_loss", (near - far + margin).relu(), reduction)


def focal_loss(
    input: Tensor,
    target: Tensor,
    gamma: float = 2.0,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """(1 - p)^gamma times cross-entropy, p the probability of the target; logits (N, C, ...), classes (N, ...)."""
    losses = _core.cross_entropy(input, target, ignore_index=ignore_index, reduction="none")
    losses = (1.0 - (-losses).exp()) ** gamma * losses
    counts = target != ignore_index
    if weight is not None:
        classes = target.masked_fill(~counts, 0)
        losses = losses * _core.take(weight, classes.reshape((-1,))).reshape(target.shape)
    losses = losses.masked_fill(~counts, 0.0)
    if reduction == "mean":
        return losses.sum() / counts.sum().to(dtype=losses.dtype)
    return _reduce("focal_loss", losses, reduction)


def dice_loss(
    input: Tensor, target: Tensor, smooth: float = 1.0, mode: str = "multiclass", reduction: str = "mean"
) -> Tensor:
    """1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth) per sample and class; logits (N, C, d1, ...)."""
    if input.ndim < 3:
        raise ShapeError(f"dice_loss: expected logits (N, C, d1, ...), got {tuple(input.shape)}")
    if mode == "binary":
        probabilities, truth = input.sigmoid(), target.to(dtype=input.dtype)
    else:
        probabilities = input.softmax(axis=1)
        truth = _core.moveaxis(_core.one_hot(target, input.shape[1]), -1, 1).to(dtype=input.dtype)
    _same_shape("dice_loss", probabilities, truth)
    positions = tuple(range(2, input.ndim))
    overlap = (probabilities * truth).sum(axis=positions)
    areas = probabilities.sum(axis=positions) + truth.sum(axis=positions)
    return _reduce("dice_loss", 1.0 - (2.0 * overlap + smooth) / (areas + smooth), reduction)


def _reduce(op: str, losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise ValueError(f"{op}: expected reduction 'none', 'mean' or 'sum', got {reduction!r}")


def _same_shape(op: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        raise ShapeError(
            f"{op}: expected input and target of one shape, got {tuple(input.shape)} and {tuple(target.shape)}"
        )


def _with_batch(op: str, input: Tensor, target: Tensor, target_ndim: int) -> tuple[Tensor, Tensor]:
    """Scores (N, C) and their targets, from (N, C) or (C,)."""
    if input.ndim not in (1, 2) or target.ndim != target_ndim or target.shape != input.shape[: target.ndim]:
        raise ShapeError(
            f"{op}: expected scores (N, C) or (C,) and targets that fit, got {tuple(input.shape)} "
            f"and {tuple(target.shape)}"
        )
    return (input, target) if input.ndim == 2 else (input.unsqueeze(0), target.unsqueeze(0))
