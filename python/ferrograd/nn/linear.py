"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, is_sized, uninitialized
from ferrograd.nn.sizes import build, required_size


class Identity(Module):
    """Gives back its input; any arguments are accepted and ignored.

    >>> import ferrograd as fg
    >>> fg.nn.Identity()(fg.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """y = x W^T + b on the last dimension: (*, in_features) -> (*, out_features).

    Args:
        in_features: size of the last input dimension; None finds it at the first call.
        out_features: size of the last output dimension.
        bias: whether b is added.
        device, dtype: of the parameters.

    `weight` has the shape (out_features, in_features), `bias` (out_features,); both start uniform on
    +-1/sqrt(in_features), as in PyTorch. Raises ShapeError if the input's last dimension is not in_features.

    From the second call with the same weight on, for more than 16 rows, a copy of it in the order that the processor
    reads fastest is kept on the CPU until the weight changes: inference is faster and holds these weights twice.

    >>> import ferrograd as fg
    >>> layer = fg.nn.Linear(out_features=2)
    >>> layer(fg.zeros((5, 3))).shape, layer.weight.shape
    ((5, 2), (2, 3))
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int | None = None,
        out_features: int | None = None,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.out_features = required_size(self, "out_features", out_features)
        self.weight = uninitialized((self.out_features, None), device, dtype)
        self.bias = uninitialized((self.out_features,), device, dtype) if bias else None
        if in_features is not None:
            self._build(required_size(self, "in_features", in_features))

    @property
    def in_features(self) -> int | None:
        """Size of the last input dimension, None until it is known."""
        return self.weight.shape[1] if is_sized(self.weight) else None

    def _build(self, in_features: int) -> None:
        build(self, "weight", (self.out_features, in_features))
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            build(self, "bias", (self.out_features,))
            bound = 1 / math.sqrt(max(in_features, 1))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        if not is_sized(self.weight):
            self._build(input.shape[-1])
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y = x1^T A x2 + b: (*, in1_features) and (*, in2_features) -> (*, out_features).

    Args:
        in1_features, in2_features: sizes of the last input dimensions.
        out_features: size of the last output dimension.
        bias: whether b is added.
        device, dtype: of the parameters.

    `weight` has the shape (out_features, in1_features, in2_features); both parameters start uniform on
    +-1/sqrt(in1_features). Raises ShapeError for other sizes.

    >>> import ferrograd as fg
    >>> fg.nn.Bilinear(2, 3, 4)(fg.ones((5, 2)), fg.ones((5, 3))).shape
    (5, 4)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.in1_features = required_size(self, "in1_features", in1_features)
        self.in2_features = required_size(self, "in2_features", in2_features)
        self.out_features = required_size(self, "out_features", out_features)
        shape = (self.out_features, self.in1_features, self.in2_features)
        place = {"dtype": dtype or _core.float32, "device": device}
        bound = 1 / math.sqrt(max(self.in1_features, 1))
        self.weight = Parameter(_core.zeros(shape, **place))
        init.uniform_(self.weight, -bound, bound)
        self.bias: Parameter | None = None
        if bias:
            self.bias = Parameter(_core.zeros(self.out_features, **place))
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)
