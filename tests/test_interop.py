"""Tensors in the company of others: NumPy, buffers, DLPack, pickle, copies, Python scalars."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import ferrograd as fg
from harness import compare, dtypes
from harness.layouts import LAYOUTS

NUMPY_DTYPES = [name for name in dtypes.ALL if name != "bfloat16"]


def sample(dtype: str) -> np.ndarray:
    return dtypes.random_values(np.random.default_rng(0), (3, 4), dtype, -4, 4, special=False)


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_numpy_both_ways_keeps_dtype_and_bits(dtype: str) -> None:
    values = sample(dtype)
    back = np.asarray(fg.asarray(values))
    assert back.dtype == values.dtype
    assert back.tobytes() == values.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numpy_view_shares_memory_and_is_read_only(layout: str) -> None:
    placed = LAYOUTS[layout](sample("float32"))
    tensor = placed.view(fg, fg.asarray(placed.leaf))
    first, second = tensor.numpy(), np.asarray(tensor)
    np.testing.assert_array_equal(first, placed.values)
    assert np.shares_memory(first, second)
    assert not first.flags.writeable


def test_a_numpy_view_survives_its_tensor_and_later_writes() -> None:
    tensor = fg.asarray([1.0, 2.0])
    view = tensor.numpy()
    tensor[0] = 9.0
    np.testing.assert_array_equal(view, [1.0, 2.0])
    del tensor
    np.testing.assert_array_equal(view, [1.0, 2.0])


def test_asarray_copies_unless_told_not_to() -> None:
    values = np.ones(3, "float32")
    copied, shared = fg.asarray(values), fg.asarray(values, copy=False)
    values[0] = 5.0
    assert float(copied[0]) == 1.0
    assert float(shared[0]) == 5.0


def test_array_protocol_honours_dtype_and_copy() -> None:
    tensor = fg.asarray([1.0, 2.0])
    assert np.asarray(tensor, dtype="float64").dtype == np.float64
    fresh = np.array(tensor)
    fresh[0] = 7.0
    assert float(tensor[0]) == 1.0
    with pytest.raises(ValueError, match="copy"):
        tensor.__array__(np.dtype("float64"), copy=False)


def test_ndarray_on_the_left_reaches_us() -> None:
    result = np.ones(2, "float32") + fg.ones(2)
    assert isinstance(result, fg.Tensor)
    np.testing.assert_array_equal(np.asarray(result), [2.0, 2.0])


AWKWARD = {
    "negative strides": lambda: np.arange(6.0).reshape(2, 3)[::-1, ::-1],
    "zero strides": lambda: np.broadcast_to(np.float64(2), (2, 3)),
    "unaligned": lambda: np.arange(33, dtype=np.uint8)[1:].view(np.float64),
    "byte-swapped": lambda: np.arange(3, dtype=">f8"),
    "Fortran order": lambda: np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "read-only": lambda: np.frombuffer(np.arange(3.0).tobytes()),
    "0-d": lambda: np.array(3.0),
    "empty": lambda: np.empty((0, 3)),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_arrays_keep_their_values(name: str) -> None:
    values = AWKWARD[name]()
    tensor = fg.asarray(values)
    assert tensor.shape == values.shape
    np.testing.assert_array_equal(np.asarray(tensor), values.astype("=f8"))


@pytest.mark.parametrize("values", [np.array([1, None], object), np.zeros(2, "i4,f8"), np.array(["a"])], ids=str)
def test_arrays_that_are_no_numbers_are_refused(values: np.ndarray) -> None:
    with pytest.raises(fg.DTypeError):
        fg.asarray(values)


@pytest.mark.parametrize("dtype", NUMPY_DTYPES)
def test_dlpack_both_ways(dtype: str) -> None:
    values = sample(dtype)
    np.testing.assert_array_equal(np.asarray(fg.from_dlpack(values)), values)
    np.testing.assert_array_equal(np.from_dlpack(fg.asarray(values)), values)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_dlpack_keeps_strides(layout: str) -> None:
    placed = LAYOUTS[layout](sample("float64"))
    tensor = placed.view(fg, fg.asarray(placed.leaf))
    np.testing.assert_array_equal(np.from_dlpack(tensor), placed.values)
    np.testing.assert_array_equal(np.asarray(fg.from_dlpack(tensor)), placed.values)


def test_dlpack_honours_version_copy_and_device() -> None:
    tensor = fg.ones(3)
    assert "dltensor_versioned" in repr(tensor.__dlpack__(max_version=(1, 0)))
    assert "dltensor_versioned" not in repr(tensor.__dlpack__())
    assert tensor.__dlpack_device__() == (1, 0)
    with pytest.raises((BufferError, ValueError)):
        tensor.__dlpack__(dl_device=(2, 0))
    tensor.__dlpack__(max_version=(1, 0), copy=True)


def test_unused_dlpack_capsules_free_their_memory() -> None:
    for _ in range(1000):
        fg.ones((256, 256)).__dlpack__()


@pytest.mark.parametrize("dtype", dtypes.ALL)
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "deepcopy", "pickle"]
)
def test_copies_are_equal_and_separate(dtype: str, again: Any) -> None:
    tensor = compare.to_tensor(fg, sample(dtype), dtype)
    other = again(tensor)
    assert other.dtype == tensor.dtype
    compare.assert_same_bits(other, tensor)
    other[0] = other[1]
    np.testing.assert_array_equal(compare.to_numpy(tensor), sample(dtype))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_keep_requires_grad(again: Any) -> None:
    assert again(fg.tensor([1.0], requires_grad=True)).requires_grad


def test_scalars_convert_by_kind() -> None:
    assert float(fg.asarray(2.5)) == 2.5
    assert int(fg.asarray(3)) == 3
    assert complex(fg.asarray(1 + 2j)) == 1 + 2j
    assert bool(fg.asarray(True)) is True
    assert [10, 20, 30][fg.asarray(1)] == 20
    assert fg.asarray(2.5).item() == 2.5
    with pytest.raises(TypeError):
        fg.asarray(1.5).__index__()
    with pytest.raises(ValueError, match=r"one element|size 1|truth"):
        bool(fg.ones(2))


def test_lists_and_iteration() -> None:
    x = fg.asarray([[1, 2], [3, 4]])
    assert x.tolist() == [[1, 2], [3, 4]]
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert len(x) == 2
    with pytest.raises(TypeError):
        len(fg.asarray(1.0))
    with pytest.raises(TypeError):
        iter(fg.asarray(1.0))


def test_repr_shows_values_and_stays_short() -> None:
    assert "1" in repr(fg.asarray([1.0, 2.5]))
    assert "2.5" in repr(fg.asarray([1.0, 2.5]))
    assert len(repr(fg.zeros((1000, 1000)))) < 2000
    assert "float64" in repr(fg.zeros(2, dtype=fg.float64))
    assert "requires_grad" in repr(fg.tensor([1.0], requires_grad=True))


def test_value_semantics() -> None:
    x = fg.asarray([1.0, 2.0, 3.0])
    y, z = x, x[1:]
    x = fg.asarray(x)
    z[0] = 50.0
    assert x.tolist() == [1.0, 2.0, 3.0]
    assert z.tolist() == [50.0, 3.0]
    x += 1
    assert x.tolist() == [2.0, 3.0, 4.0]
    assert y.tolist() == [1.0, 2.0, 3.0]


def test_asarray_without_a_copy_is_the_tensor_itself() -> None:
    x = fg.tensor([1.0, 2.0])
    shared = fg.asarray(x, copy=False)
    x[0] = 5.0
    assert shared.tolist() == [5.0, 2.0]
    with pytest.raises(ValueError, match="needs a copy"):
        fg.asarray(x, dtype=fg.float64, copy=False)
