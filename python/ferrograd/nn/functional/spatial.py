"""Sampling of images at given places: spatial transformers (Jaderberg et al. 2015)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor

# Sharpness of the cubic kernel (Keys 1981); PyTorch's choice.
_CUBIC = -0.75


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool = False) -> Tensor:
    """Where an affine map sends every pixel, for `grid_sample`.

    Args:
        theta: maps (N, 2, 3) of output places (x, y, 1) to input places, or (N, 3, 4) of (x, y, z, 1).
        size: of the output, (N, C, H, W) or (N, C, D, H, W).
        align_corners: whether -1 and 1 are the centres of the outermost pixels rather than their outer edges.

    Returns (N, H, W, 2) or (N, D, H, W, 3), coordinates from -1 to 1, x (along W) first. Raises ShapeError for sizes
    that do not fit.

    >>> import ferrograd as fg
    >>> import ferrograd.nn.functional as F
    >>> F.affine_grid(fg.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2)).tolist()
    [[[[-0.5, 0.0], [0.5, 0.0]]]]
    """
    dims = len(size) - 2
    if dims not in (2, 3) or tuple(theta.shape) != (size[0], dims, dims + 1):
        raise ShapeError(
            "affine_grid: expected theta (N, 2, 3) with size (N, C, H, W) or theta (N, 3, 4) with size "
            f"(N, C, D, H, W), got {tuple(theta.shape)} and {tuple(size)}"
        )
    spatial = tuple(size[2:])
    axes = [_places(length, align_corners, theta) for length in spatial]
    coordinates = [
        _core.broadcast_to(axis.reshape([-1 if k == i else 1 for k in range(dims)]), spatial)
        for i, axis in enumerate(axes)
    ]
    ones = _core.ones(spatial, dtype=theta.dtype, device=theta.device)
    places = _core.stack([*reversed(coordinates), ones], axis=-1).reshape((-1, dims + 1))
    return (places @ theta.mT).reshape((size[0], *spatial, dims))


def _places(length: int, align_corners: bool, like: Tensor) -> Tensor:
    """Coordinates of the pixels along an axis."""
    pixels = _core.arange(length, dtype=like.dtype, device=like.device)
    if not align_corners:
        return (2.0 * pixels + 1.0) / max(length, 1) - 1.0
    return 2.0 * pixels / (length - 1) - 1.0 if length > 1 else 0.0 * pixels


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Tensor:
    """The values of images at given places, differentiable in both: (N, C, H, W), (N, H', W', 2) -> (N, C, H', W').

    Args:
        input: images, or volumes (N, C, D, H, W).
        grid: places from -1 to 1, x (along W) first; (N, D', H', W', 3) for volumes.
        mode: "bilinear", "nearest", or "bicubic" (images only).
        padding_mode: what lies outside: "zeros", the "border" pixels, or their "reflection".
        align_corners: whether -1 and 1 are the centres of the outermost pixels rather than their outer edges.

    Raises ShapeError for shapes and ValueError for modes that do not fit.

    >>> import ferrograd as fg
    >>> import ferrograd.nn.functional as F
    >>> image, middle = fg.tensor([[[[1.0, 3.0]]]]), fg.zeros((1, 1, 1, 2))
    >>> F.grid_sample(image, middle).tolist()
    [[[[2.0]]]]
    """
    dims = input.ndim - 2
    if dims not in (2, 3) or grid.ndim != input.ndim or grid.shape[-1] != dims or len(grid) != len(input):
        raise ShapeError(
            "grid_sample: expected (N, C, H, W) with a grid (N, H', W', 2) or (N, C, D, H, W) with (N, D', H', W', 3), "
            f"got {tuple(input.shape)} and {tuple(grid.shape)}"
        )
    modes = ("bilinear", "nearest", "bicubic") if dims == 2 else ("bilinear", "nearest")
    if mode not in modes:
        raise ValueError(f"grid_sample: expected a mode from {modes}, got {mode!r}")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"grid_sample: expected padding_mode zeros, border or reflection, got {padding_mode!r}")
    sizes = tuple(input.shape[2:])
    if 0 in sizes:
        raise ShapeError(f"grid_sample: expected pixels to sample from, got {tuple(input.shape)}")

    batch, channels = input.shape[:2]
    pixels = input.reshape((batch, channels, math.prod(sizes)))
    points = grid.reshape((batch, 1, -1, dims))
    taps = [
        _taps(points[..., dims - 1 - axis], size, mode, padding_mode, align_corners) for axis, size in enumerate(sizes)
    ]
    total: Tensor | None = None
    for corner in itertools.product(*taps):
        place: Any = 0
        for (index, _), size in zip(corner, sizes, strict=True):
            place = place * size + index
        where = _core.broadcast_to(place, (batch, channels, points.shape[2]))
        part = _core.gather(pixels, 2, where) * math.prod(weight for _, weight in corner)
        total = part if total is None else total + part
    assert total is not None  # every axis has a tap
    return total.reshape((batch, channels, *grid.shape[1:-1]))


def _taps(place: Tensor, size: int, mode: str, padding_mode: str, align_corners: bool) -> list[tuple[Tensor, Tensor]]:
    """The pixels along an axis that a value is made of: their indices and weights."""
    place = (place + 1.0) * (0.5 * (size - 1)) if align_corners else (place + 1.0) * (0.5 * size) - 0.5
    if mode == "bicubic":
        below = _core.floor(place.detach())
        return [
            _tap(_pad(below + step, size, padding_mode, align_corners), _cubic(_core.abs(place - below - step)), size)
            for step in (-1.0, 0.0, 1.0, 2.0)
        ]
    place = _pad(place, size, padding_mode, align_corners)
    if mode == "nearest":
        return [_tap(_core.round(place.detach()), 0.0 * place.detach() + 1.0, size)]
    below = _core.floor(place.detach())
    return [_tap(below, below + 1.0 - place, size), _tap(below + 1.0, place - below, size)]


def _tap(index: Tensor, weight: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Index and weight; outside some pixel with weight zero. The weight carries a NaN on, an index cannot."""
    inside, outside = (index >= 0) & (index <= size - 1), (index < 0) | (index > size - 1)
    return _core.where(inside, index, 0.0).astype(_core.int64), _core.where(outside, 0.0, weight)


def _cubic(distance: Tensor) -> Tensor:
    """The cubic kernel at 0 <= distance <= 2."""
    near = ((_CUBIC + 2.0) * distance - (_CUBIC + 3.0)) * distance * distance + 1.0
    far = ((distance - 5.0) * distance + 8.0) * distance - 4.0
    return _core.where(distance <= 1.0, near, _CUBIC * far)


def _pad(place: Tensor, size: int, padding_mode: str, align_corners: bool) -> Tensor:
    """Places outside moved to where their value comes from; "zeros" leaves them there."""
    if padding_mode == "zeros":
        return place
    if padding_mode == "reflection":
        low, span = (0.0, size - 1.0) if align_corners else (-0.5, float(size))
        if span == 0.0:
            return 0.0 * place
        away = _core.abs(place - low)
        turns = _core.floor(away.detach() / span)
        rest = away - turns * span
        place = _core.where(turns % 2.0 == 0.0, rest, span - rest) + low
    return _core.clip(place, 0.0, size - 1.0)
