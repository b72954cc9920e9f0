"""Convolutions under Keras's names: the layers of `ferrograd.nn`, with channels last or first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.api.initializers import Initializer, initializer
from ferrograd.api.layers.base import Activation, Spatial, function_of
from ferrograd.nn import functional as F
from ferrograd.nn.parameter import uninitialized

Sizes = int | Sequence[int]


class _Convolution(Spatial):
    """Keras's settings, initial values and padding around `base`, the layer of `ferrograd.nn` that computes."""

    base: ClassVar[Any]
    weight: Any
    bias: Any
    kernel_size: Any
    stride: Any
    dilation: Any
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Sizes = 1,
        groups: int = 1,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        **common: Any,
    ) -> None:
        super().__init__(data_format, **common)
        self.sides = str(padding).lower()
        if self.sides not in self.paddings:
            raise ValueError(f"{type(self).__name__}: padding must be {' or '.join(self.paddings)}, got {padding!r}")
        self.activation = function_of(activation)
        self.kernel_initializer, self.bias_initializer = initializer(kernel_initializer), initializer(bias_initializer)
        sizes = {"kernel_size": kernel_size, "stride": strides, "dilation": dilation_rate}
        self.base.__init__(self, None, filters, groups=groups, bias=use_bias, **sizes)

    def _build(self, in_channels: int) -> None:
        self.base._build(self, in_channels)
        self.kernel_initializer(self.weight)
        if self.bias is not None:
            self.bias_initializer(self.bias)
        self._freeze_if_asked()

    def forward(self, input: Any) -> Tensor:
        x = self._channels_first(input)
        if self.sides != "valid":
            window = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            x = padded(x, window, self.stride) if self.sides == "same" else F.pad(x, [window[0] - 1, 0])
        return self._finish(self.base.forward(self, x), self.activation)


class Conv1D(_Convolution, nn.Conv1d):
    """Convolution over sequences (N, L, C) -> (N, L_out, filters); arguments as in `Conv2D`, also padding="causal".

    >>> import ferrograd as fg
    >>> fg.api.Conv1D(4, 3, padding="causal").forward(fg.zeros((1, 10, 2))).shape
    (1, 10, 4)
    """

    base = nn.Conv1d
    paddings = ("valid", "same", "causal")


class Conv2D(_Convolution, nn.Conv2d):
    """Convolution over images (N, H, W, C) -> (N, H_out, W_out, filters), or with channels first; a `nn.Conv2d`.

    Args:
        filters: number of output channels.
        kernel_size, strides, dilation_rate: an integer or one per axis.
        padding: "valid" (none) or "same" (H_out = ceil(H / stride)).
        data_format: "channels_last" or "channels_first"; None follows the model, whose default is last.
        groups: number of blocks that input and output channels are divided into.
        activation: name, table, function or layer applied to the result.
        use_bias: whether a bias per filter is added.
        kernel_initializer, bias_initializer: names of initial values, or functions of `nn.init`.
        common: `name`, `input_shape`, `trainable`.

    `weight` has PyTorch's layout, (filters, C / groups, kH, kW). Raises ShapeError for other channels than before.

    >>> import ferrograd as fg
    >>> fg.api.Conv2D(32, kernel_size=(3, 3), activation="relu").forward(fg.zeros((1, 28, 28, 1))).shape
    (1, 26, 26, 32)
    """

    base = nn.Conv2d


class Conv3D(_Convolution, nn.Conv3d):
    """Convolution over volumes (N, D, H, W, C) -> (N, D_out, H_out, W_out, filters); arguments as in `Conv2D`.

    >>> import ferrograd as fg
    >>> fg.api.Conv3D(2, 2).forward(fg.zeros((1, 4, 4, 4, 1))).shape
    (1, 3, 3, 3, 2)
    """

    base = nn.Conv3d


