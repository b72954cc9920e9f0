"""Normalisation layers."""

from __future__ import annotations

from typing import Any, ClassVar

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, assign, uninitialized
from ferrograd.nn.sizes import build, required_size


class _RunningNorm(Module):
    """What batch and instance norm share: per-channel weight, bias and running statistics."""

    shapes: ClassVar[tuple[int, ...]]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int | None,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        self.num_features = None if num_features is None else required_size(self, "num_features", num_features)
        self.eps, self.momentum, self.affine = eps, momentum, affine
        self.track_running_stats = track_running_stats
        self.weight = uninitialized((self.num_features,), device, dtype) if affine else None
        self.bias = uninitialized((self.num_features,), device, dtype) if affine and bias else None
        self._statistics = {"device": device, "dtype": dtype or _core.float32}
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            self.register_buffer(name, None)
        if self.num_features is not None:
            self._build(self.num_features)

    def _build(self, num_features: int) -> None:
        self.num_features = num_features
        if self.weight is not None:
            build(self, "weight", (num_features,))
            init.ones_(self.weight)
        if self.bias is not None:
            build(self, "bias", (num_features,))
        if self.track_running_stats:
            self.running_mean = _core.zeros(num_features, **self._statistics)
            self.running_var = _core.ones(num_features, **self._statistics)
            self.num_batches_tracked = _core.zeros((), dtype=_core.int64, device=self._statistics["device"])

    def _check(self, input: Tensor) -> None:
        if input.ndim not in self.shapes:
            expected = " or ".join(map(str, self.shapes))
            raise ShapeError(f"{type(self).__name__}: expected {expected} dimensions, got shape {tuple(input.shape)}")

    def _find_size(self, batch: Tensor) -> None:
        if self.num_features is None:
            self._build(batch.shape[1])

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_RunningNorm):
    def __init__(
        self,
        num_features: int | None = None,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor, residual: Tensor | None = None, relu: bool = False) -> Tensor:
        self._check(input)
        self._find_size(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            assign(self.num_batches_tracked, self.num_batches_tracked + 1)
            if self.momentum is None:
                momentum = 1.0 / int(self.num_batches_tracked)
        batch_statistics = self.training or self.running_mean is None
        return F.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            batch_statistics,
            momentum,
            self.eps,
            residual,
            relu,
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L) per channel C. Arguments as in `BatchNorm2d`.

    >>> import ferrograd as fg
    >>> fg.round(fg.nn.BatchNorm1d(1)(fg.tensor([[-1.0], [1.0]]))).tolist()
    [[-1.0], [1.0]]
    """

    shapes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of (N, C, H, W): (x - mean) / sqrt(var + eps) * weight + bias per channel C.

    While training, mean and biased variance come from the batch, and the running statistics (with the unbiased
    variance) move towards them; in eval mode the running statistics are used (Ioffe & Szegedy 2015).

    Args:
        num_features: C; None finds it at the first call.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics; None averages over all batches.
        affine: whether weight and bias exist.
        track_running_stats: if False, the batch's own statistics are used in eval mode too.
        device, dtype: of parameters and statistics.
        bias: whether bias exists (with affine).

    The call takes two more: `residual`, of the input's shape, is added to the result, and `relu=True` sets what is then
    below zero to zero. Both are done in the same pass over memory, which is faster than ops of their own.

    Raises ShapeError for other dimensions, ValueError while training with one value per channel.

    >>> import ferrograd as fg
    >>> norm, x = fg.nn.BatchNorm2d(3), fg.rand((4, 3, 2, 2))
    >>> norm(x).shape, float(norm(x, residual=x, relu=True).min()) >= 0
    ((4, 3, 2, 2), True)
    """

    shapes = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (N, C, D, H, W) per channel C. Arguments as in `BatchNorm2d`.

    >>> import ferrograd as fg
    >>> fg.nn.BatchNorm3d(2)(fg.rand((2, 2, 2, 2, 2))).shape
    (2, 2, 2, 2, 2)
    """

    shapes = (5,)


class _InstanceNorm(_RunningNorm):
    def __init__(
        self,
        num_features: int | None = None,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check(input)
        unbatched = input.ndim == min(self.shapes)
        batch = input[None] if unbatched else input
        self._find_size(batch)
        if batch.shape[1] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: expected {self.num_features} channels, got shape {tuple(input.shape)}"
            )
        own_statistics = self.training or self.running_mean is None
        momentum = 0.0 if self.momentum is None else self.momentum
        output = F.instance_norm(
            batch, self.running_mean, self.running_var, self.weight, self.bias, own_statistics, momentum, self.eps
        )
        return output[0] if unbatched else output


class InstanceNorm1d(_InstanceNorm):
    """Normalisation of each channel of each sample over L: (N, C, L) or (C, L). Arguments as in `InstanceNorm2d`.

    >>> import ferrograd as fg
    >>> fg.nn.InstanceNorm1d(2)(fg.rand((3, 2, 5))).shape
    (3, 2, 5)
    """

    shapes = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalisation of each channel of each sample over its pixels: (N, C, H, W) or (C, H, W) (Ulyanov et al. 2016).

    Arguments as in `BatchNorm2d`, but affine and track_running_stats are off by default.

    >>> import ferrograd as fg
    >>> fg.nn.InstanceNorm2d()(fg.rand((3, 2, 4, 4))).shape
    (3, 2, 4, 4)
    """

    shapes = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalisation of each channel of each sample: (N, C, D, H, W) or (C, D, H, W). Arguments as in `InstanceNorm2d`.

    >>> import ferrograd as fg
    >>> fg.nn.InstanceNorm3d(2)(fg.rand((1, 2, 2, 2, 2))).shape
    (1, 2, 2, 2, 2)
    """

    shapes = (4, 5)


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions (Ba et al. 2016).

    Args:
        normalized_shape: sizes of the dimensions that are normalised together: an integer for the last one; None
            takes the last one and finds its size at the first call.
        eps: added to the variance.
        elementwise_affine: whether weight and bias exist.
        bias: whether bias exists (with elementwise_affine).
        device, dtype: of the parameters.

    `forward(input, residual=None)`: the norm; with a residual, in the same pass, the pair of input + residual and its
    norm. Raises ShapeError if the input does not end in normalized_shape, or the residual has another shape.

    >>> import ferrograd as fg
    >>> norm = fg.nn.LayerNorm(2)
    >>> fg.round(norm(fg.tensor([[0.0, 2.0]]))).tolist()
    [[-1.0, 1.0]]
    >>> x, y = norm(fg.tensor([[0.0, 2.0]]), residual=fg.tensor([[1.0, 1.0]]))
    >>> x.tolist(), fg.round(y).tolist()
    ([[1.0, 3.0]], [[-1.0, 1.0]])
    """

    weight: Parameter | None
    bias: Parameter | None
    normalized_shape: tuple[int, ...] | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int] | None = None,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.normalized_shape = _shape(self, normalized_shape)
        place = uninitialized(self.normalized_shape or (None,), device, dtype)
        self.weight = place if elementwise_affine else None
        self.bias = place if elementwise_affine and bias else None
        if self.normalized_shape is not None:
            self._build(self.normalized_shape)

    def _build(self, shape: tuple[int, ...]) -> None:
        self.normalized_shape = shape
        if self.weight is not None:
            build(self, "weight", shape)
            init.ones_(self.weight)
        if self.bias is not None:
            build(self, "bias", shape)

    def forward(self, input: Tensor, residual: Tensor | None = None) -> Any:
        shape = self.normalized_shape
        if shape is None:
            shape = tuple(input.shape[-1:])
            self._build(shape)
        if residual is not None:
            return F.add_layer_norm(input, residual, shape, self.weight, self.bias, self.eps)
        return F.layer_norm(input, shape, self.weight, self.bias, self.eps)


