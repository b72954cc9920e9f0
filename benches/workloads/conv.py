"""Two-dimensional convolutions of ResNet shapes, forward, and forward with backward."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from frameworks import Library
from workloads.workload import Workload, normal, op


def exact(x: np.ndarray, w: np.ndarray, stride: int, padding: int) -> np.ndarray:
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, w, optimize=True)


def jax_conv(lib: Library, stride: int, padding: int) -> Any:
    return lambda x, w: lib.lax.conv_general_dilated(x, w, (stride, stride), [(padding, padding)] * 2)


def conv(
    name: str, x: tuple[int, ...], w: tuple[int, ...], stride: int = 1, padding: int = 0, backward: bool = False
) -> Workload:
    return op(
        f"conv {name}",
        [normal(*x), normal(*w)],
        lambda lib: lambda x, w: lib.F.conv2d(x, w, stride=stride, padding=padding),
        at_least=1.2,
        goal=2.0,
        exact=functools.partial(exact, stride=stride, padding=padding),
        backward=backward,
        **({} if backward else {"jax": functools.partial(jax_conv, stride=stride, padding=padding)}),
    )


WORKLOADS = [
    conv("3x3, 8x64x56x56 -> 64", (8, 64, 56, 56), (64, 64, 3, 3), padding=1),
    conv("3x3, 8x64x56x56 -> 64, backward", (8, 64, 56, 56), (64, 64, 3, 3), padding=1, backward=True),
    conv("1x1, 8x1024x14x14 -> 256", (8, 1024, 14, 14), (256, 1024, 1, 1)),
    conv("7x7 stride 2, 8x3x224x224 -> 64", (8, 3, 224, 224), (64, 3, 7, 7), stride=2, padding=3),
]
