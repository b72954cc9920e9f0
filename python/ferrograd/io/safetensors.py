"""safetensors: named tensors in one file, read and written by the rules of the format.

A file is 8 bytes (little-endian length of the header), the header (JSON: name -> dtype, shape, data_offsets), the data.
The rules are enforced exactly: every byte of the data belongs to one tensor, in the order of the offsets, without
holes; sizes match shapes. Anything else is a `FormatError`, raised before a tensor is made.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ferrograd import _core
from ferrograd._core import FormatError, Tensor
from ferrograd.io.files import write_file

MAX_HEADER = 100_000_000
MAX_DIMENSIONS = 64

# Name in the file -> (dtype of the tensor, NumPy type of the bytes); bfloat16 has no NumPy type.
_DTYPES: dict[str, tuple[Any, str]] = {
    "BOOL": (_core.bool, "u1"),
    "U8": (_core.uint8, "u1"),
    "I8": (_core.int8, "i1"),
    "U16": (_core.uint16, "<u2"),
    "I16": (_core.int16, "<i2"),
    "F16": (_core.float16, "<f2"),
    "BF16": (_core.bfloat16, "<u2"),
    "U32": (_core.uint32, "<u4"),
    "I32": (_core.int32, "<i4"),
    "F32": (_core.float32, "<f4"),
    "U64": (_core.uint64, "<u8"),
    "I64": (_core.int64, "<i8"),
    "F64": (_core.float64, "<f8"),
    "C64": (_core.complex64, "<c8"),
}
_FOREIGN = {"F4", "F6_E2M3", "F6_E3M2", "F8_E4M3", "F8_E5M2", "F8_E8M0"}


class Entry(NamedTuple):
    """Where a tensor lies in the data."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def load_file(path: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """Read all tensors of a file into memory.

    Raises FormatError for a file that breaks a rule of the format, OSError if it cannot be read.

    >>> import ferrograd as fg, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "x.safetensors")
    ...     fg.io.safetensors.save_file({"x": fg.ones((2, 2))}, path)
    ...     fg.io.safetensors.load_file(path)["x"].tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    with Path(path).open("rb") as file:
        entries, _ = _read_header(file, str(path))
        return {name: _read_tensor(file, name, entry, device, str(path)) for name, entry in entries.items()}


def load_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The text entries a writer left in the header (`__metadata__`)."""
    with Path(path).open("rb") as file:
        return _read_header(file, str(path))[1]


def save_file(
    tensors: Mapping[str, Tensor], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write tensors under their names, all or nothing: an existing file is replaced only by a complete one.

    Raises TypeError for other values than tensors, DTypeError for a dtype the format does not have.
    """
    header, arrays = _make_header(tensors, metadata)

    def write(file: BinaryIO) -> None:
        file.write(len(header).to_bytes(8, "little") + header)
        for array in arrays:
            file.write(array.data)

    write_file(path, write)


def _read_header(file: BinaryIO, path: str) -> tuple[dict[str, Entry], dict[str, str]]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise FormatError(
            f"safetensors: {path} is cut off, expected a header of {length} bytes, got {max(size - 8, 0)}"
        )
    if length > MAX_HEADER:
        raise FormatError(f"safetensors: the header of {path} is too long, expected at most {MAX_HEADER}, got {length}")
    raw = file.read(length)
    try:
        header = parse_header(raw, size - 8 - length)
    except FormatError as error:
        raise FormatError(f"safetensors: {path}: {error}") from None
    return header


def parse_header(raw: bytes, data_size: int) -> tuple[dict[str, Entry], dict[str, str]]:
    """Entries in the order of their data, and the metadata, of a header in front of `data_size` bytes."""
    if not raw.startswith(b"{"):
        raise FormatError("the header does not begin with '{'")
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except FormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormatError(f"the header is not valid JSON: {error}") from None
    metadata = header.pop("__metadata__", None)
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise FormatError("__metadata__ must map text to text")
    entries = {name: _parse_entry(name, value) for name, value in header.items()}
    entries = dict(sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)))
    position = 0
    for name, entry in entries.items():
        if entry.start != position:
            raise FormatError(
                f"tensor {name!r} leaves a hole or overlaps, expected start {position}, got {entry.start}"
            )
        position = entry.end
    if position != data_size:
        raise FormatError(f"the tensors take {position} bytes of data, got {data_size}")
    return entries, metadata


