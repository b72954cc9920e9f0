"""Help for tests: comparing tensors, checking gradients, seeded inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor

# Relative and absolute tolerance by dtype name, as in torch.testing.
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    check_dtype: bool = False,
) -> None:
    """Assert that two tensors or arrays have one shape and |actual - expected| <= atol + rtol |expected|.

    Args:
        actual, expected: tensors, arrays, numbers or nested lists.
        rtol, atol: tolerances; by default those of the less precise dtype (0 for integers).
        equal_nan: whether NaN equals NaN.
        check_dtype: whether the dtypes must agree, too.

    Raises AssertionError that says where the largest difference is.

    >>> import ferrograd as fg
    >>> fg.testing.assert_close(fg.tensor([0.1]) * 3, [0.3])
    """
    kinds = [str(x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype) for x in (actual, expected)]
    if check_dtype and kinds[0] != kinds[1]:
        raise AssertionError(f"assert_close: dtypes differ, expected {kinds[1]}, got {kinds[0]}")
    default = max(TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds)
    rtol, atol = default[0] if rtol is None else rtol, default[1] if atol is None else atol
    got, want = _wide(actual), _wide(expected)
    if got.shape != want.shape:
        raise AssertionError(f"assert_close: shapes differ, expected {want.shape}, got {got.shape}")
    # isclose would round large integers to floats.
    exact = rtol == atol == 0 and got.dtype.kind in "biu" and want.dtype.kind in "biu"
    near = got == want if exact else np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if near.all():
        return
    with np.errstate(invalid="ignore"):
        difference = np.where(near, -1.0, np.nan_to_num(np.abs(got - want), nan=np.inf))
    worst = np.unravel_index(np.argmax(difference), difference.shape)
    raise AssertionError(
        f"assert_close: {np.count_nonzero(~near)} of {near.size} elements differ (rtol {rtol}, atol {atol}); "
        f"the worst is at {tuple(int(i) for i in worst)}, expected {want[worst]}, got {got[worst]}"
    )


def _wide(value: Any) -> np.ndarray[Any, Any]:
    """The values as NumPy's widest dtype of their kind (int64 and uint64 stay exact)."""
    if isinstance(value, Tensor):
        value = value.detach().to(device="cpu")
        value = value.to(dtype=_core.float64) if value.dtype == _core.bfloat16 else value
    array = np.asarray(value)
    wide = {"f": np.float64, "c": np.complex128}.get(array.dtype.kind, array.dtype)
    return array.astype(wide)


def gradcheck(
    function: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    *,
    eps: float = 1e-6,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    seed: int = 0,
) -> bool:
    """Compare the gradients of `function(*inputs)` with central differences, for a random cotangent.

    Args:
        function: takes the inputs, returns a tensor or a tuple of tensors; must be the same function every time.
        inputs: float64 tensors; those with requires_grad are checked.
        eps: half the step of the differences.
        rtol, atol: tolerances.
        seed: of the cotangent.

    Returns True, or raises AssertionError that names the input and the element.

    >>> import ferrograd as fg
    >>> x = fg.testing.make_tensor(3, dtype=fg.float64, requires_grad=True)
    >>> fg.testing.gradcheck(lambda x: fg.exp(x) * x, x)
    True
    """
    values = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = [i for i, value in enumerate(values) if value.requires_grad]
    if not checked or any(values[i].dtype != _core.float64 for i in checked):
        raise ValueError("gradcheck: expected float64 inputs of which at least one requires a gradient")
    leaves = [value.detach() for value in values]
    for i in checked:
        leaves[i].requires_grad = True
    generator = np.random.default_rng(seed)
    outputs = _tuple(function(*leaves))
    cotangents = [generator.standard_normal(tuple(out.shape)) for out in outputs]
    _core._backward(list(outputs), [_core.asarray(c) for c in cotangents])

    def projected(changed: list[Tensor]) -> float:
        with no_grad():
            results = _tuple(function(*changed))
        return sum(float(np.sum(np.asarray(r) * c)) for r, c in zip(results, cotangents, strict=True))

    for i in checked:
        start = np.array(values[i].detach().numpy(), dtype=np.float64)
        numeric = np.zeros_like(start)
        for position in np.ndindex(start.shape):
            ends = []
            for sign in (1.0, -1.0):
                moved = start.copy()
                moved[position] += sign * eps
                ends.append(projected([*leaves[:i], _core.asarray(moved), *leaves[i + 1 :]]))
            numeric[position] = (ends[0] - ends[1]) / (2 * eps)
        grad = leaves[i].grad
        analytic = np.zeros_like(start) if grad is None else grad
        try:
            assert_close(analytic, numeric, rtol=rtol, atol=atol)
        except AssertionError as error:
            raise AssertionError(f"gradcheck: the gradient of input {i} is wrong; {error}") from None
    return True


def _tuple(value: Any) -> tuple[Tensor, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def make_tensor(
    *shape: int,
    seed: int = 0,
    dtype: Any = None,
    low: float = -1.0,
    high: float = 1.0,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of random values in [low, high) that depend on the seed and the shape alone.

    >>> import ferrograd as fg
    >>> a, b = fg.testing.make_tensor(2, 3), fg.testing.make_tensor(2, 3)
    >>> a.shape, bool(fg.all(a == b))
    ((2, 3), True)
    """
    dtype = dtype or _core.float32
    generator = np.random.default_rng(seed)
    if dtype.kind == "bool":
        values: Any = generator.random(shape) < 0.5
    elif dtype.kind.endswith("integer"):
        values = generator.integers(int(low), max(int(high), int(low) + 1), shape)
    else:
        values = generator.uniform(low, high, shape)
        if dtype.kind == "complex floating":
            values = values + 1j * generator.uniform(low, high, shape)
    tensor = _core.asarray(values).to(device=device or "cpu", dtype=dtype)
    if requires_grad:
        tensor.requires_grad = True
    return tensor
