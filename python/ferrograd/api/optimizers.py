"""Optimizers under Keras's names: they meet their weights later, and step as those of `ferrograd.optim`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ferrograd import optim, plugins
from ferrograd._core import Tensor
from ferrograd.api.backprop import Gradients
from ferrograd.nn import Module

_SPELLINGS = {"learning_rate": "lr", "epsilon": "eps"}


class Optimizer:
    """An optimizer that is made for its weights at the first step; call it with weights to have it at once.

    Args:
        name: one of `ferrograd.optim` or a plugin.
        settings: Keras's (`learning_rate`, `beta_1`, `beta_2`, `epsilon`, `rho`) or PyTorch's.

    >>> import ferrograd as fg
    >>> from ferrograd.api import Optimizer
    >>> optimizer = Optimizer("sgd", learning_rate=0.5)
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> optimizer.update_params([w], [fg.tensor([1.0])])
    >>> w.tolist()
    [0.5]
    """

    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, name: str | None = None, **settings: Any) -> None:
        self.name = name or type(self).__name__
        chosen = {_SPELLINGS.get(key, key): value for key, value in settings.items()}
        self.settings = {**self.defaults, **chosen}
        betas = (self.settings.pop("beta_1", 0.9), self.settings.pop("beta_2", 0.999))
        if {"beta_1", "beta_2"} & chosen.keys():
            self.settings["betas"] = betas
        if self.name.lower() == "rmsprop" and "rho" in self.settings:
            self.settings["alpha"] = self.settings.pop("rho")
        self._bound: optim.Optimizer | None = None

    def __call__(self, weights: Iterable[Tensor]) -> optim.Optimizer:
        """The optimizer of `ferrograd.optim` over these weights."""
        made: optim.Optimizer = plugins.optimizers.get(self.name)(weights, **self.settings)
        return made

    def update_params(self, weights: Any, gradients: Any) -> None:
        """Take a step.

        Args:
            weights: tensors, in any nesting of lists, dictionaries, layers and models; the same at every step.
            gradients: what `Backpropagation.backward` returned, or gradients in the order of the weights.

        Raises ValueError if a weight has no gradient, or if the weights are others than at the first step.
        """
        tensors = flat(weights)
        found = gradients.of(tensors) if isinstance(gradients, Gradients) else flat(gradients)
        if len(found) != len(tensors):
            raise ValueError(f"update_params: expected a gradient for each of {len(tensors)} weights, got {len(found)}")
        if self._bound is None:
            self._bound = self(tensors)
        known = [weight for group in self._bound.param_groups for weight in group["params"]]
        if list(map(id, known)) != list(map(id, tensors)):
            raise ValueError(f"{self.name}: expected the {len(known)} weights of the first step, got others")
        for weight, gradient in zip(tensors, found, strict=True):
            weight.grad = gradient
        self._bound.step()

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Keras's spelling of `update_params`: pairs (gradient, weight)."""
        pairs = list(grads_and_vars)
        self.update_params([weight for _, weight in pairs], [gradient for gradient, _ in pairs])


class SGD(Optimizer):
    """`optim.SGD` with Keras's learning rate of 0.01."""

    defaults: ClassVar[dict[str, Any]] = {"lr": 0.01}


class Adam(Optimizer):
    """`optim.Adam` with a learning rate of 0.001."""

    defaults: ClassVar[dict[str, Any]] = {"lr": 0.001}


class AdamW(Adam):
    """`optim.AdamW` with Keras's weight decay of 0.004."""

    defaults: ClassVar[dict[str, Any]] = {"lr": 0.001, "weight_decay": 0.004}


class RMSprop(Optimizer):
    """`optim.RMSprop` with Keras's learning rate of 0.001 and rho of 0.9."""

    defaults: ClassVar[dict[str, Any]] = {"lr": 0.001, "rho": 0.9}


class Adagrad(Optimizer):
    """`optim.Adagrad` with Keras's learning rate of 0.001."""

    defaults: ClassVar[dict[str, Any]] = {"lr": 0.001}


OPTIMIZERS = {kind.__name__.lower(): kind for kind in (SGD, Adam, AdamW, RMSprop, Adagrad)}


def optimizer_of(spec: Any) -> Any:
    """A function of weights that makes the optimizer: from a name, a table with settings, or an `Optimizer`."""
    if isinstance(spec, str):
        spec = {"name": spec}
    if isinstance(spec, Mapping):
        settings = {str(key): value for key, value in spec.items()}
        name = str(settings.pop("name", ""))
        plugins.optimizers.get(name)
        kind = OPTIMIZERS.get(name.lower(), Optimizer)
        return kind(name, **settings)
    return spec


def flat(values: Any) -> list[Tensor]:
    """All tensors of nested lists, dictionaries, layers and models, in order."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, Module):
        return list(values.parameters())
    listed = values.values() if isinstance(values, Mapping) else values
    return [tensor for value in listed for tensor in flat(value)]