def _parse_entry(name: str, value: Any) -> Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise FormatError(f"tensor {name!r} needs exactly dtype, shape and data_offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        what = "that ferrograd does not have" if str(dtype) in _FOREIGN else "that is unknown"
        raise FormatError(f"tensor {name!r} has a dtype {what}: {dtype!r}")
    if not _sizes(shape) or len(shape) > MAX_DIMENSIONS:
        raise FormatError(f"tensor {name!r} has an invalid shape {str(shape)[:200]}")
    if not _sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise FormatError(f"tensor {name!r} has invalid data_offsets {str(offsets)[:200]}")
    width = np.dtype(_DTYPES[dtype][1]).itemsize
    if math.prod(shape) * width != offsets[1] - offsets[0]:
        raise FormatError(
            f"tensor {name!r} of {dtype} and shape {shape} needs {math.prod(shape) * width} bytes, "
            f"got {offsets[1] - offsets[0]}"
        )
    return Entry(dtype, tuple(shape), offsets[0], offsets[1])


def _sizes(values: Any) -> bool:
    """Whether this is a list of integers that fit 63 bits (JSON's true is no integer)."""
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 2**63 for v in values)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise FormatError("the header has a name twice")
    return made


def _no_constant(text: str) -> Any:
    raise FormatError(f"the header contains {text}")


def _read_tensor(file: BinaryIO, name: str, entry: Entry, device: Any, path: str) -> Tensor:
    # The data follows in the order of the entries, so reading goes straight through the file.
    raw = file.read(entry.end - entry.start)
    if len(raw) != entry.end - entry.start:
        raise FormatError(f"safetensors: {path} was cut off while reading tensor {name!r}")
    if entry.dtype == "BOOL" and raw.strip(b"\x00\x01"):
        raise FormatError(f"safetensors: {path}: tensor {name!r} is BOOL, expected only bytes 0 and 1")
    return _core._from_bytes(raw, entry.shape, _DTYPES[entry.dtype][0]).to(device=device)


def _make_header(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None
) -> tuple[bytes, list[np.ndarray[Any, Any]]]:
    header: dict[str, Any] = {}
    if metadata:
        if not all(isinstance(k, str) and isinstance(v, str) for k, v in metadata.items()):
            raise TypeError("save_file: metadata must map text to text")
        header["__metadata__"] = dict(metadata)
    arrays, position = [], 0
    # Wide dtypes first keeps every tensor aligned; names order the rest.
    for name, array, dtype in sorted(
        ((name, *_bytes_of(name, tensor)) for name, tensor in tensors.items()),
        key=lambda item: (-item[1].itemsize, item[0]),
    ):
        end = position + array.nbytes
        header[name] = {"dtype": dtype, "shape": list(tensors[name].shape), "data_offsets": [position, end]}
        arrays.append(array)
        position = end
    raw = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    raw += b" " * (-len(raw) % 8)
    if len(raw) > MAX_HEADER:
        raise FormatError(f"save_file: the header is too long, expected at most {MAX_HEADER} bytes, got {len(raw)}")
    return raw, arrays


def _bytes_of(name: str, tensor: Any) -> tuple[np.ndarray[Any, Any], str]:
    """The bytes of a tensor in the file's order, and its dtype's name in the file."""
    if not isinstance(name, str) or name == "__metadata__":
        raise ValueError(f"save_file: invalid tensor name {name!r}")
    if not isinstance(tensor, Tensor):
        raise TypeError(f"save_file: {name!r} must be a Tensor, got {type(tensor).__name__}")
    dtype = next((file_name for file_name, (own, _) in _DTYPES.items() if own == tensor.dtype), None)
    if dtype is None:
        raise _core.DTypeError(f"save_file: the format has no dtype for {name!r}, got {tensor.dtype}")
    value = tensor.detach().to(device="cpu")
    if dtype == "BF16":
        wide = np.ascontiguousarray(value.to(dtype=_core.float32).numpy())
        return (wide.view(np.uint32) >> 16).astype("<u2").reshape(-1), dtype
    array = np.ascontiguousarray(value.numpy()).reshape(-1)
    return array.view("u1") if dtype == "BOOL" else array.astype(_DTYPES[dtype][1], copy=False), dtype
