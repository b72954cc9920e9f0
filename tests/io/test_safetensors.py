"""safetensors: round trips, the official reader and writer, hostile files."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import ferrograd as fg
from ferrograd.io import safetensors as own

official = pytest.importorskip("safetensors.numpy", reason="install the package safetensors to compare with it")

DTYPES = [
    fg.bool, fg.uint8, fg.int8, fg.uint16, fg.int16, fg.uint32, fg.int32, fg.uint64, fg.int64,
    fg.float16, fg.bfloat16, fg.float32, fg.float64, fg.complex64,
]  # fmt: skip


def sample(dtype, *shape, seed=0):
    return fg.testing.make_tensor(*shape, dtype=dtype, seed=seed, low=0, high=100)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_round_trip(tmp_path, dtype, shape):
    tensor = sample(dtype, *shape)
    own.save_file({"x": tensor}, tmp_path / "x")
    loaded = own.load_file(tmp_path / "x")["x"]
    assert (loaded.dtype, loaded.shape) == (dtype, shape)
    assert loaded.tolist() == tensor.tolist()


names = st.text(min_size=1, max_size=8).filter(lambda s: s != "__metadata__" and s.isprintable())
kinds = st.sampled_from([np.bool_, np.uint8, np.int16, np.uint32, np.int64, np.float16, np.float32, np.float64])
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@given(st.dictionaries(names, st.tuples(kinds, shapes), max_size=5), st.dictionaries(names, st.text(max_size=5)))
def test_files_are_exchanged_with_the_official_package(tmp_path_factory, spec, metadata):
    path = tmp_path_factory.mktemp("exchange") / "x.safetensors"
    generator = np.random.default_rng(0)
    arrays = {n: np.asarray(generator.integers(0, 2**15, shape)).astype(kind) for n, (kind, shape) in spec.items()}

    own.save_file({name: fg.asarray(array) for name, array in arrays.items()}, path, metadata)
    theirs = official.load_file(path)
    assert set(theirs) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(theirs[name], array, strict=True)
    assert own.load_metadata(path) == metadata

    official.save_file(arrays, path, metadata=metadata or None)
    ours = own.load_file(path)
    assert set(ours) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(ours[name].numpy(), array, strict=True)


def test_bfloat16_bits(tmp_path):
    bits = np.array([0x3F80, 0xC000, 0x0001, 0x7F80, 0xFF80, 0x8000], np.uint16)
    header = {"x": {"dtype": "BF16", "shape": [6], "data_offsets": [0, 12]}}
    path = write(tmp_path, header, bits.tobytes())
    tensor = own.load_file(path)["x"]
    assert tensor.dtype == fg.bfloat16
    assert tensor.to(fg.float32).tolist() == [1.0, -2.0, 2.0**-133, np.inf, -np.inf, 0.0]
    own.save_file({"x": tensor}, tmp_path / "again")
    assert (tmp_path / "again").read_bytes()[-12:] == bits.tobytes()


def test_strided_tensors_are_written_in_order(tmp_path):
    tensor = fg.arange(6).reshape((2, 3)).T
    own.save_file({"x": tensor}, tmp_path / "x")
    assert own.load_file(tmp_path / "x")["x"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_loaded_tensors_can_be_written_to(tmp_path):
    own.save_file({"x": fg.zeros(2)}, tmp_path / "x")
    x = own.load_file(tmp_path / "x")["x"]
    x[0] = 5.0
    assert x.tolist() == [5.0, 0.0]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x"
    own.save_file({"x": fg.ones(2)}, path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match="must be a Tensor"):
        own.save_file({"x": fg.ones(2), "y": [1, 2]}, path)
    with pytest.raises(fg.DTypeError, match="no dtype"):
        own.save_file({"x": fg.ones(2, dtype=fg.complex128)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def write(folder, header, data=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "hostile.safetensors"
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


EIGHT = bytes(8)
HOSTILE = {
    "empty header": (b"", EIGHT, "does not begin"),
    "no object": (b"[]", b"", "does not begin"),
    "leading space": (b' {"x": 1}', b"", "does not begin"),
    "no JSON": (b"{x}", b"", "not valid JSON"),
    "no UTF-8": (b'{"\xff": 1}', b"", "not valid JSON"),
    "deep": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"", "not valid JSON"),
    "long number": (b'{"x":' + b"9" * 10_000 + b"}", b"", "not valid JSON"),
    "trailing text": (b"{}{}", b"", "not valid JSON"),
    "NaN": (b'{"x": NaN}', b"", "contains NaN"),
    "name twice": (b'{"x": 1, "x": 2}', b"", "a name twice"),
    "entry no object": ({"x": 3}, b"", "needs exactly"),
    "missing key": ({"x": {"dtype": "F32", "shape": [2]}}, EIGHT, "needs exactly"),
    "more keys": ({"x": {**entry(), "path": "/etc"}}, EIGHT, "needs exactly"),
    "unknown dtype": ({"x": entry("F33")}, EIGHT, "unknown: 'F33'"),
    "dtype no text": ({"x": entry(["F32"])}, EIGHT, "unknown"),
    "foreign dtype": ({"x": entry("F8_E4M3", (8,))}, EIGHT, "does not have: 'F8_E4M3'"),
    "negative size": ({"x": entry(shape=(-2,))}, EIGHT, "invalid shape"),
    "fractional size": ({"x": entry(shape=(2.0,))}, EIGHT, "invalid shape"),
    "true as size": ({"x": entry(shape=(True, 2))}, EIGHT, "invalid shape"),
    "size above 63 bits": ({"x": entry(shape=(2**63,))}, EIGHT, "invalid shape"),
    "product that wraps": ({"x": entry(shape=(2**62, 2**62, 2))}, EIGHT, "needs .* bytes, got 8"),
    "65 dimensions": ({"x": entry(shape=(1,) * 64 + (2,))}, EIGHT, "invalid shape"),
    "too few bytes": ({"x": entry(shape=(3,))}, EIGHT, "needs 12 bytes, got 8"),
    "offsets backwards": ({"x": entry(shape=(0,), offsets=(8, 0))}, EIGHT, "invalid data_offsets"),
    "one offset": ({"x": entry(offsets=(0,))}, EIGHT, "invalid data_offsets"),
    "hole at the start": ({"x": entry(offsets=(8, 16))}, bytes(16), "hole"),
    "overlap": ({"x": entry(), "y": entry(offsets=(4, 12))}, bytes(12), "hole or overlaps"),
    "end missing": ({"x": entry(shape=(4,), offsets=(0, 16))}, EIGHT, "take 16 bytes of data, got 8"),
    "bytes left over": ({"x": entry()}, bytes(9), "take 8 bytes of data, got 9"),
    "metadata no text": ({"__metadata__": {"a": 1}}, b"", "text to text"),
    "bool 2": ({"x": entry("BOOL", (1,), (0, 1))}, b"\x02", "expected only bytes 0 and 1"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(tmp_path, name):
    header, data, message = HOSTILE[name]
    with pytest.raises(fg.FormatError, match=message):
        own.load_file(write(tmp_path, header, data))


@pytest.mark.parametrize("raw", [b"", b"1234567", (2**63).to_bytes(8, "little"), (100).to_bytes(8, "little") + b"{}"])
def test_truncated_header(tmp_path, raw):
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(fg.FormatError, match="cut off"):
        own.load_file(tmp_path / "x")


def test_header_longer_than_allowed(tmp_path):
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write((own.MAX_HEADER + 1).to_bytes(8, "little"))
        file.truncate(own.MAX_HEADER + 100)
    with pytest.raises(fg.FormatError, match="is too long"):
        own.load_file(path)


@given(st.data())
def test_damaged_files_give_format_errors_or_other_values(tmp_path_factory, data):
    """Cut or flipped files never do anything but fail cleanly or load (a flipped data bit cannot be seen)."""
    path = tmp_path_factory.mktemp("damaged") / "x"
    own.save_file({"a": sample(fg.float32, 2, 2), "b": sample(fg.bool, 3), "c": sample(fg.int64, 0)}, path)
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
        path.write_bytes(raw)
        with pytest.raises(fg.FormatError):
            own.load_file(path)
        return
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(raw)
    try:
        loaded = own.load_file(path)
    except fg.FormatError:
        return
    assert sum(tensor.size for tensor in loaded.values()) == 7
