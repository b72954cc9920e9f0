"""Boxes (x0, y0, x1, y1) of a detector, as NumPy arrays: overlaps, offsets to default boxes, suppression."""

from __future__ import annotations

import numpy as np

# Offsets are divided by these, so that centres and sizes count alike (Liu et al. 2016, as in the authors' code).
VARIANCES = (0.1, 0.2)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of a (A, 4) with every one of b (B, 4): (A, B).

    >>> import numpy as np
    >>> iou(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])).round(4).tolist()
    [[0.3333]]
    """
    corner0 = np.maximum(a[:, None, :2], b[None, :, :2])
    corner1 = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(corner1 - corner0, 0, None).prod(axis=2)
    areas = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b)]
    return common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-12)


def to_centres(boxes: np.ndarray) -> np.ndarray:
    """(x0, y0, x1, y1) -> (centre x, centre y, width, height)."""
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=-1)


def to_corners(boxes: np.ndarray) -> np.ndarray:
    """(centre x, centre y, width, height) -> (x0, y0, x1, y1)."""
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def encode(boxes: np.ndarray, defaults: np.ndarray) -> np.ndarray:
    """Offsets (A, 4) that lead from the default boxes to these, one for each."""
    box, default = to_centres(boxes), to_centres(defaults)
    shift = (box[:, :2] - default[:, :2]) / default[:, 2:] / VARIANCES[0]
    return np.concatenate([shift, np.log(box[:, 2:] / default[:, 2:]) / VARIANCES[1]], axis=1)


def decode(offsets: np.ndarray, defaults: np.ndarray) -> np.ndarray:
    """The boxes that `encode` turned into these offsets.

    >>> import numpy as np
    >>> box, default = np.array([[0.1, 0.2, 0.5, 0.4]]), np.array([[0.0, 0.0, 0.5, 0.5]])
    >>> np.allclose(decode(encode(box, default), default), box)
    True
    """
    default = to_centres(defaults)
    centre = default[:, :2] + offsets[:, :2] * default[:, 2:] * VARIANCES[0]
    return to_corners(np.concatenate([centre, default[:, 2:] * np.exp(offsets[:, 2:] * VARIANCES[1])], axis=1))


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    """Indices of the boxes that stay, best first: one that overlaps a better one by more than `threshold` goes.

    >>> import numpy as np
    >>> suppress(np.array([[0, 0, 4, 4], [0, 0, 4, 5], [6, 6, 7, 7.0]]), np.array([0.5, 0.9, 0.1]), 0.5)
    [1, 2]
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[iou(boxes[best : best + 1], boxes[order])[0] <= threshold]
    return kept
