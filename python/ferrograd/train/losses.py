"""Losses by name: functions of (outputs, targets) that average over the batch.

PyTorch's names take logits where PyTorch does; Keras's names take probabilities. After a front-end layer that ends in
softmax or sigmoid, both are computed on its logits. Classes are given as integers or as one-hot rows.
"""

from __future__ import annotations

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.train.logits import logits_of

__all__ = [
    "bce",
    "bce_with_logits",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "l1",
    "log_cosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "nll",
    "poisson",
    "smooth_l1",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

_TINY = 1e-7


def class_targets(outputs: Tensor, targets: Tensor) -> Tensor:
    """Targets as `F.cross_entropy` takes them: int64 classes, or probabilities in the shape of the outputs.

    Classes may have a last axis of size one. Raises ShapeError for other shapes, ValueError for fractions of classes.
    """
    if targets.shape == outputs.shape:
        return targets.astype(outputs.dtype, copy=False)
    if targets.shape == (*outputs.shape[:-1], 1):
        targets = targets.squeeze(-1)
    if targets.shape != outputs.shape[:-1]:
        raise ShapeError(
            f"cross-entropy: expected classes {tuple(outputs.shape[:-1])} or one-hot rows {tuple(outputs.shape)} "
            f"for outputs {tuple(outputs.shape)}, got {tuple(targets.shape)}"
        )
    classes = targets.astype(_core.int64, copy=False)
    if targets.dtype.is_floating_point and not bool(_core.all(classes.astype(targets.dtype) == targets)):
        raise ValueError("cross-entropy: expected whole numbers as classes, got fractions or NaN")
    return classes


def categorical_crossentropy(
    outputs: Tensor, targets: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """-log p[target] for probabilities (or logits) whose classes are the last axis; integer or one-hot targets.

    >>> import ferrograd as fg
    >>> p = fg.tensor([[0.25, 0.75]])
    >>> round(fg.train.losses.categorical_crossentropy(p, fg.tensor([1])).item(), 4)
    0.2877
    """
    targets = class_targets(outputs, targets)
    logits = outputs if from_logits else logits_of(outputs, "softmax")
    if logits is None:
        shares = outputs / outputs.sum(axis=-1, keepdims=True)
        logits = _core.log(_core.clip(shares, _TINY, 1.0))
    if logits.ndim > 2:
        logits = _core.moveaxis(logits, -1, 1)
        targets = _core.moveaxis(targets, -1, 1) if targets.ndim == logits.ndim else targets
    return F.cross_entropy(logits, targets, label_smoothing=label_smoothing)


sparse_categorical_crossentropy = categorical_crossentropy


def binary_crossentropy(outputs: Tensor, targets: Tensor, from_logits: bool = False) -> Tensor:
    """-(y log p + (1 - y) log(1 - p)) for probabilities (or logits); targets of the outputs' shape, or without its 1.

    >>> import ferrograd as fg
    >>> round(fg.train.losses.binary_crossentropy(fg.tensor([[0.5]]), fg.tensor([1])).item(), 4)
    0.6931
    """
    targets = like_outputs(outputs, targets)
    logits = outputs if from_logits else logits_of(outputs, "sigmoid")
    return F.binary_cross_entropy(outputs, targets) if logits is None else bce_with_logits(logits, targets)


def like_outputs(outputs: Tensor, targets: Tensor) -> Tensor:
    """Targets in the outputs' dtype, and with their last axis if that has the size one."""
    if outputs.ndim == targets.ndim + 1 and outputs.shape[-1] == 1:
        targets = targets.reshape(outputs.shape)
    return targets.astype(outputs.dtype, copy=False)


def cross_entropy(outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """-log softmax(outputs)[target]: `F.cross_entropy`, which takes logits (N, C, d1, ...)."""
    logits = logits_of(outputs, "softmax")
    if logits is not None:
        return categorical_crossentropy(logits, targets, from_logits=True, label_smoothing=label_smoothing)
    return F.cross_entropy(outputs, targets, label_smoothing=label_smoothing)


def nll(outputs: Tensor, targets: Tensor) -> Tensor:
    """-outputs[target] for log probabilities."""
    return F.nll_loss(outputs, targets)


def bce(outputs: Tensor, targets: Tensor) -> Tensor:
    """Same as `binary_crossentropy` for probabilities."""
    return binary_crossentropy(outputs, targets)


def bce_with_logits(outputs: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of sigmoid(outputs)."""
    return F.binary_cross_entropy_with_logits(outputs, like_outputs(outputs, targets))


def mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """(outputs - targets)^2."""
    return F.mse_loss(outputs, like_outputs(outputs, targets))


def mean_absolute_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """|outputs - targets|."""
    return F.l1_loss(outputs, like_outputs(outputs, targets))


def mean_absolute_percentage_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """100 |y - outputs| / |y|.

    >>> import ferrograd as fg
    >>> fg.train.losses.mean_absolute_percentage_error(fg.tensor([3.0]), fg.tensor([4.0])).item()
    25.0
    """
    y = like_outputs(outputs, targets)
    return 100.0 * (_core.abs(y - outputs) / _core.maximum(_core.abs(y), _TINY)).mean()


def mean_squared_logarithmic_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """(log(1 + y) - log(1 + outputs))^2, with negative values taken as 0."""
    y, p = (_core.log1p(F.relu(t)) for t in (like_outputs(outputs, targets), outputs))
    return F.mse_loss(p, y)


mse = mean_squared_error
mae = l1 = mean_absolute_error
mape, msle = mean_absolute_percentage_error, mean_squared_logarithmic_error


def smooth_l1(outputs: Tensor, targets: Tensor, beta: float = 1.0) -> Tensor:
    """0.5 d^2 / beta where d = |outputs - targets| < beta, else d - 0.5 beta."""
    return F.smooth_l1_loss(outputs, like_outputs(outputs, targets), beta=beta)


def huber(outputs: Tensor, targets: Tensor, delta: float = 1.0) -> Tensor:
    """0.5 d^2 where d = |outputs - targets| < delta, else delta (d - 0.5 delta)."""
    return F.huber_loss(outputs, like_outputs(outputs, targets), delta=delta)


def log_cosh(outputs: Tensor, targets: Tensor) -> Tensor:
    """log cosh d with d = outputs - targets, computed as d + softplus(-2 d) - log 2."""
    difference = outputs - like_outputs(outputs, targets)
    return (difference + F.softplus(-2.0 * difference) - 0.6931471805599453).mean()


def _shortfall(outputs: Tensor, targets: Tensor) -> Tensor:
    signs = like_outputs(outputs, targets)
    if not bool(_core.any(signs < 0)):
        signs = 2.0 * signs - 1.0
    return F.relu(1.0 - signs * outputs)


def hinge(outputs: Tensor, targets: Tensor) -> Tensor:
    """max(0, 1 - y outputs) for y of -1 and 1; targets of 0 and 1 are taken as those."""
    return _shortfall(outputs, targets).mean()


def squared_hinge(outputs: Tensor, targets: Tensor) -> Tensor:
    """max(0, 1 - y outputs)^2, targets as in `hinge`."""
    return _core.square(_shortfall(outputs, targets)).mean()


def categorical_hinge(outputs: Tensor, targets: Tensor) -> Tensor:
    """max(0, 1 + the largest of 0 and the wrong outputs - the right one); integer or one-hot targets, classes last."""
    y = class_targets(outputs, targets)
    y = y if y.dtype.is_floating_point else F.one_hot(y, outputs.shape[-1]).astype(outputs.dtype)
    return F.relu(1.0 + _core.max((1.0 - y) * outputs, axis=-1) - (y * outputs).sum(axis=-1)).mean()


def kl_divergence(outputs: Tensor, targets: Tensor) -> Tensor:
    """Sum over the last axis of y log(y / p), both probabilities."""
    y, p = (_core.clip(t, _TINY, 1.0) for t in (like_outputs(outputs, targets), outputs))
    return (y * _core.log(y / p)).sum(axis=-1).mean()


def poisson(outputs: Tensor, targets: Tensor) -> Tensor:
    """outputs - y log(outputs): negative log-likelihood of counts y under rates, up to a constant."""
    return (outputs - like_outputs(outputs, targets) * _core.log(outputs + _TINY)).mean()


def cosine_similarity(outputs: Tensor, targets: Tensor) -> Tensor:
    """Minus the cosine of the angle between outputs and targets along the last axis."""
    y = like_outputs(outputs, targets)
    lengths = _core.sqrt((outputs * outputs).sum(axis=-1) * (y * y).sum(axis=-1))
    return -((outputs * y).sum(axis=-1) / _core.maximum(lengths, _TINY)).mean()
