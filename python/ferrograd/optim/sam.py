"""SAM: sharpness-aware minimisation around another optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ferrograd import _core
from ferrograd._autograd import enable_grad, no_grad
from ferrograd._core import Tensor
from ferrograd.optim.optimizer import Closure, Optimizer


class SAM(Optimizer):
    """The base optimizer's step, with the gradient taken at p + rho g / norm(g) (Foret et al. 2021).

    It finds flat minima, for two passes through the model in each step.

    Args:
        base_optimizer: whose groups, state and rule are used.
        rho: distance to the place where the gradient is taken.
        adaptive: measure the distance relative to each value: p + rho p^2 g / norm(p g) (ASAM, Kwon et al. 2021).

    `step(closure)` runs the closure twice; it should call `zero_grad`, compute the loss and call `backward`.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([1.0]))
    >>> optimizer = fg.optim.SAM(fg.optim.SGD([w], lr=0.25), rho=0.5)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (w * w).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()  # steps along the gradient at 1.5
    1.0
    >>> w.tolist()
    [0.25]
    """

    def __init__(self, base_optimizer: Optimizer, rho: float = 0.05, adaptive: bool = False) -> None:
        if not rho >= 0.0:
            raise ValueError(f"SAM: rho must not be negative, got {rho}")
        self.base_optimizer, self.rho, self.adaptive = base_optimizer, rho, adaptive
        self.defaults = base_optimizer.defaults
        self._places: list[tuple[Tensor, Tensor]] = []

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Those of the base optimizer."""
        return self.base_optimizer.param_groups

    @property
    def state(self) -> dict[Tensor, dict[str, Any]]:  # type: ignore[override]
        """That of the base optimizer."""
        return self.base_optimizer.state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        self.base_optimizer.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.base_optimizer.load_state_dict(state_dict)

    def first_step(self, zero_grad: bool = False) -> None:
        """Go to the place where the gradient is taken; for loops without a closure."""
        with no_grad():
            params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
            grads = [p.grad for p in params if p.grad is not None]
            self._places = [(p, p.detach()) for p in params]
            measured = [abs(p) * g for p, g in zip(params, grads, strict=True)] if self.adaptive else grads
            factor = self.rho / (_core.global_norm(measured) + 1e-12)
            for parameter, grad in zip(params, grads, strict=True):
                direction = parameter * parameter * grad if self.adaptive else grad
                parameter.copy_(parameter + factor * direction)
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad: bool = False, *, grad_scale: float = 1.0) -> None:
        """Go back, and step along the gradient found there."""
        with no_grad():
            for parameter, value in self._places:
                parameter.copy_(value)
        self._places = []
        self.base_optimizer.step(grad_scale=grad_scale)
        if zero_grad:
            self.zero_grad()

    def step(self, closure: Closure | None = None, *, grad_scale: float = 1.0) -> Any:
        """One step; returns the loss before it. Raises ValueError without a closure."""
        if closure is None:
            raise ValueError("SAM: step needs a closure that computes the loss and calls backward")
        with enable_grad():
            loss = closure()
        self.first_step(zero_grad=True)
        try:
            with enable_grad():
                closure()
        except BaseException:
            with no_grad():
                for parameter, value in self._places:
                    parameter.copy_(value)
            raise
        self.second_step(grad_scale=grad_scale)
        return loss

    def __repr__(self) -> str:
        return f"SAM(rho={self.rho}, adaptive={self.adaptive}, {self.base_optimizer!r})"
