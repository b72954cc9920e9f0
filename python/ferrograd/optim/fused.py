"""FusedOptimizer: one compiled pass over parameters, gradients and states of a whole group."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.optim.optimizer import Optimizer


class FusedOptimizer(Optimizer):
    """Base of the optimizers whose step is a rule of the compiled module.

    A subclass names the rule, says in `_states` which of its states a group keeps, and gives the rule's numbers.
    """

    rule: ClassVar[str]

    def _states(self, group: dict[str, Any]) -> Sequence[str | None]:
        """The rule's states by name, None for one that this group does not keep (it reads 0)."""
        raise NotImplementedError(f"{self._name}: the class defines no _states method")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> dict[str, float]:
        """The rule's numbers; `state` is that of any parameter of the cohort."""
        raise NotImplementedError(f"{self._name}: the class defines no _numbers method")

    def _start(self, group: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
        """A parameter's state before its first step."""
        value = parameter.detach()
        return {"step": 0, **{name: _core.zeros_like(value) for name in self._states(group) if name}}

    def _advance(self, group: dict[str, Any], state: dict[str, Any]) -> None:  # noqa: ARG002
        """Count a step."""
        state["step"] += 1

    def _cohort(self, state: dict[str, Any]) -> Hashable:
        """What parameters must share to share their numbers."""
        return int(state["step"])

    def _decays(self, group: dict[str, Any]) -> bool:
        """Whether parameters change without a gradient."""
        return bool(group.get("weight_decay", 0.0) or group.get("l1_decay", 0.0))

    def _decoupled(self, group: dict[str, Any]) -> bool:
        """Whether weight decay shrinks the parameter instead of joining the gradient."""
        return bool(group.get("decoupled_weight_decay", False))

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], scale: float) -> None:
        # Parameters unfrozen later count their own steps; usually there is one cohort and one kernel.
        cohorts: dict[Hashable, list[int]] = {}
        for i, parameter in enumerate(params):
            state = self._entered(group, parameter)
            cohorts.setdefault(self._cohort(state), []).append(i)
        for members in cohorts.values():
            some = params if len(members) == len(params) else [params[i] for i in members]
            theirs = grads if len(members) == len(params) else [grads[i] for i in members]
            self._fused(group, some, theirs, self._numbers(group, self.state[some[0]]), scale)

    def _update_rows(
        self, group: dict[str, Any], parameter: Tensor, index: Tensor, values: Tensor, scale: float
    ) -> None:
        state = self._entered(group, parameter)
        kept = [[state[name]] if name else [] for name in self._states(group)]
        numbers = self._numbers(group, state) | self._shared(group, scale)
        _core.fused_step(self.rule, [parameter], [values], kept, numbers, index)

    def _entered(self, group: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
        """A parameter's state, in this step."""
        state = self.state.get(parameter)
        if state is None:
            state = self.state[parameter] = self._start(group, parameter)
        self._advance(group, state)
        return state

    def _shared(self, group: dict[str, Any], scale: float) -> dict[str, float]:
        """The numbers that every rule takes."""
        decay = group.get("weight_decay", 0.0)
        decayed = {"shrink": 1.0 - group["lr"] * decay} if self._decoupled(group) else {"weight_decay": decay}
        return {"scale": scale, "l1_decay": group.get("l1_decay", 0.0), **decayed}

    def _fused(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], numbers: dict[str, float], scale: float
    ) -> None:
        """Run the rule over parameters that share their numbers."""
        kept = [[self.state[p][name] for p in params] if name else [] for name in self._states(group)]
        _core.fused_step(self.rule, params, grads, kept, numbers | self._shared(group, scale))


def descend(params: list[Tensor], directions: list[Tensor], lr: float, shrink: float = 1.0) -> None:
    """p = shrink p - lr direction, in place."""
    numbers = {"lr": lr, "momentum": 0.0, "keep": 1.0, "nesterov": 0.0, "shrink": shrink}
    _core.fused_step("sgd", params, directions, [[]], numbers)
