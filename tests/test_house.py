"""Rules of the house that a compiler does not check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("rust", "python", "tests", "examples", "benches")
SUFFIXES = (".rs", ".py", ".wgsl")
LONGEST_FILE = 500
UNFINISHED = re.compile(r"\b(?:todo!|unimplemented!|unreachable!\(\)|dbg!)|\b(?:TODO|FIXME|XXX|HACK)\b")
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', re.DOTALL)
# Where `unsafe` may be written. Memory, threads and CPU features need it; so do the doors to C and to Python.
UNSAFE = {
    "rust/core/src/cpu/arena",
    "rust/core/src/cpu/channels.rs",
    "rust/core/src/cpu/conv/",
    "rust/core/src/cpu/gemm/",
    "rust/core/src/cpu/level.rs",
    "rust/core/src/cpu/parts.rs",
    "rust/core/src/cpu/pool",
    "rust/core/src/cpu/stream.rs",
    "rust/core/src/gpu/pipeline.rs",
    "rust/core/src/ops/copy/cpu.rs",
    "rust/core/src/storage.rs",
    "rust/py/src/dlpack.rs",
    "rust/py/src/buffer.rs",
    "rust/py/src/table/args.rs",
    "rust/py/src/table/call.rs",
}


def files(*suffixes: str) -> list[Path]:
    found = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*")) if path.suffix in suffixes]
    return [path for path in found if not {"__pycache__", "target"} & set(path.relative_to(ROOT).parts)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_files_to_check() -> None:
    assert len(files(*SUFFIXES)) > 80


@pytest.mark.parametrize("path", list(files(*SUFFIXES)), ids=name)
def test_file_is_short_and_finished(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    if path != Path(__file__):
        assert not UNFINISHED.findall(text)


def unsafe_lines(text: str) -> list[int]:
    """The lines on which the keyword stands as code."""
    code = COMMENT_OR_TEXT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    return [number for number, line in enumerate(code.splitlines()) if re.search(r"\bunsafe\b(?!_)", line)]


@pytest.mark.parametrize("path", list(files(".rs")), ids=name)
def test_unsafe_has_an_address_and_a_reason(path: Path) -> None:
    lines = path.read_text().splitlines()
    for number in unsafe_lines(path.read_text()):
        assert name(path).startswith(tuple(UNSAFE)), f"{name(path)}:{number + 1} is no place for unsafe"
        if re.search(r"\bunsafe\s*(?:\{|impl\b)", lines[number]):
            before = "\n".join(lines[max(0, number - 8) : number + 1])
            assert "SAFETY:" in before, f"{name(path)}:{number + 1} does not say why it is safe"


def test_every_place_for_unsafe_exists() -> None:
    assert [place for place in UNSAFE if not (ROOT / place).exists()] == []


@pytest.mark.parametrize("readme", ["README.md", "rust/README.md"])
def test_map_shows_what_exists(readme: str) -> None:
    """The rooms and files that a map names, and the targets of its links."""
    text = (ROOT / readme).read_text()
    here = (ROOT / readme).parent
    rooms = re.findall(r"^\| `([\w./]+)`", text, re.MULTILINE)
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert rooms
    assert [place for place in (*rooms, *links) if not (here / place).exists()] == []


def test_every_op_room_has_its_files() -> None:
    """An op with a kernel of its own is a folder; one with a shader has the host side beside it."""
    for shader in files(".wgsl"):
        if "ops" in shader.parts:
            assert (shader.parent / "gpu.rs").exists(), name(shader)


def test_every_test_family_is_listed() -> None:
    from op_table import FAMILIES

    modules = {path.stem for path in (ROOT / "tests/op_table").glob("*.py")}
    assert modules == {*FAMILIES, "__init__", "row"}
