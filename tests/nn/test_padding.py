"""Padding layers against numpy.pad."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import data

SHAPES = {1: (2, 3, 5), 2: (2, 3, 5, 6), 3: (1, 2, 4, 5, 6)}
SIDES = {1: (1, 2), 2: (1, 2, 3, 0), 3: (1, 2, 3, 0, 2, 1)}
KINDS = {
    "ConstantPad": ((1.5,), {"mode": "constant", "constant_values": 1.5}),
    "ZeroPad": ((), {"mode": "constant"}),
    "ReflectionPad": ((), {"mode": "reflect"}),
    "ReplicationPad": ((), {"mode": "edge"}),
    "CircularPad": ((), {"mode": "wrap"}),
}


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", KINDS)
def test_pad(name, dims):
    arguments, settings = KINDS[name]
    kind = getattr(nn, f"{name}{dims}d")
    x = data(*SHAPES[dims])
    sides = SIDES[dims]
    width = [(0, 0), (0, 0), *((sides[2 * i], sides[2 * i + 1]) for i in reversed(range(dims)))]
    expected = np.pad(x.numpy(), width, **settings)
    fg.testing.assert_close(kind(sides, *arguments)(x), expected)
    fg.testing.assert_close(kind(sides, *arguments)(x[0]), expected[0])
    same = np.pad(x.numpy(), [(0, 0), (0, 0), *[(2, 2)] * dims], **settings)
    fg.testing.assert_close(kind(2, *arguments)(x), same)


def test_negative_padding_crops():
    x = data(1, 1, 4, 5)
    fg.testing.assert_close(nn.ZeroPad2d((-1, 0, 0, -2))(x), x.numpy()[:, :, :2, 1:])


def test_pads_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match="ZeroPad2d: expected an integer or 4 of them"):
        nn.ZeroPad2d((1, 2))
    with pytest.raises(fg.ShapeError, match="ReflectionPad2d: expected 3 or 4 dimensions"):
        nn.ReflectionPad2d(1)(fg.zeros((2, 3)))
    with pytest.raises((fg.ShapeError, ValueError), match="pad"):
        nn.ReflectionPad1d(3)(fg.zeros((1, 1, 3)))
