"""FaceNet-style embedding: images of one identity lie close together on a sphere (Schroff et al. 2015)."""

from __future__ import annotations

import numpy as np

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.models.resnet import resnet18


class FaceNet(nn.Module):
    """Maps images to points of length one: (N, C, H, W) -> (N, embedding_size).

    Args:
        embedding_size: of the points.
        trunk: network from images to (N, embedding_size); by default a ResNet-18 with the next two settings.
        in_channels, width: C, and the ResNet's channels.
        margin: by how much a squared distance to another identity should exceed one to the same.

    >>> import ferrograd as fg
    >>> model = fg.models.FaceNet(8, in_channels=1, width=4)
    >>> points = model(fg.rand((4, 1, 28, 28)))
    >>> points.shape, model.loss(points, fg.tensor([0, 0, 1, 1])).shape
    ((4, 8), ())
    """

    def __init__(
        self,
        embedding_size: int = 128,
        trunk: nn.Module | None = None,
        in_channels: int = 3,
        width: int = 64,
        margin: float = 0.2,
    ) -> None:
        self.margin = margin
        self.trunk = trunk or resnet18(num_classes=embedding_size, in_channels=in_channels, width=width)

    def forward(self, x: Tensor) -> Tensor:
        points = self.trunk(x)
        return points / fg.sqrt((points * points).sum(axis=1, keepdims=True) + 1e-12)

    def loss(self, points: Tensor, identities: Tensor) -> Tensor:
        """Mean of max(d(a, p) - d(a, n) + margin, 0) over all pairs of one identity, with semi-hard negatives n.

        Zero, with zero gradients, if the batch has no pair of one identity or no two identities.
        """
        distances = 2.0 - 2.0 * (points @ points.T)
        anchors, positives, negatives = semi_hard_triplets(distances.numpy(), identities.numpy())
        if not len(anchors):
            return 0.0 * distances.sum()
        flat, n = distances.reshape((-1,)), len(points)
        near = fg.take(flat, fg.asarray(anchors * n + positives), axis=0)
        far = fg.take(flat, fg.asarray(anchors * n + negatives), axis=0)
        return (near - far + self.margin).relu().mean()


def semi_hard_triplets(distances: np.ndarray, identities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs (anchor, positive), each with the nearest negative beyond the positive, or else the farthest.

    Args:
        distances: (N, N).
        identities: (N,).

    Returns three index arrays of one length.

    >>> import numpy as np
    >>> d = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [2, 2, 0, 9], [3, 3, 9, 0.0]])
    >>> [t.tolist() for t in semi_hard_triplets(d, np.array([0, 0, 1, 2]))]
    [[0, 1], [1, 0], [2, 2]]
    """
    same = identities[:, None] == identities[None, :]
    anchors, positives = np.nonzero(same & ~np.eye(len(identities), dtype=bool))
    usable = (~same).any(axis=1)[anchors]
    anchors, positives = anchors[usable], positives[usable]
    to_negatives = np.where(same, np.nan, distances)[anchors]
    farther = np.where(to_negatives > distances[anchors, positives][:, None], to_negatives, np.inf)
    nearest = np.argmin(farther, axis=1)
    farthest = np.argmax(np.where(np.isnan(to_negatives), -np.inf, to_negatives), axis=1)
    return anchors, positives, np.where(np.isinf(farther.min(axis=1, initial=np.inf)), farthest, nearest)
