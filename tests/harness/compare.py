"""Tensors against NumPy references."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import dtypes


def dtype_name(value: Any) -> str:
    """`float32` for a tensor, an array, a dtype object of either, or its name."""
    return str(getattr(value, "dtype", value)).rsplit(".", 1)[-1]


def to_tensor(fg: Any, values: np.ndarray, dtype: str, device: str = "cpu") -> Any:
    tensor = fg.asarray(values)
    if dtype_name(tensor) != dtype:
        tensor = fg.astype(tensor, getattr(fg, dtype))
    return tensor if device == "cpu" else tensor.to(device)


def to_numpy(tensor: Any) -> np.ndarray:
    """The values; bfloat16 as float32, which NumPy has."""
    if dtype_name(tensor) == "bfloat16":
        tensor = tensor.to("float32")
    return np.asarray(tensor.to("cpu").detach().numpy() if hasattr(tensor, "detach") else tensor)


def outputs(result: Any) -> list[Any]:
    """One op's results as a list, whether it returns a tensor, a tuple, a list or a scalar."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def assert_matches(actual: Any, expected: Any, slack: float = 1.0) -> None:
    """Same number of outputs, shapes, NaNs, infinities, and values within the tolerance of the actual dtype."""
    got, wanted = outputs(actual), outputs(expected)
    assert len(got) == len(wanted), f"{len(got)} outputs, expected {len(wanted)}"
    for index, (tensor, reference) in enumerate(zip(got, wanted, strict=True)):
        assert_close(tensor, reference, slack, f"output {index}: " if len(got) > 1 else "")


def assert_close(tensor: Any, reference: Any, slack: float, where: str) -> None:
    if not hasattr(tensor, "dtype"):
        assert tensor == reference, where
        return
    reference = np.asarray(reference)
    dtype, values = dtype_name(tensor), to_numpy(tensor)
    assert values.shape == reference.shape, f"{where}shape {values.shape}, expected {reference.shape}"
    relative, absolute = dtypes.TOLERANCE.get(dtype, (0.0, 0.0))
    if not relative:
        np.testing.assert_array_equal(values, reference, err_msg=where)
        return
    expected = dtypes.rounded(reference, dtype)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(values, expected, relative * slack, absolute * slack, err_msg=where)


def assert_close_arrays(one: np.ndarray, other: np.ndarray, slack: float) -> None:
    """Within the tolerance of their dtype, relative to the largest value: for results of sums in another order."""
    assert one.dtype == other.dtype
    relative, absolute = dtypes.TOLERANCE.get(one.dtype.name, (0.0, 0.0))
    largest = float(np.abs(one[np.isfinite(one)]).max(initial=0)) if one.dtype.kind in "fc" else 0.0
    np.testing.assert_allclose(other, one, relative * slack, absolute * slack * max(1.0, largest))


def assert_same_bits(actual: Any, expected: Any, where: str = "") -> None:
    for one, other in zip(outputs(actual), outputs(expected), strict=True):
        first, second = to_numpy(one), to_numpy(other)
        assert first.dtype == second.dtype, where
        assert first.shape == second.shape, where
        assert first.tobytes() == second.tobytes(), where
