"""Activation functions as layers. Shapes stay as they are, (*) -> (*), where nothing else is said.

`inplace` is accepted as in PyTorch and changes nothing: tensors are values.
"""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter
from ferrograd.nn.sizes import required_size


class _InPlace(Module):
    inplace = False

    def __init__(self, inplace: bool = False) -> None:
        # Shown by repr where it was asked for.
        if inplace:
            self.inplace = True


class ReLU(_InPlace):
    """max(x, 0).

    >>> import ferrograd as fg
    >>> fg.nn.ReLU()(fg.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input)


class ReLU6(_InPlace):
    """min(max(x, 0), 6).

    >>> import ferrograd as fg
    >>> fg.nn.ReLU6()(fg.tensor([-1.0, 8.0])).tolist()
    [0.0, 6.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu6(input)


class LeakyReLU(_InPlace):
    """x where x > 0, else negative_slope * x.

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.LeakyReLU()(fg.tensor([-1.0, 2.0])).tolist()]
    [-0.01, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope)


class ELU(_InPlace):
    """x where x > 0, else alpha * (exp(x) - 1).

    >>> import ferrograd as fg
    >>> fg.nn.ELU()(fg.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha)


class SELU(_InPlace):
    """1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1)) (Klambauer et al. 2017).

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.SELU()(fg.tensor([0.0, 1.0])).tolist()]
    [0.0, 1.05]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input)


class CELU(_InPlace):
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)).

    >>> import ferrograd as fg
    >>> fg.nn.CELU()(fg.tensor([0.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha)


class GELU(Module):
    """x * Phi(x), Phi the normal distribution function; approximate="tanh" uses its tanh form.

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.GELU()(fg.tensor([0.0, 1.0])).tolist()]
    [0.0, 0.84]
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)


class SiLU(_InPlace):
    """x * sigmoid(x).

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.SiLU()(fg.tensor([0.0, 1.0])).tolist()]
    [0.0, 0.73]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input)


class Mish(_InPlace):
    """x * tanh(softplus(x)).

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.Mish()(fg.tensor([0.0, 1.0])).tolist()]
    [0.0, 0.87]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)).

    >>> import ferrograd as fg
    >>> fg.nn.Sigmoid()(fg.tensor([0.0])).tolist()
    [0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class LogSigmoid(Module):
    """log(sigmoid(x)), accurate at both ends.

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.LogSigmoid()(fg.tensor([0.0])).tolist()]
    [-0.69]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Tanh(Module):
    """tanh(x).

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.Tanh()(fg.tensor([0.0, 1.0])).tolist()]
    [0.0, 0.76]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class Tanhshrink(Module):
    """x - tanh(x).

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.Tanhshrink()(fg.tensor([0.0, 1.0])).tolist()]
    [0.0, 0.24]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, the identity where beta x > threshold.

    >>> import ferrograd as fg
    >>> [round(y, 2) for y in fg.nn.Softplus()(fg.tensor([0.0])).tolist()]
    [0.69]
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)


class Softsign(Module):
    """x / (1 + |x|).

    >>> import ferrograd as fg
    >>> fg.nn.Softsign()(fg.tensor([1.0])).tolist()
    [0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Softshrink(Module):
    """x moved towards zero by lambd, zero within +-lambd.

    >>> import ferrograd as fg
    >>> fg.nn.Softshrink()(fg.tensor([0.25, 2.0])).tolist()
    [0.0, 1.5]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class Hardshrink(Module):
    """x outside +-lambd, else zero.

    >>> import ferrograd as fg
    >>> fg.nn.Hardshrink()(fg.tensor([0.25, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Hardtanh(_InPlace):
    """x clipped to min_val ... max_val.

    >>> import ferrograd as fg
    >>> fg.nn.Hardtanh()(fg.tensor([0.5, 2.0])).tolist()
    [0.5, 1.0]
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val)


class Hardsigmoid(_InPlace):
    """min(max(x + 3, 0), 6) / 6.

    >>> import ferrograd as fg
    >>> fg.nn.Hardsigmoid()(fg.tensor([0.0, 3.0])).tolist()
    [0.5, 1.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input)


class Hardswish(_InPlace):
    """x * hardsigmoid(x).

    >>> import ferrograd as fg
    >>> fg.nn.Hardswish()(fg.tensor([3.0])).tolist()
    [3.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input)


class Threshold(_InPlace):
    """x where x > threshold, else value.

    >>> import ferrograd as fg
    >>> fg.nn.Threshold(1.0, 9.0)(fg.tensor([0.5, 2.0])).tolist()
    [9.0, 2.0]
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value)


class RReLU(_InPlace):
    """x where x >= 0, else x times a slope, random in [lower, upper) while training, then their mean (Xu et al. 2015).

    >>> import ferrograd as fg
    >>> fg.nn.RReLU(0.25, 0.75).eval()(fg.tensor([-1.0, 2.0])).tolist()
    [-0.5, 2.0]
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not lower <= upper:
            raise ValueError(f"RReLU: expected lower <= upper, got {lower} and {upper}")
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training)


class PReLU(Module):
    """x where x > 0, else weight * x with a learnt slope, one for all or one per channel (axis 1) (He et al. 2015).

    Args:
        num_parameters: 1, or the number of channels.
        init: first value of the slopes.
        device, dtype: of the slopes, `weight` (num_parameters,).

    >>> import ferrograd as fg
    >>> fg.nn.PReLU()(fg.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        self.num_parameters = required_size(self, "num_parameters", num_parameters)
        self.weight = Parameter(_core.full((self.num_parameters,), init, dtype=dtype or _core.float32, device=device))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)


class GLU(Module):
    """a * sigmoid(b), where a and b are the halves of x along `dim` (Dauphin et al. 2017): that dimension is halved.

    >>> import ferrograd as fg
    >>> fg.nn.GLU()(fg.tensor([3.0, 0.0])).tolist()
    [1.5]
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)
