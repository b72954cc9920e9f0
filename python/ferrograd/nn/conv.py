"""Convolutions and transposed convolutions over one, two or three dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, is_sized, uninitialized
from ferrograd.nn.sizes import build, per_dimension, required_size

Sizes = int | tuple[int, ...]


class _Convolution(Module):
    """What all convolutions share: sizes, weights, their initial values."""

    dimensions: ClassVar[int]
    transposed: ClassVar[bool] = False
    padding: Any
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int | None,
        out_channels: int | None,
        kernel_size: Sizes | None,
        stride: Sizes,
        padding: Sizes | str,
        dilation: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        kind, dims = type(self).__name__, self.dimensions
        self.out_channels = required_size(self, "out_channels", out_channels)
        self.kernel_size = per_dimension(self, "kernel_size", kernel_size, dims, 1)
        self.stride = per_dimension(self, "stride", stride, dims, 1)
        self.dilation = per_dimension(self, "dilation", dilation, dims, 1)
        self.groups = required_size(self, "groups", groups)
        if self.groups < 1 or self.out_channels % self.groups:
            raise ValueError(f"{kind}: groups must divide out_channels {self.out_channels}, got {groups}")
        if isinstance(padding, str):
            if self.transposed or padding not in ("same", "valid"):
                expected = "integers" if self.transposed else "integers, 'same' or 'valid'"
                raise ValueError(f"{kind}: padding must be {expected}, got {padding!r}")
            if padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError(f"{kind}: padding 'same' needs stride 1, got {self.stride}")
            self.padding = padding
        else:
            self.padding = per_dimension(self, "padding", padding, dims, 0)
        modes = ("zeros",) if self.transposed else ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(f"{kind}: expected padding_mode from {modes}, got {padding_mode!r}")
        self.padding_mode = padding_mode
        self.weight = uninitialized(self._weight_shape(None), device, dtype)
        self.bias = uninitialized((self.out_channels,), device, dtype) if bias else None
        if in_channels is not None:
            self._build(required_size(self, "in_channels", in_channels))

    @property
    def in_channels(self) -> int | None:
        """Number of input channels, None until it is known."""
        if not is_sized(self.weight):
            return None
        return int(self.weight.shape[0] if self.transposed else self.weight.shape[1] * self.groups)

    def _weight_shape(self, in_channels: int | None) -> tuple[int | None, ...]:
        if self.transposed:
            return (in_channels, self.out_channels // self.groups, *self.kernel_size)
        return (self.out_channels, None if in_channels is None else in_channels // self.groups, *self.kernel_size)

    def _build(self, in_channels: int) -> None:
        if in_channels % self.groups:
            raise ValueError(f"{type(self).__name__}: groups {self.groups} must divide in_channels, got {in_channels}")
        shape = tuple(size or 0 for size in self._weight_shape(in_channels))
        build(self, "weight", shape)
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            build(self, "bias", (self.out_channels,))
            bound = 1 / math.sqrt(max(math.prod(shape[1:]), 1))
            init.uniform_(self.bias, -bound, bound)

    def _prepare(self, input: Tensor) -> None:
        if not is_sized(self.weight):
            if input.ndim not in (self.dimensions + 1, self.dimensions + 2):
                raise ShapeError(
                    f"{type(self).__name__}: expected {self.dimensions + 2} dimensions (N, C, ...), "
                    f"got shape {tuple(input.shape)}"
                )
            self._build(input.shape[-self.dimensions - 1])

    def extra_repr(self) -> str:
        n = self.dimensions
        defaults = {"padding": (0,) * n, "output_padding": (0,) * n, "dilation": (1,) * n, "groups": 1}
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        shown += [f"{k}={getattr(self, k)!r}" for k, v in defaults.items() if getattr(self, k, v) != v]
        shown += ["bias=False"] if self.bias is None else []
        shown += [f"padding_mode={self.padding_mode!r}"] if self.padding_mode != "zeros" else []
        return ", ".join(shown)


class _Conv(_Convolution):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int | None = None,
        out_channels: int | None = None,
        kernel_size: Sizes | None = None,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        self._prepare(input)
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._pad_sides(), mode=self.padding_mode)
            padding = 0
        return self._function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def _pad_sides(self) -> list[int]:
        """Amounts for `F.pad`: last dimension first, left before right."""
        if self.padding == "valid":
            return [0] * (2 * self.dimensions)
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return [side for total in reversed(totals) for side in (total // 2, total - total // 2)]
        return [amount for amount in reversed(self.padding) for _ in range(2)]


class Conv1d(_Conv):
    """Cross-correlation over one dimension: (N, C_in, L) -> (N, C_out, L_out), also without N.

    L_out = floor((L + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1. Arguments as in `Conv2d`;
    `weight` is (out_channels, in_channels / groups, kernel_size).

    >>> import ferrograd as fg
    >>> fg.nn.Conv1d(2, 4, 3, padding=1)(fg.zeros((1, 2, 10))).shape
    (1, 4, 10)
    """

    dimensions = 1
    _function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Cross-correlation over height and width: (N, C_in, H, W) -> (N, C_out, H_out, W_out), also without N.

    H_out = floor((H + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1, and the same for W.

    Args:
        in_channels: C_in; None finds it at the first call.
        out_channels: C_out.
        kernel_size, stride, dilation: an integer, or one per dimension.
        padding: the same, or "same" (output as large as the input; stride 1) or "valid" (none).
        groups: number of blocks that input and output channels are divided into; divides both.
        bias: whether a bias per output channel is added.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        device, dtype: of the parameters.

    `weight` is (out_channels, in_channels / groups, kH, kW), `bias` (out_channels,), initialised as in PyTorch.
    Raises ShapeError if the input has other channels or is smaller than the kernel.

    >>> import ferrograd as fg
    >>> fg.nn.Conv2d(1, 8, kernel_size=3)(fg.zeros((2, 1, 8, 8))).shape
    (2, 8, 6, 6)
    """

    dimensions = 2
    _function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Cross-correlation over depth, height and width: (N, C_in, D, H, W) -> (N, C_out, D_out, H_out, W_out).

    Arguments and sizes as in `Conv2d`; `weight` is (out_channels, in_channels / groups, kD, kH, kW).

    >>> import ferrograd as fg
    >>> fg.nn.Conv3d(1, 2, 2)(fg.zeros((1, 1, 4, 4, 4))).shape
    (1, 2, 3, 3, 3)
    """

    dimensions = 3
    _function = staticmethod(F.conv3d)


class DepthwiseConv2d(Conv2d):
    """`Conv2d` with filters that see one channel each: (N, C, H, W) -> (N, C * depth_multiplier, H_out, W_out).

    Args:
        in_channels: C.
        kernel_size, stride, padding, dilation, bias, padding_mode, device, dtype: as in `Conv2d`.
        depth_multiplier: filters per channel.

    >>> import ferrograd as fg
    >>> layer = fg.nn.DepthwiseConv2d(4, 3, padding=1)
    >>> layer(fg.zeros((1, 4, 8, 8))).shape, layer.weight.shape
    ((1, 4, 8, 8), (4, 1, 3, 3))
    """

    def __init__(
        self,
        in_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        depth_multiplier: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        channels = required_size(self, "in_channels", in_channels)
        filters = channels * required_size(self, "depth_multiplier", depth_multiplier)
        super().__init__(
            channels, filters, kernel_size, stride, padding, dilation, channels, bias, padding_mode, device, dtype
        )


class SeparableConv2d(Module):
    """A `DepthwiseConv2d` and a 1 x 1 `Conv2d`: (N, C_in, H, W) -> (N, C_out, H_out, W_out) (Chollet 2017).

    Args:
        in_channels, out_channels: C_in, C_out.
        kernel_size, stride, padding, dilation, depth_multiplier, padding_mode: of the depthwise part.
        bias: of the 1 x 1 part; the depthwise part has none.
        device, dtype: of the parameters.

    >>> import ferrograd as fg
    >>> fg.nn.SeparableConv2d(4, 6, 3)(fg.zeros((1, 4, 8, 8))).shape
    (1, 6, 6, 6)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        depth_multiplier: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.depthwise = DepthwiseConv2d(
            in_channels, kernel_size, stride, padding, dilation, depth_multiplier, False, padding_mode, device, dtype
        )
        filters = self.depthwise.out_channels
        self.pointwise = Conv2d(filters, out_channels, 1, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = self.pointwise(self.depthwise(input))
        return output


class _ConvTranspose(_Convolution):
    transposed = True
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int | None = None,
        out_channels: int | None = None,
        kernel_size: Sizes | None = None,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.output_padding = per_dimension(self, "output_padding", output_padding, self.dimensions, 0)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        self._prepare(input)
        extra = self.output_padding if output_size is None else self._extra_for(input, output_size)
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _extra_for(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        """The output padding that gives spatial sizes `output_size`; ShapeError if none does."""
        wanted = tuple(output_size)[-self.dimensions :]
        sizes = input.shape[-self.dimensions :]
        least = [
            (size - 1) * step - 2 * pad + dilation * (kernel - 1) + 1
            for size, step, pad, dilation, kernel in zip(
                sizes, self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        most = [low + step - 1 for low, step in zip(least, self.stride, strict=True)]
        if len(wanted) != self.dimensions or not all(
            low <= want <= high for low, want, high in zip(least, wanted, most, strict=True)
        ):
            raise ShapeError(
                f"{type(self).__name__}: expected output_size from {least} to {most}, got {tuple(output_size)}"
            )
        return tuple(want - low for want, low in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """Gradient of `Conv1d` with respect to its input, as a layer: (N, C_in, L) -> (N, C_out, L_out).

    Arguments as in `ConvTranspose2d`.

    >>> import ferrograd as fg
    >>> fg.nn.ConvTranspose1d(2, 1, 4, stride=2)(fg.zeros((1, 2, 5))).shape
    (1, 1, 12)
    """

    dimensions = 1
    _function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Gradient of `Conv2d` with respect to its input, as a layer: (N, C_in, H, W) -> (N, C_out, H_out, W_out).

    H_out = (H - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1, and the same for W.

    Args:
        output_padding: sizes added to one side of the output shape; `forward(input, output_size=...)` finds them.
        in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation: as in `Conv2d`.

    `weight` is (in_channels, out_channels / groups, kH, kW), as in PyTorch.

    >>> import ferrograd as fg
    >>> fg.nn.ConvTranspose2d(2, 3, 2, stride=2)(fg.zeros((1, 2, 4, 4))).shape
    (1, 3, 8, 8)
    """

    dimensions = 2
    _function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """Gradient of `Conv3d` with respect to its input, as a layer; arguments as in `ConvTranspose2d`.

    >>> import ferrograd as fg
    >>> fg.nn.ConvTranspose3d(1, 1, 2, stride=2)(fg.zeros((1, 1, 2, 2, 2))).shape
    (1, 1, 4, 4, 4)
    """

    dimensions = 3
    _function = staticmethod(F.conv_transpose3d)
