"""Initial values of parameters. Every function writes into the tensor it is given and returns it, as in PyTorch."""

from __future__ import annotations

import math
from typing import Any, Literal

import ferrograd as fg
from ferrograd import _core
from ferrograd._core import Generator, ShapeError, Tensor
from ferrograd.nn.parameter import assign

Mode = Literal["fan_in", "fan_out"]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Factor that keeps the variance through a nonlinearity (He et al. 2015; Klambauer et al. 2017 for selu).

    Args:
        nonlinearity: "linear", "conv1d" ... "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
        param: the negative slope of leaky_relu (0.01 if left out).

    >>> import ferrograd as fg
    >>> round(fg.nn.init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1.0 + (0.01 if param is None else param) ** 2))
    gains = {"sigmoid": 1.0, "linear": 1.0, "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 0.75}
    gains |= {f"conv{t}{n}d": 1.0 for t in ("", "_transpose") for n in (1, 2, 3)}
    if nonlinearity not in gains:
        names = ", ".join(["leaky_relu", *gains])
        raise ValueError(f"calculate_gain: unknown nonlinearity, expected one of {names}, got {nonlinearity!r}")
    return gains[nonlinearity]


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    shape = tensor.shape
    if len(shape) < 2:
        raise ShapeError(f"{op}: expected at least 2 dimensions (out, in, *kernel), got shape {tuple(shape)}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _fan(op: str, tensor: Tensor, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: expected mode 'fan_in' or 'fan_out', got {mode!r}")
    return max(_fans(op, tensor)[mode == "fan_out"], 1)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the uniform distribution on [a, b)."""
    draw = _core.rand(tensor.shape, dtype=tensor.dtype, device=tensor.device, generator=generator)
    return _set(tensor, draw * (b - a) + a)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution with the given mean and standard deviation."""
    if std < 0:
        raise ValueError(f"normal_: expected std >= 0, got {std}")
    draw = _core.randn(tensor.shape, dtype=tensor.dtype, device=tensor.device, generator=generator)
    return _set(tensor, draw * std + mean)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution cut to [a, b] (by rejection, so the shape inside is exact).

    Raises ValueError if the interval holds less than 1 % of the distribution.
    """
    if std <= 0:
        raise ValueError(f"trunc_normal_: expected std > 0, got {std}")
    low, high = (a - mean) / std, (b - mean) / std
    if math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)) < 0.02:
        raise ValueError(f"trunc_normal_: [{a}, {b}] holds less than 1 % of a normal with mean {mean} and std {std}")
    options: dict[str, Any] = {"device": tensor.device, "generator": generator}
    draw = _core.randn(tensor.shape, dtype=tensor.dtype, **options)
    outside = (draw < low) | (draw > high)
    while bool(_core.any(outside)):
        draw = _core.where(outside, _core.randn(tensor.shape, dtype=tensor.dtype, **options), draw)
        outside = (draw < low) | (draw > high)
    return _set(tensor, _core.clip(draw * std + mean, a, b))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    return _set(tensor, _core.full(tensor.shape, val, dtype=tensor.dtype, device=tensor.device))


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Set a matrix (n, m) to the identity, ones on its main diagonal."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: expected 2 dimensions, got shape {tuple(tensor.shape)}")
    return _set(tensor, _core.eye(tensor.shape[0], tensor.shape[1], dtype=tensor.dtype, device=tensor.device))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Set a convolution weight (out, in / groups, *kernel) so that the layer passes its channels through."""
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5):
        raise ShapeError(f"dirac_: expected 3, 4 or 5 dimensions, got shape {shape}")
    if groups < 1 or shape[0] % groups:
        raise ValueError(
            f"dirac_: groups must divide the output channels, expected a divisor of {shape[0]}, got {groups}"
        )
    value = _core.zeros(shape, dtype=tensor.dtype, device=tensor.device)
    centre = tuple(size // 2 for size in shape[2:])
    per_group = shape[0] // groups
    for group in range(groups):
        for channel in range(min(per_group, shape[1])):
            value[(group * per_group + channel, channel, *centre)] = 1.0
    return _set(tensor, value)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform on [-r, r), r = gain * sqrt(6 / (fan_in + fan_out)); weights (out, in, *kernel) (Glorot & Bengio 2010).

    >>> import ferrograd as fg
    >>> weight = fg.nn.init.xavier_uniform_(fg.zeros((30, 20)))
    >>> bool(fg.all(fg.abs(weight) <= (6 / 50) ** 0.5))
    True
    """
    bound = gain * math.sqrt(6.0 / max(sum(_fans("xavier_uniform_", tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with std = gain * sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    std = gain * math.sqrt(2.0 / max(sum(_fans("xavier_normal_", tensor)), 1))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform on [-r, r), r = gain * sqrt(3 / fan); `a` is leaky_relu's negative slope (He et al. 2015)."""
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3.0 / _fan("kaiming_uniform_", tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: Mode = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with std = gain / sqrt(fan); `a` is leaky_relu's negative slope (He et al. 2015)."""
    std = calculate_gain(nonlinearity, a) / math.sqrt(_fan("kaiming_normal_", tensor, mode))
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Rows or columns, whichever are fewer, orthonormal, times gain (Saxe et al. 2013).

    Dimensions after the first count as one.

    >>> import ferrograd as fg
    >>> weight = fg.nn.init.orthogonal_(fg.zeros((2, 5)))
    >>> bool(fg.all(fg.abs(weight @ weight.T - fg.eye(2)) < 1e-5))
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: expected at least 2 dimensions, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if rows * columns == 0:
        return tensor
    tall = (max(rows, columns), min(rows, columns))
    q, r = fg.linalg.qr(_core.randn(tall, dtype=_core.float64, generator=generator))
    # The signs of r's diagonal make the distribution uniform over orthogonal matrices (Mezzadri 2007).
    diagonal = fg.linalg.diagonal(r)
    q = q * _core.where(diagonal < 0, -_core.ones_like(diagonal), _core.ones_like(diagonal))
    q = q if rows >= columns else q.T
    return _set(tensor, (q.reshape(tensor.shape) * gain).to(device=tensor.device, dtype=tensor.dtype))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal with the given std, and zeros at a share `sparsity` of each column of (n, m) (Martens 2010).

    >>> import ferrograd as fg
    >>> weight = fg.nn.init.sparse_(fg.zeros((10, 4)), sparsity=0.3)
    >>> fg.count_nonzero(weight, axis=0).tolist()
    [7, 7, 7, 7]
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: expected 2 dimensions, got shape {tuple(tensor.shape)}")
    rows = tensor.shape[0]
    draw = _core.randn(tensor.shape, dtype=tensor.dtype, device=tensor.device, generator=generator) * std
    # Ranks of independent draws are a random permutation of each column.
    keys = _core.rand(tensor.shape, dtype=_core.float64, device=tensor.device, generator=generator)
    ranks = _core.argsort(_core.argsort(keys, axis=0), axis=0)
    return _set(tensor, draw.masked_fill(ranks < math.ceil(sparsity * rows), 0.0))


def _set(tensor: Tensor, value: Tensor) -> Tensor:
    assign(tensor, value)
    return tensor


glorot_uniform_ = xavier_uniform_
glorot_normal_ = xavier_normal_
he_uniform_ = kaiming_uniform_
he_normal_ = kaiming_normal_
