"""grid_sample and affine_grid against a loop over places, and against `interpolate` where they agree."""

import itertools
import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.nn import functional as F

SHAPES = {2: ((4, 5), (3, 6)), 3: ((3, 4, 2), (2, 3, 4))}


def data(*shape, seed=0):
    return fg.testing.make_tensor(*shape, seed=seed, low=-1.3, high=1.3, dtype=fg.float64)


def reflected(x, size, align):
    low, high = (0, size - 1) if align else (-0.5, size - 0.5)
    while not low <= x <= high:
        x = 2 * low - x if x < low else 2 * high - x
    return x


def padded(x, size, padding, align):
    x = reflected(x, size, align) if padding == "reflection" else x
    return min(max(x, 0), size - 1) if padding != "zeros" else x


def cubic(t):
    t = abs(t)
    if t <= 1:
        return 1.25 * t**3 - 2.25 * t**2 + 1
    return -0.75 * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


def taps(place, size, mode, padding, align):
    """(index, weight) along an axis; indices may lie outside."""
    x = (place + 1) / 2 * (size - 1) if align else ((place + 1) * size - 1) / 2
    if mode == "bicubic":
        near = math.floor(x)
        return [(int(padded(i, size, padding, align)), cubic(x - i)) for i in range(near - 1, near + 3)]
    x = padded(x, size, padding, align)
    if mode == "nearest":
        return [(round(x), 1.0)]
    return [(math.floor(x), math.floor(x) + 1 - x), (math.floor(x) + 1, x - math.floor(x))]


def by_loop(image, grid, mode, padding, align):
    sizes = image.shape[2:]
    out = np.zeros((*image.shape[:2], *grid.shape[1:-1]))
    for n, *place in np.ndindex(grid.shape[:-1]):
        point = grid[(n, *place)][::-1]
        for corner in itertools.product(*(taps(p, s, mode, padding, align) for p, s in zip(point, sizes, strict=True))):
            index = tuple(i for i, _ in corner)
            if all(0 <= i < size for i, size in zip(index, sizes, strict=True)):
                out[(n, slice(None), *place)] += image[(n, slice(None), *index)] * math.prod(w for _, w in corner)
    return out


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("dims, mode", [*itertools.product((2, 3), ("bilinear", "nearest")), (2, "bicubic")])
def test_grid_sample_is_the_sum_of_its_neighbours(dims, mode, padding, align):
    size, wanted = SHAPES[dims]
    image, grid = data(2, 3, *size), data(2, *wanted, dims, seed=1)
    expected = by_loop(image.numpy(), grid.numpy(), mode, padding, align)
    got = F.grid_sample(image, grid, mode, padding, align)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-11, atol=1e-13)
    fg.testing.gradcheck(lambda x: F.grid_sample(x, grid, mode, padding, align), (image.requires_grad_(),))
    if mode != "nearest":
        fg.testing.gradcheck(lambda g: F.grid_sample(image, g, mode, padding, align), (grid.requires_grad_(),))


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("dims", SHAPES)
def test_an_identity_map_is_interpolation(dims, align):
    size, wanted = SHAPES[dims]
    image = data(2, 3, *size)
    identity = fg.eye(dims + 1, dtype=fg.float64)[None, :dims].repeat(2, axis=0)
    grid = F.affine_grid(identity, (2, 3, *wanted), align)
    mode = {2: "bilinear", 3: "trilinear"}[dims]
    expected = F.interpolate(image, size=wanted, mode=mode, align_corners=align)
    got = F.grid_sample(image, grid, padding_mode="border", align_corners=align)
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-12, atol=1e-13)


def test_affine_grid_maps_every_pixel():
    theta = data(2, 2, 3)
    grid = F.affine_grid(theta, (2, 1, 3, 4)).numpy()
    for n, row, column in np.ndindex(2, 3, 4):
        place = np.array([(2 * column + 1) / 4 - 1, (2 * row + 1) / 3 - 1, 1])
        np.testing.assert_allclose(grid[n, row, column], theta.numpy()[n] @ place, rtol=1e-12)
    fg.testing.gradcheck(lambda t: F.affine_grid(t, (2, 1, 3, 4), True), (theta.requires_grad_(),))
    assert F.affine_grid(theta, (2, 1, 1, 1), True).tolist() == theta[:, None, None, :, 2].tolist()


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_a_place_that_is_no_number_gives_none(mode):
    grid = fg.tensor([[[[0.0, 0.0], [float("nan"), 0.0], [9e9, 0.0]]]])
    assert np.isnan(F.grid_sample(fg.ones((1, 1, 2, 2)), grid, mode).numpy()).ravel().tolist() == [False, True, False]


def test_what_does_not_fit_is_refused():
    image, grid = fg.ones((1, 1, 2, 2)), fg.zeros((1, 1, 1, 2))
    for wrong in ((image[0], grid), (image, grid[0]), (image, fg.zeros((1, 1, 1, 3))), (image, fg.zeros((2, 1, 1, 2)))):
        with pytest.raises(fg.ShapeError, match="grid_sample: expected"):
            F.grid_sample(*wrong)
    with pytest.raises(fg.ShapeError, match="pixels to sample from"):
        F.grid_sample(image[..., :0], grid)
    with pytest.raises(ValueError, match=r"a mode from .* got 'cubic'"):
        F.grid_sample(image, grid, "cubic")
    with pytest.raises(ValueError, match="got 'wrap'"):
        F.grid_sample(image, grid, padding_mode="wrap")
    with pytest.raises(fg.ShapeError, match="affine_grid: expected theta"):
        F.affine_grid(fg.ones((1, 2, 2)), (1, 1, 2, 2))
