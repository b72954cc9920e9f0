"""Texts as characters."""

import pytest

import ferrograd as fg
from ferrograd.datasets import load_characters


def test_characters_are_numbered_by_code_point(tmp_path):
    (tmp_path / "text").write_bytes("cab é😀a".encode())
    train, validation, vocabulary = load_characters(tmp_path / "text", validation=0.25)
    assert vocabulary == " abcé😀"
    assert (train.tolist(), validation.tolist()) == ([3, 1, 2, 0, 4], [5, 1])
    assert train.dtype == fg.int64


def test_line_ends_are_kept(tmp_path):
    (tmp_path / "text").write_bytes(b"a\r\nb")
    train, validation, vocabulary = load_characters(tmp_path / "text", validation=0)
    assert (len(train), len(validation), vocabulary) == (4, 0, "\n\rab")


def test_empty_text_and_errors(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    train, validation, vocabulary = load_characters(tmp_path / "empty")
    assert (train.shape, validation.shape, vocabulary) == ((0,), (0,), "")
    with pytest.raises(fg.FormatError, match="is no UTF-8 text"):
        load_characters(tmp_path / "binary")
    with pytest.raises(FileNotFoundError):
        load_characters(tmp_path / "missing")
    with pytest.raises(ValueError, match="from 0 to 1, got 2"):
        load_characters(tmp_path / "empty", validation=2)
