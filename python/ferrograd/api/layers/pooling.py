"""Pooling, zero padding and up-sampling under Keras's names, with channels last or first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ferrograd import _core, nn
from ferrograd._core import Tensor
from ferrograd.api.layers.base import Spatial
from ferrograd.api.layers.convolution import Sizes, padded
from ferrograd.nn import functional as F
from ferrograd.nn.sizes import per_dimension


class Pooling(Spatial):
    """Windows of `pool_size` at every `strides` (by default the window): what `MaxPooling2D` and its like share."""

    base: ClassVar[Any]
    dimensions: ClassVar[int]

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(data_format, **common)
        self.sides = str(padding).lower()
        if self.sides not in ("valid", "same"):
            raise ValueError(f"{type(self).__name__}: padding must be valid or same, got {padding!r}")
        window = per_dimension(self, "pool_size", pool_size, self.dimensions, 1)
        steps = window if strides is None else per_dimension(self, "strides", strides, self.dimensions, 1)
        self.base.__init__(self, window, steps)

    def _pool(self, x: Tensor) -> Tensor:
        return self.base.forward(self, x)  # type: ignore[no-any-return]

    def forward(self, input: Any) -> Tensor:
        return self._finish(self._pool(self._channels_first(input)))


class _MaxPooling(Pooling):
    kernel_size: Any
    stride: Any

    def _pool(self, x: Tensor) -> Tensor:
        return super()._pool(padded(x, self.kernel_size, self.stride, -float("inf")) if self.sides == "same" else x)


class _AveragePooling(Pooling):
    kernel_size: Any
    stride: Any

    def _pool(self, x: Tensor) -> Tensor:
        if self.sides == "valid":
            return super()._pool(x)
        # The border counts for nothing: means over the window are divided by the share of real values in it.
        inside = _core.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        means, shares = (
            super(_AveragePooling, self)._pool(padded(t, self.kernel_size, self.stride)) for t in (x, inside)
        )
        return means / shares


class MaxPooling1D(_MaxPooling, nn.MaxPool1d):
    """Largest value of each window of sequences (N, L, C); arguments as in `MaxPooling2D`.

    >>> import ferrograd as fg
    >>> fg.api.MaxPooling1D(2).forward(fg.zeros((1, 6, 3))).shape
    (1, 3, 3)
    """

    base, dimensions = nn.MaxPool1d, 1


class MaxPooling2D(_MaxPooling, nn.MaxPool2d):
    """Largest value of each window of images (N, H, W, C) -> (N, H_out, W_out, C); a `nn.MaxPool2d`.

    Args:
        pool_size: window, an integer or (height, width).
        strides: step between windows; None means pool_size.
        padding: "valid" (only whole windows) or "same" (H_out = ceil(H / stride)).
        data_format: "channels_last" or "channels_first"; None follows the model, whose default is last.
        common: `name`, `input_shape`.

    >>> import ferrograd as fg
    >>> fg.api.MaxPooling2D(pool_size=(2, 2)).forward(fg.zeros((1, 26, 26, 32))).shape
    (1, 13, 13, 32)
    """

    base, dimensions = nn.MaxPool2d, 2


class MaxPooling3D(_MaxPooling, nn.MaxPool3d):
    """Largest value of each window of volumes (N, D, H, W, C); arguments as in `MaxPooling2D`.

    >>> import ferrograd as fg
    >>> fg.api.MaxPooling3D().forward(fg.zeros((1, 4, 4, 4, 1))).shape
    (1, 2, 2, 2, 1)
    """

    base, dimensions = nn.MaxPool3d, 3


class AveragePooling1D(_AveragePooling, nn.AvgPool1d):
    """Mean of each window of sequences (N, L, C); arguments as in `MaxPooling2D`.

    >>> import ferrograd as fg
    >>> fg.api.AveragePooling1D(2, padding="same").forward(fg.ones((1, 3, 1))).tolist()
    [[[1.0], [1.0]]]
    """

    base, dimensions = nn.AvgPool1d, 1


class AveragePooling2D(_AveragePooling, nn.AvgPool2d):
    """Mean of each window of images (N, H, W, C); arguments as in `MaxPooling2D`.

    >>> import ferrograd as fg
    >>> fg.api.AveragePooling2D(2).forward(fg.zeros((1, 8, 8, 3))).shape
    (1, 4, 4, 3)
    """

    base, dimensions = nn.AvgPool2d, 2


class AveragePooling3D(_AveragePooling, nn.AvgPool3d):
    """Mean of each window of volumes (N, D, H, W, C); arguments as in `MaxPooling2D`.

    >>> import ferrograd as fg
    >>> fg.api.AveragePooling3D(2).forward(fg.zeros((1, 4, 4, 4, 1))).shape
    (1, 2, 2, 2, 1)
    """

    base, dimensions = nn.AvgPool3d, 3


class _Global(Spatial):
    largest: ClassVar[bool]

    def __init__(self, data_format: Any = None, keepdims: bool = False, **common: Any) -> None:
        super().__init__(data_format, **common)
        self.keepdims = keepdims

    def forward(self, input: Any) -> Tensor:
        x = self._tensor(input)
        axes = tuple(range(1, x.ndim - 1)) if self.channels_last else tuple(range(2, x.ndim))
        return (_core.max if self.largest else _core.mean)(x, axis=axes, keepdims=self.keepdims)


class GlobalMaxPooling2D(_Global):
    """Largest value of each channel: (N, H, W, C) -> (N, C), and the same with one or three spatial axes.

    >>> import ferrograd as fg
    >>> fg.api.GlobalMaxPooling2D().forward(fg.zeros((2, 4, 4, 3))).shape
    (2, 3)
    """

    largest = True


class GlobalAveragePooling2D(_Global):
    """Mean of each channel: (N, H, W, C) -> (N, C), and the same with one or three spatial axes.

    >>> import ferrograd as fg
    >>> fg.api.GlobalAveragePooling2D().forward(fg.zeros((2, 4, 4, 3))).shape
    (2, 3)
    """

    largest = False


GlobalMaxPooling1D = GlobalMaxPooling3D = GlobalMaxPooling2D
GlobalAveragePooling1D = GlobalAveragePooling3D = GlobalAveragePooling2D


class ZeroPadding2D(Spatial):
    """Zeros around images: an amount for all sides, (height, width), or ((top, bottom), (left, right)).

    >>> import ferrograd as fg
    >>> fg.api.ZeroPadding2D((1, 2)).forward(fg.zeros((1, 4, 4, 3))).shape
    (1, 6, 8, 3)
    """

    def __init__(
        self, padding: int | Sequence[int] | Sequence[Sequence[int]] = 1, data_format: Any = None, **common: Any
    ) -> None:
        super().__init__(data_format, **common)
        pair: Any = (padding, padding) if isinstance(padding, int) else tuple(padding)
        self.padding = tuple(per_dimension(self, "padding", side, 2, 0) for side in pair)
        if len(self.padding) != 2:
            raise ValueError(f"ZeroPadding2D: expected an amount per axis, got {padding!r}")

    def forward(self, input: Any) -> Tensor:
        (top, bottom), (left, right) = self.padding
        return self._finish(F.pad(self._channels_first(input), [left, right, top, bottom]))


class UpSampling2D(Spatial):
    """Images enlarged by whole factors: each value repeated, or interpolated ("bilinear").

    >>> import ferrograd as fg
    >>> fg.api.UpSampling2D(2).forward([[[[1.0]]]]).tolist()
    [[[[1.0], [1.0]], [[1.0], [1.0]]]]
    """

    def __init__(self, size: Sizes = 2, data_format: Any = None, interpolation: str = "nearest", **common: Any) -> None:
        super().__init__(data_format, **common)
        self.size, self.interpolation = per_dimension(self, "size", size, 2, 1), interpolation

    def forward(self, input: Any) -> Tensor:
        x = self._channels_first(input)
        size = [extent * factor for extent, factor in zip(x.shape[2:], self.size, strict=True)]
        return self._finish(F.interpolate(x, size=size, mode=self.interpolation))