class RMSNorm(Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions (Zhang & Sennrich 2019).

    Args:
        normalized_shape: as in `LayerNorm`.
        eps: added to the mean square; None means the dtype's machine epsilon.
        elementwise_affine: whether weight exists.
        device, dtype: of the parameter.

    `forward(input, residual=None)` as in `LayerNorm`.

    >>> import ferrograd as fg
    >>> fg.round(fg.nn.RMSNorm(2)(fg.tensor([[3.0, 3.0]]))).tolist()
    [[1.0, 1.0]]
    """

    weight: Parameter | None
    normalized_shape: tuple[int, ...] | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int] | None = None,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.normalized_shape = _shape(self, normalized_shape)
        place = uninitialized(self.normalized_shape or (None,), device, dtype)
        self.weight = place if elementwise_affine else None
        if self.normalized_shape is not None:
            self._build(self.normalized_shape)

    def _build(self, shape: tuple[int, ...]) -> None:
        self.normalized_shape = shape
        if self.weight is not None:
            build(self, "weight", shape)
            init.ones_(self.weight)

    def forward(self, input: Tensor, residual: Tensor | None = None) -> Any:
        shape = self.normalized_shape
        if shape is None:
            shape = tuple(input.shape[-1:])
            self._build(shape)
        if residual is not None:
            return F.add_rms_norm(input, residual, shape, self.weight, self.eps)
        return F.rms_norm(input, shape, self.weight, self.eps)


class GroupNorm(Module):
    """Normalisation of (N, C, *) over groups of C / num_groups channels and all positions (Wu & He 2018).

    Args:
        num_groups: divides num_channels.
        num_channels: C; None finds it at the first call.
        eps: added to the variance.
        affine: whether weight and bias per channel exist.
        device, dtype: of the parameters.
        bias: whether bias exists (with affine).

    >>> import ferrograd as fg
    >>> fg.nn.GroupNorm(2, 4)(fg.rand((1, 4, 3, 3))).shape
    (1, 4, 3, 3)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int | None = None,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        bias: bool = True,
    ) -> None:
        self.num_groups = required_size(self, "num_groups", num_groups)
        self.num_channels = None if num_channels is None else required_size(self, "num_channels", num_channels)
        self.eps, self.affine = eps, affine
        self.weight = uninitialized((self.num_channels,), device, dtype) if affine else None
        self.bias = uninitialized((self.num_channels,), device, dtype) if affine and bias else None
        if self.num_channels is not None:
            self._build(self.num_channels)

    def _build(self, num_channels: int) -> None:
        if self.num_groups < 1 or num_channels % self.num_groups:
            raise ValueError(f"GroupNorm: num_groups must divide num_channels {num_channels}, got {self.num_groups}")
        self.num_channels = num_channels
        if self.weight is not None:
            build(self, "weight", (num_channels,))
            init.ones_(self.weight)
        if self.bias is not None:
            build(self, "bias", (num_channels,))

    def forward(self, input: Tensor) -> Tensor:
        if self.num_channels is None:
            if input.ndim < 2:
                raise ShapeError(f"GroupNorm: expected at least 2 dimensions (N, C, *), got {tuple(input.shape)}")
            self._build(input.shape[1])
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of x^2 over neighbouring channels)^beta for (N, C, *) (Krizhevsky et al. 2012).

    Args:
        size: how many channels are neighbours, the own one among them.
        alpha, beta, k: as in the formula.

    >>> import ferrograd as fg
    >>> fg.nn.LocalResponseNorm(1, alpha=3.0, beta=1.0)(fg.ones((1, 1, 2))).tolist()
    [[[0.25, 0.25]]]
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = required_size(self, "size", size), alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


def _shape(layer: Module, value: int | tuple[int, ...] | list[int] | None) -> tuple[int, ...] | None:
    if value is None:
        return None
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return tuple(required_size(layer, "normalized_shape", size) for size in values)
