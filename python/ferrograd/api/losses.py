"""Losses as objects, under Keras's names: called with (outputs, targets), they are the functions of `train.losses`.

>>> import ferrograd as fg
>>> loss = fg.api.losses.SparseCategoricalCrossentropy(from_logits=True)
>>> round(loss(fg.zeros((1, 4)), fg.tensor([2])).item(), 4)
1.3863
"""

from __future__ import annotations

from typing import Any

from ferrograd._core import Tensor
from ferrograd.train import losses

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "SparseCategoricalCrossentropy",
]


class Loss:
    """A function of `ferrograd.train.losses` with its settings."""

    function: Any

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss: Tensor = type(self).function(outputs, targets, **self.settings)
        return loss


def _loss(name: str, function: Any) -> type[Loss]:
    return type(
        name, (Loss,), {"function": staticmethod(function), "__doc__": function.__doc__, "__module__": __name__}
    )


CategoricalCrossentropy = _loss("CategoricalCrossentropy", losses.categorical_crossentropy)
SparseCategoricalCrossentropy = _loss("SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy)
BinaryCrossentropy = _loss("BinaryCrossentropy", losses.binary_crossentropy)
MeanSquaredError = _loss("MeanSquaredError", losses.mean_squared_error)
MeanAbsoluteError = _loss("MeanAbsoluteError", losses.mean_absolute_error)
Huber = _loss("Huber", losses.huber)
Hinge = _loss("Hinge", losses.hinge)
KLDivergence = _loss("KLDivergence", losses.kl_divergence)
Poisson = _loss("Poisson", losses.poisson)
LogCosh = _loss("LogCosh", losses.log_cosh)
CosineSimilarity = _loss("CosineSimilarity", losses.cosine_similarity)
