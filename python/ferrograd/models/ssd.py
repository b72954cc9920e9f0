"""SSD: objects of several sizes found in one pass, by small heads on maps of several sizes (Liu et al. 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.models.boxes import decode, encode, iou, suppress, to_corners
from ferrograd.nn import functional as F

RATIOS = (1.0, 2.0, 0.5)
BACKGROUND, IGNORED = 0, -100


class Detections(NamedTuple):
    """What was found in an image: boxes (M, 4) as shares of width and height, classes (M,), scores (M,), best first."""

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray


class SSD(nn.Module):
    """Class scores and box offsets for default boxes on maps of an eighth, a sixteenth, ... of the image.

    Args:
        num_classes: without the background.
        image_size: height and width S of the images.
        in_channels: of the images.
        width: channels of the first convolution.
        scales: sizes of the default boxes of each map, as shares of the image; as many as there are maps.

    `forward` maps images (N, C, S, S) to logits (N, A, 1 + num_classes), class 0 being background, and offsets
    (N, A, 4), for the A boxes of `default_boxes`.

    >>> import ferrograd as fg
    >>> model = fg.models.SSD(10, image_size=32, width=4, scales=(0.3, 0.6))
    >>> logits, offsets = model(fg.zeros((1, 1, 32, 32)))
    >>> logits.shape, offsets.shape
    ((1, 80, 11), (1, 80, 4))
    """

    def __init__(
        self,
        num_classes: int,
        image_size: int = 64,
        in_channels: int = 1,
        width: int = 16,
        scales: Sequence[float] = (0.22, 0.4),
    ) -> None:
        self.num_classes, per_cell = num_classes, len(RATIOS) + 1
        self.stem = nn.Sequential(_halve(in_channels, width), _halve(width, 2 * width))
        channels = [2 * width] + [4 * width] * len(scales)
        self.stages = nn.ModuleList([_halve(a, b) for a, b in pairwise(channels)])
        self.class_heads = nn.ModuleList(
            [nn.Conv2d(c, per_cell * (1 + num_classes), 3, padding=1) for c in channels[1:]]
        )
        self.box_heads = nn.ModuleList([nn.Conv2d(c, per_cell * 4, 3, padding=1) for c in channels[1:]])
        cells = [-(-image_size // 2 ** (3 + level)) for level in range(len(scales))]
        self.default_boxes = default_boxes(cells, scales)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(x)
        logits, offsets = [], []
        for stage, classes, boxes in zip(self.stages, self.class_heads, self.box_heads, strict=True):
            x = stage(x)
            logits.append(_rows(classes(x), 1 + self.num_classes))
            offsets.append(_rows(boxes(x), 4))
        return fg.concat(logits, axis=1), fg.concat(offsets, axis=1)

    def match(self, boxes: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Targets of one image: a class (A,) and offsets (A, 4) for every default box.

        A default box stands for the true box it overlaps most, if by half; each true box gets its best one anyway.
        """
        classes = np.full(len(self.default_boxes), BACKGROUND, dtype=np.int64)
        offsets = np.zeros((len(classes), 4), dtype=np.float32)
        if len(boxes):
            overlaps = iou(self.default_boxes, boxes)
            best = overlaps.argmax(axis=1)
            taken = overlaps.max(axis=1) >= 0.5
            for index in range(len(boxes)):
                favourite = overlaps[:, index].argmax()
                best[favourite], taken[favourite] = index, True
            classes[taken] = labels[best[taken]] + 1
            offsets[taken] = encode(boxes[best[taken]], self.default_boxes[taken])
        return classes, offsets

    def loss(self, outputs: tuple[Tensor, Tensor], truths: Sequence[tuple[np.ndarray, np.ndarray]]) -> Tensor:
        """Smooth L1 of the matched boxes' offsets plus cross-entropy, per matched box.

        Args:
            outputs: of `forward`.
            truths: for each image its boxes (M, 4), corners as shares of the image, and classes (M,) from 0.

        Of the background only the three worst boxes per matched one count: the others would drown them.
        """
        logits, offsets = outputs
        matched = [self.match(*truth) for truth in truths]
        classes, wanted = (np.stack(parts) for parts in zip(*matched, strict=True))
        positive = classes != BACKGROUND
        count = max(int(positive.sum()), 1)
        background = -F.log_softmax(logits.detach(), axis=-1).numpy()[..., BACKGROUND]
        ranks = np.argsort(np.argsort(-np.where(positive, -np.inf, background), axis=1), axis=1)
        chosen = positive | (ranks < 3 * positive.sum(axis=1, keepdims=True))
        targets = fg.asarray(np.where(chosen, classes, IGNORED).reshape(-1))
        flat = logits.reshape((-1, 1 + self.num_classes))
        classification = F.cross_entropy(flat, targets, ignore_index=IGNORED, reduction="sum")
        distance = F.smooth_l1_loss(offsets, fg.asarray(wanted), reduction="none")
        localisation = (distance * fg.asarray(positive[..., None].astype(np.float32))).sum()
        return (classification + localisation) / count

    def detect(self, images: Tensor, score: float = 0.5, overlap: float = 0.45) -> list[Detections]:
        """Objects in each image: what scores above `score`, less what overlaps a better box of its class."""
        with fg.no_grad():
            logits, offsets = self(images)
            shares = F.softmax(logits, axis=-1).numpy()[..., 1:]
        return [self._detections(*arrays, score, overlap) for arrays in zip(shares, offsets.numpy(), strict=True)]

    def _detections(self, shares: np.ndarray, offsets: np.ndarray, score: float, overlap: float) -> Detections:
        boxes, found = decode(offsets, self.default_boxes), []
        for label in range(self.num_classes):
            (sure,) = np.nonzero(shares[:, label] > score)
            found += [(sure[i], label) for i in suppress(boxes[sure], shares[sure, label], overlap)]
        found.sort(key=lambda pair: -shares[pair])
        rows, labels = (np.array(part, dtype=np.int64) for part in zip(*found, strict=True)) if found else ([], [])
        rows, labels = np.asarray(rows, dtype=np.int64), np.asarray(labels, dtype=np.int64)
        return Detections(np.clip(boxes[rows], 0, 1), labels, shares[rows, labels])


def default_boxes(cells: Sequence[int], scales: Sequence[float]) -> np.ndarray:
    """Boxes (A, 4) at every cell of each map: one per aspect ratio, and a square of the size towards the next scale.

    >>> default_boxes([2], [0.5]).shape
    (16, 4)
    """
    rows = []
    following = [*scales[1:], min(1.0, 1.5 * scales[-1])]
    for count, scale, after in zip(cells, scales, following, strict=True):
        sizes = [(scale * ratio**0.5, scale / ratio**0.5) for ratio in RATIOS] + [((scale * after) ** 0.5,) * 2]
        centres = [((x + 0.5) / count, (y + 0.5) / count) for y in range(count) for x in range(count)]
        rows += [(*centre, *size) for centre in centres for size in sizes]
    return to_corners(np.array(rows))


def _halve(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two convolutions; the second halves the size."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def _rows(x: Tensor, size: int) -> Tensor:
    """A head's map (N, boxes * size, H, W) as (N, H * W * boxes, size), in the order of the default boxes."""
    return fg.permute_dims(x, (0, 2, 3, 1)).reshape((len(x), -1, size))
