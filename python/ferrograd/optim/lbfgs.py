"""L-BFGS with an optional line search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ferrograd import _core
from ferrograd._autograd import enable_grad, no_grad
from ferrograd._core import Tensor
from ferrograd._namespace import concat
from ferrograd.optim.line_search import Point, strong_wolfe
from ferrograd.optim.optimizer import Closure, Optimizer, Params

_LISTS = ("old_dirs", "old_stps")


class LBFGS(Optimizer):
    """Quasi-Newton steps from the last `history_size` changes of gradient and parameters (Liu & Nocedal 1989).

    For whole batches and losses without noise. One call of `step` does up to max_iter iterations and calls the closure
    many times.

    Args:
        params: tensors; groups with settings of their own are not supported.
        lr: length of a step, and the first one tried by the line search.
        max_iter: iterations per call of `step`.
        max_eval: evaluations of the closure per call (max_iter * 5 / 4 if None).
        tolerance_grad: stop when no entry of the gradient is larger.
        tolerance_change: stop when neither parameters nor loss change by more.
        history_size: how many changes are remembered.
        line_search_fn: None or "strong_wolfe".

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.tensor([3.0, -2.0]))
    >>> optimizer = fg.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> bool((abs(w - 1) < 0.1).all())
    True
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: Literal["strong_wolfe"] | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {line_search_fn!r}")
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS: groups with settings of their own are not supported, expected one list of tensors")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def _flat_grad(self) -> Tensor:
        parts = [_core.zeros_like(p.detach()) if p.grad is None else p.grad for p in self._params]
        return concat([_core.reshape(part, -1) for part in parts])

    def _move(self, values: list[Tensor], t: float, direction: Tensor) -> None:
        """Set the parameters to `values` + t direction."""
        start = 0
        for parameter, value in zip(self._params, values, strict=True):
            part = direction[start : start + value.numel()]
            parameter.copy_(value + t * _core.reshape(part, tuple(value.shape)))
            start += value.numel()

    def _evaluate(self, closure: Closure) -> tuple[float, Tensor]:
        with enable_grad():
            loss = float(closure())
        return loss, self._flat_grad()

    def step(self, closure: Closure | None = None, *, grad_scale: float = 1.0) -> Any:
        """Iterate; returns the loss before. Raises ValueError without a closure or with scaled gradients."""
        if closure is None or grad_scale != 1.0:
            raise ValueError("LBFGS: step needs a closure that computes the loss and its unscaled gradients")
        with enable_grad():
            first = closure()
        with no_grad():
            self._iterate(closure, float(first))
        return first

    def _iterate(self, closure: Closure, loss: float) -> None:
        group, state = self.param_groups[0], self.state.setdefault(self._params[0], {"func_evals": 0, "n_iter": 0})
        small, lr = group["tolerance_change"], group["lr"]
        state["func_evals"] += 1
        evaluations, grad = 1, self._flat_grad()
        for iteration in range(1, group["max_iter"] + 1):
            if _largest(grad) <= group["tolerance_grad"]:
                return
            state["n_iter"] += 1
            direction = state["d"] = self._direction(state, grad)
            t = min(1.0, 1.0 / float(_core.sum(abs(grad)))) * lr if state["n_iter"] == 1 else lr
            previous = state["prev_loss"] = loss
            state["prev_flat_grad"], state["t"] = grad, t
            slope = _dot(grad, direction)
            if slope > -small:
                return
            values, calls = [p.detach() for p in self._params], 0
            if group["line_search_fn"] is None:
                self._move(values, t, direction)
                if iteration < group["max_iter"]:
                    (loss, grad), calls = self._evaluate(closure), 1
            else:
                point, calls = self._search(closure, values, direction, Point(0.0, loss, grad, slope), t)
                loss, grad, t = point.loss, point.grad, point.t
                state["t"] = t
                self._move(values, t, direction)
            evaluations += calls
            state["func_evals"] += calls
            still = _largest(direction) * t <= small or abs(loss - previous) < small
            if evaluations >= group["max_eval"] or still:
                return

    def _search(
        self, closure: Closure, values: list[Tensor], direction: Tensor, start: Point, t: float
    ) -> tuple[Point, int]:
        def evaluate(t: float) -> Point:
            self._move(values, t, direction)
            loss, grad = self._evaluate(closure)
            return Point(t, loss, grad, _dot(grad, direction))

        change = self.param_groups[0]["tolerance_change"]
        return strong_wolfe(evaluate, start, t, _largest(direction), tolerance_change=change)

    def _direction(self, state: dict[str, Any], grad: Tensor) -> Tensor:
        """-H g, with H from the remembered changes (the two-loop recursion)."""
        if state["n_iter"] == 1:
            state.update({"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1.0})
            return -grad
        changes, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        change, step = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = _dot(change, step)
        if curvature > 1e-10:
            if len(changes) >= self.param_groups[0]["history_size"]:
                for remembered in (changes, steps, ro):
                    remembered.pop(0)
            changes.append(change)
            steps.append(step)
            ro.append(1.0 / curvature)
            state["H_diag"] = curvature / _dot(change, change)
        direction: Tensor = -grad
        weights: list[float] = []
        for change, step, inverse in zip(reversed(changes), reversed(steps), reversed(ro), strict=True):
            weights.append(_dot(step, direction) * inverse)
            direction = direction - weights[-1] * change
        direction = direction * state["H_diag"]
        for change, step, inverse in zip(changes, steps, ro, strict=True):
            direction = direction + (weights.pop() - _dot(change, direction) * inverse) * step
        return direction

    def state_dict(self) -> dict[str, Any]:
        """The state in PyTorch's layout, but with the remembered changes as the rows of two tensors."""
        saved = super().state_dict()
        for entry in saved["state"].values():
            entry["ro"] = list(entry.get("ro", []))
            entry |= {name: _core.stack(entry[name]) for name in _LISTS if entry.get(name)}
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for entry in self.state.values():
            entry["ro"] = list(entry["ro"])
            entry |= {name: list(entry.get(name, ())) for name in _LISTS}

    def _loaded(self, name: str, value: Any, parameter: Tensor) -> Any:
        if not isinstance(value, Tensor):
            return value
        size = sum(p.numel() for p in self._params)
        if tuple(value.shape[-1:]) != (size,):
            raise ValueError(
                f"LBFGS.load_state_dict: {name} has a wrong shape, "
                f"expected {size} values, got shape {tuple(value.shape)}"
            )
        return value.detach().to(device=parameter.device, dtype=parameter.dtype)


def _dot(a: Tensor, b: Tensor) -> float:
    return float(_core.dot(a, b))


def _largest(x: Tensor) -> float:
    return float(_core.max(abs(x))) if x.numel() else 0.0
