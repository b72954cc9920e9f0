"""The pages of docs/ promise what there is."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "from_pytorch_and_keras.md").read_text(encoding="utf-8")
CELLS = [line.split(" | ")[-1] for line in PAGE.splitlines() if line.startswith("|")]
CODE = [code for cell in CELLS for code in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("code", [code for code in CODE if code not in ('x.to("gpu")', "inplace=True")])
def test_what_is_said_to_be_here_is(code, tmp_path):
    x, y = (fg.testing.make_tensor(2, 3, seed=seed) for seed in range(2))
    names = {"fg": fg, "ferrograd": fg, "nn": nn, "x": x, "y": [0, 1] if "categorical" in code else y}
    names |= {"a": np.zeros((2, 3), np.float32), "model": nn.Linear(3, 1), "path": tmp_path / "weights.safetensors"}
    names |= {"bn": nn.BatchNorm1d(3), "shortcut": y}
    exec(code, names)


def test_the_page_on_performance_profiles_a_step(capsys):
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, {})
    assert {"linear", "adam"} <= {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    for name in re.findall(r"`fg\.([\w.]+)", page):
        assert functools.reduce(getattr, name.split("."), fg)


def test_tensors_are_what_the_page_says():
    x = fg.testing.make_tensor(2, 3)
    np.testing.assert_array_equal(fg.tile(x, (2, 1)).numpy(), np.tile(x.numpy(), (2, 1)))
    view = x[0]
    x += 1
    x[0] = 0
    assert not np.array_equal(view.numpy(), x[0].numpy())


def test_every_example_is_listed():
    examples = Path(__file__).parent.parent / "examples"
    listed = re.findall(r"^\| `python (\w+)\.py", (examples / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in examples.glob("*.py") if path.stem != "example_data")