class _Transposed(_Convolution):
    """Output size: size * stride for "same", that plus max(kernel - stride, 0) for "valid", as in Keras."""

    padding: Any
    output_padding: Any

    def __init__(
        self, filters: int, kernel_size: Sizes, strides: Sizes = 1, padding: str = "valid", **settings: Any
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, **settings)
        overlap = [d * (k - 1) + 1 - s for d, k, s in zip(self.dilation, self.kernel_size, self.stride, strict=True)]
        self.output_padding = tuple(max(-over, 0) for over in overlap)
        if self.sides == "same":
            self.padding = tuple(max(over, 0) // 2 for over in overlap)

    def forward(self, input: Any, output_size: Sequence[int] | None = None) -> Tensor:
        x = self._channels_first(input)
        if output_size is not None:
            return self._finish(self.base.forward(self, x, output_size), self.activation)
        y = self.base.forward(self, x)
        if self.sides == "same":
            # An odd overlap leaves one value too much at the far side.
            ends = [size * step for size, step in zip(x.shape[2:], self.stride, strict=True)]
            y = y[(slice(None), slice(None), *(slice(end) for end in ends))]
        return self._finish(y, self.activation)


class Conv1DTranspose(_Transposed, nn.ConvTranspose1d):
    """Transposed convolution over sequences; arguments as in `Conv2D`.

    >>> import ferrograd as fg
    >>> fg.api.Conv1DTranspose(2, 3, strides=2, padding="same").forward(fg.zeros((1, 5, 1))).shape
    (1, 10, 2)
    """

    base = nn.ConvTranspose1d


class Conv2DTranspose(_Transposed, nn.ConvTranspose2d):
    """Transposed convolution over images, the gradient of `Conv2D` as a layer; arguments as in `Conv2D`.

    >>> import ferrograd as fg
    >>> fg.api.Conv2DTranspose(8, 3, strides=2, padding="same").forward(fg.zeros((1, 7, 7, 4))).shape
    (1, 14, 14, 8)
    """

    base = nn.ConvTranspose2d


class Conv3DTranspose(_Transposed, nn.ConvTranspose3d):
    """Transposed convolution over volumes; arguments as in `Conv2D`.

    >>> import ferrograd as fg
    >>> fg.api.Conv3DTranspose(1, 2, strides=2).forward(fg.zeros((1, 2, 2, 2, 1))).shape
    (1, 4, 4, 4, 1)
    """

    base = nn.ConvTranspose3d


class DepthwiseConv2D(Conv2D):
    """Each channel convolved by kernels of its own: (N, H, W, C) -> (N, H_out, W_out, C depth_multiplier).

    Args:
        kernel_size, strides, padding, common: as in `Conv2D`.
        depth_multiplier: number of kernels per channel.

    >>> import ferrograd as fg
    >>> fg.api.DepthwiseConv2D(3, depth_multiplier=2).forward(fg.zeros((1, 8, 8, 4))).shape
    (1, 6, 6, 8)
    """

    def __init__(
        self,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        depthwise_initializer: Initializer = "glorot_uniform",
        **common: Any,
    ) -> None:
        super().__init__(
            depth_multiplier, kernel_size, strides, padding, kernel_initializer=depthwise_initializer, **common
        )
        self.depth_multiplier = depth_multiplier
        # How many kernels there are is known with the input's channels.
        self.weight = uninitialized((None, 1, *self.kernel_size))
        if self.bias is not None:
            self.bias = uninitialized((None,))

    def _build(self, in_channels: int) -> None:
        self.groups, self.out_channels = in_channels, in_channels * self.depth_multiplier
        super()._build(in_channels)


class SeparableConv2D(Spatial):
    """A `DepthwiseConv2D` followed by a 1 x 1 `Conv2D` (Chollet 2017): (N, H, W, C) -> (N, H_out, W_out, filters).

    Args:
        filters, kernel_size, strides, padding, activation, use_bias, common: as in `Conv2D`.
        depth_multiplier: as in `DepthwiseConv2D`.

    >>> import ferrograd as fg
    >>> fg.api.SeparableConv2D(16, 3, padding="same").forward(fg.zeros((1, 8, 8, 4))).shape
    (1, 8, 8, 16)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: Any = None,
        dilation_rate: Sizes = 1,
        depth_multiplier: int = 1,
        activation: Activation = None,
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(data_format, **common)
        self.depthwise = DepthwiseConv2D(
            kernel_size, strides, padding, depth_multiplier, dilation_rate=dilation_rate, use_bias=False
        )
        self.pointwise = Conv2D(filters, 1, activation=activation, use_bias=use_bias)

    def forward(self, input: Any) -> Tensor:
        self.depthwise.data_format = self.pointwise.data_format = self.data_format
        return self.pointwise(self.depthwise(input))  # type: ignore[no-any-return]


def padded(x: Tensor, window: Sequence[int], stride: Sequence[int], value: float = 0.0) -> Tensor:
    """x (N, C, ...) widened so that windows at every `stride` give ceil(size / stride) outputs; more at the end."""
    amounts: list[int] = []
    for size, reach, step in zip(reversed(x.shape[2:]), reversed(window), reversed(stride), strict=True):
        total = max((-(-size // step) - 1) * step + reach - size, 0)
        amounts += [total // 2, total - total // 2]
    return F.pad(x, amounts, value=value) if any(amounts) else x
