"""Layers that resample images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.module import Module


class Upsample(Module):
    """Resampling of (N, C, L), (N, C, H, W) or (N, C, D, H, W) to another size.

    Args:
        size: sizes of the output, an integer or one per dimension.
        scale_factor: or factors of the input's sizes.
        mode: "nearest", "linear" (3 dimensions), "bilinear", "bicubic" (4) or "trilinear" (5).
        align_corners: whether the centres of the corner pixels stay where they are.
        recompute_scale_factor: whether factors are found again from the rounded sizes.

    Raises ValueError unless exactly one of size and scale_factor is given.

    >>> import ferrograd as fg
    >>> fg.nn.Upsample(scale_factor=2)(fg.tensor([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            bool(self.align_corners),
            bool(self.recompute_scale_factor),
        )

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.size is not None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """`Upsample` with mode "nearest": (N, C, H, W) -> (N, C, H_out, W_out).

    >>> import ferrograd as fg
    >>> fg.nn.UpsamplingNearest2d(scale_factor=2)(fg.ones((1, 3, 2, 2))).shape
    (1, 3, 4, 4)
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """`Upsample` with mode "bilinear" and aligned corners: (N, C, H, W) -> (N, C, H_out, W_out).

    >>> import ferrograd as fg
    >>> fg.nn.UpsamplingBilinear2d(size=(1, 3))(fg.tensor([[[[0.0, 2.0]]]])).tolist()
    [[[[0.0, 1.0, 2.0]]]]
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
