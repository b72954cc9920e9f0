"""Images cut into patches and put together again; channels traded for pixels."""

from __future__ import annotations

from collections.abc import Sequence

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor

Sizes = int | Sequence[int]
Pair = tuple[int, int]


def unfold(input: Tensor, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> Tensor:
    """Every window of an image as a column: (N, C, H, W) -> (N, C kH kW, windows), also without N."""
    if input.ndim not in (3, 4):
        raise ShapeError(f"unfold: expected (N, C, H, W) or (C, H, W), got {tuple(input.shape)}")
    images = input if input.ndim == 4 else input.unsqueeze(0)
    kernel, dilation, padding, stride = _pairs("unfold", kernel_size, dilation, padding, stride)
    padded = _core.pad(images, (padding[1], padding[1], padding[0], padding[0]))
    height, width = padded.shape[2:]
    positions, windows = _windows("unfold", (height, width), kernel, dilation, stride, input.device)
    batch, channels = images.shape[:2]
    columns = _core.take(padded.reshape((batch, channels, height * width)), positions, axis=2)
    columns = columns.reshape((batch, channels * kernel[0] * kernel[1], windows))
    return columns if input.ndim == 4 else columns.squeeze(0)


def fold(
    input: Tensor,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """The adjoint of `unfold`: columns (N, C kH kW, windows) added up to an image (N, C, H, W), also without N."""
    if input.ndim not in (2, 3):
        raise ShapeError(f"fold: expected (N, C kH kW, windows) or without N, got {tuple(input.shape)}")
    columns = input if input.ndim == 3 else input.unsqueeze(0)
    kernel, dilation, padding, stride = _pairs("fold", kernel_size, dilation, padding, stride)
    (size,) = _pairs("fold", output_size)
    height, width = (n + 2 * p for n, p in zip(size, padding, strict=True))
    positions, windows = _windows("fold", (height, width), kernel, dilation, stride, input.device)
    batch, rows = columns.shape[:2]
    area = kernel[0] * kernel[1]
    if rows % area or columns.shape[2] != windows:
        raise ShapeError(
            f"fold: expected (N, a multiple of {area}, {windows}) for an output of {size}, got {tuple(input.shape)}"
        )
    blocks = columns.reshape((batch, rows // area, area * windows))
    empty = _core.zeros((batch, rows // area, height * width), dtype=input.dtype, device=input.device)
    image = _core.index_add(empty, 2, positions, blocks).reshape((batch, rows // area, height, width))
    image = image[:, :, padding[0] : height - padding[0], padding[1] : width - padding[1]]
    return image if input.ndim == 3 else image.squeeze(0)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels to pixels: (*, C r^2, H, W) -> (*, C, H r, W r) (Shi et al. 2016)."""
    r = upscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise ShapeError(f"pixel_shuffle: expected (*, C {r}^2, H, W), got {tuple(input.shape)}")
    *lead, channels, height, width = input.shape
    blocks = input.reshape((-1, channels // (r * r), r, r, height, width)).permute((0, 1, 4, 2, 5, 3))
    return blocks.reshape((*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels to channels, the inverse of `pixel_shuffle`: (*, C, H r, W r) -> (*, C r^2, H, W)."""
    r = downscale_factor
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ShapeError(f"pixel_unshuffle: expected (*, C, H {r}, W {r}), got {tuple(input.shape)}")
    *lead, channels, height, width = input.shape
    blocks = input.reshape((-1, channels, height // r, r, width // r, r)).permute((0, 1, 3, 5, 2, 4))
    return blocks.reshape((*lead, channels * r * r, height // r, width // r))


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels of `groups` groups interleaved: (N, C, *) -> (N, C, *) (Zhang et al. 2018)."""
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ShapeError(f"channel_shuffle: expected (N, a multiple of {groups}, *), got {tuple(input.shape)}")
    batch, channels, *rest = input.shape
    split = input.reshape((batch, groups, channels // groups, *rest))
    return split.transpose(1, 2).reshape(input.shape)


def _pairs(op: str, *values: Sizes) -> list[Pair]:
    pairs = []
    for value in values:
        pair = (value, value) if isinstance(value, int) else tuple(value)
        if len(pair) != 2:
            raise ShapeError(f"{op}: expected an integer or two of them, got {value}")
        pairs.append((pair[0], pair[1]))
    return pairs


def _windows(op: str, size: Pair, kernel: Pair, dilation: Pair, stride: Pair, device: str) -> tuple[Tensor, int]:
    """Flat positions of the elements of all windows, (kH kW windows,), and the number of windows."""
    if min(*kernel, *dilation, *stride) < 1:
        raise ValueError(f"{op}: expected kernel_size, dilation and stride >= 1, got {kernel}, {dilation}, {stride}")
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, d, s in zip(size, kernel, dilation, stride, strict=True)]
    if min(counts) < 1:
        raise ShapeError(f"{op}: expected windows of {kernel} that fit into the padded image, got {size}")
    rows, columns = (
        _core.arange(k, device=device).reshape((-1, 1)) * d + _core.arange(count, device=device) * s
        for k, d, count, s in zip(kernel, dilation, counts, stride, strict=True)
    )
    # (kH, 1, oH, 1) + (1, kW, 1, oW): window elements first, windows last.
    positions = rows.reshape((kernel[0], 1, counts[0], 1)) * size[1] + columns.reshape((1, kernel[1], 1, counts[1]))
    return positions.reshape((-1,)), counts[0] * counts[1]
