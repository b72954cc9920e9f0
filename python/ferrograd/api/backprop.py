"""Losses and gradients of programs that call their layers one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferrograd import plugins
from ferrograd._core import GradError, Tensor
from ferrograd.api.layers.base import as_tensor, live_layers
from ferrograd.nn.parameter import is_sized


def compute_loss(output: Tensor, labels: Any, loss: Any = "categorical_crossentropy") -> Tensor:
    """The loss of a batch; labels are integers, one-hot rows, or what else the loss takes.

    Args:
        output: what the last layer gave.
        labels: array or tensor.
        loss: a name that `plugins.losses` knows, a table with settings, or a function of (output, labels).

    >>> import ferrograd as fg
    >>> round(fg.api.compute_loss(fg.tensor([[0.5, 0.5]]), [1]).item(), 4)
    0.6931
    """
    value: Tensor = plugins.losses.function(loss)(output, as_tensor(labels))
    return value


class Gradients(list[Tensor]):
    """Gradients of all weights that an output depends on, in the order in which the layers were made."""

    def __init__(self, weights: list[Tensor], gradients: Iterable[Tensor]) -> None:
        super().__init__(gradients)
        self.weights = weights

    def of(self, weights: Iterable[Tensor]) -> list[Tensor]:
        """The gradients of these weights, in their order; ValueError for one that the output does not depend on."""
        by_weight = {id(weight): gradient for weight, gradient in zip(self.weights, self, strict=True)}
        found = []
        for index, weight in enumerate(weights):
            if id(weight) not in by_weight:
                raise ValueError(
                    f"gradients: the output does not depend on weight {index} of shape {tuple(weight.shape)}"
                )
            found.append(by_weight[id(weight)])
        return found


class Backpropagation:
    """Computes a loss and the gradients of the weights behind an output.

    Args:
        loss: as in `compute_loss`.
        weights: tensors whose gradients are wanted; by default those of all front-end layers.

    >>> import ferrograd as fg
    >>> from ferrograd.api import Backpropagation, Dense
    >>> layer = Dense(2, activation="softmax")
    >>> gradients = Backpropagation().backward(layer.forward([[1.0, 0.0, 2.0]]), [1])
    >>> [gradient.shape for gradient in gradients]
    [(2, 3), (2,)]
    """

    def __init__(self, loss: Any = "categorical_crossentropy", weights: Iterable[Tensor] | None = None) -> None:
        self.loss = loss
        self._weights = None if weights is None else list(weights)

    def compute_loss(self, output: Tensor, labels: Any) -> Tensor:
        """The loss of a batch."""
        return compute_loss(output, labels, self.loss)

    def backward(self, output: Tensor, labels: Any) -> Gradients:
        """The gradients of this batch alone, which are also left in each weight's `grad`.

        Raises GradError if the output depends on none of the weights.
        """
        weights = self._weights if self._weights is not None else _front_end_weights()
        before = [weight.grad for weight in weights]
        for weight in weights:
            weight.grad = None
        try:
            self.compute_loss(output, labels).backward()
        finally:
            pairs = [(weight, weight.grad) for weight in weights]
            for weight, gradient in zip(weights, before, strict=True):
                if weight.grad is None:
                    weight.grad = gradient
        reached = [(weight, gradient) for weight, gradient in pairs if gradient is not None]
        if not reached:
            raise GradError("backward: the output depends on no trainable weight of a front-end layer that is in use")
        return Gradients([weight for weight, _ in reached], [gradient for _, gradient in reached])


def _front_end_weights() -> list[Tensor]:
    weights: dict[int, Tensor] = {}
    for module in (module for layer in live_layers() for module in layer.modules()):
        for value in vars(module).values():
            if isinstance(value, Tensor) and is_sized(value) and value.requires_grad:
                weights.setdefault(id(value), value)
    return list(weights.values())
