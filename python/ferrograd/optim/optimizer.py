"""Optimizer: parameter groups, per-parameter state, PyTorch's state_dict layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from ferrograd import _core
from ferrograd._autograd import enable_grad, no_grad
from ferrograd._core import Tensor

Params = Iterable[Tensor] | Iterable[dict[str, Any]]
Closure = Callable[[], Any]


class Optimizer:
    """Base class. A subclass gives default settings to `__init__` and writes `_update(group, params, grads, scale)`.

    What groups of all optimizers share, where an optimizer has the setting:

    - `weight_decay`: the L2 penalty weight_decay / 2 sum(p^2), added to the gradient; or decoupled from it, p is then
      multiplied with 1 - lr weight_decay (always in AdamW, Lion, Muon and Adafactor; in Adam, NAdam and RAdam with
      `decoupled_weight_decay=True`).
    - `l1_decay`: the L1 penalty l1_decay sum(abs(p)), added to the gradient as l1_decay sign(p). It draws values to 0.
    - `maximize`: climb instead of descending.

    Args:
        params: tensors that require gradients, or dictionaries `{"params": tensors, "lr": ..., ...}` (groups with
            settings of their own).
        defaults: settings of the groups that do not give them.

    Raises ValueError for no parameters, one given twice, or one that is computed from others.

    `_update` gets the parameters of a group that have gradients, the gradients, and what they are to be scaled by:

    >>> import ferrograd as fg
    >>> class Descent(fg.optim.Optimizer):
    ...     def __init__(self, params, lr=0.5):
    ...         super().__init__(params, {"lr": lr})
    ...     def _update(self, group, params, grads, scale):
    ...         for parameter, gradient in zip(params, grads):
    ...             parameter.data = parameter.detach() - group["lr"] * scale * gradient
    >>> weight = fg.nn.Parameter(fg.tensor([3.0]))
    >>> optimizer = Descent([weight])
    >>> (weight * weight).sum().backward()
    >>> optimizer.step()
    >>> weight.tolist()
    [0.0]
    """

    # States that are numbers, and their types.
    _scalars: ClassVar[dict[str, Callable[[Any], Any]]] = {"step": int}

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        if isinstance(params, Tensor):
            raise TypeError(f"{self._name}: params must be an iterable of tensors or dictionaries, got one Tensor")
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError(f"{self._name}: the list of parameters is empty")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own, for example after unfreezing a layer."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"{self._name}: a group must be a dictionary with 'params', got {param_group!r}")
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        unknown = set(param_group) - set(self.defaults) - {"params", "initial_lr"}
        if unknown:
            raise ValueError(
                f"{self._name}: unknown settings {sorted(unknown)}, expected some of {list(self.defaults)}"
            )
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for parameter in params:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{self._name}: expected tensors to optimize, got {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError(f"{self._name}: can only optimize leaf tensors, got the result of an operation")
            if id(parameter) in known:
                raise ValueError(f"{self._name}: a parameter of shape {tuple(parameter.shape)} is given twice")
            known.add(id(parameter))
        group = {"params": params, **self.defaults, **{k: v for k, v in param_group.items() if k != "params"}}
        self._check(group)
        self.param_groups.append(group)

    def _check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for settings that make no sense."""
        self._check_not_negative(group, "lr", "weight_decay", "l1_decay")

    def _check_not_negative(self, group: dict[str, Any], *names: str) -> None:
        for name in names:
            if name in group and not group[name] >= 0.0:
                raise ValueError(f"{self._name}: {name} must not be negative, got {group[name]}")

    def _check_fractions(self, group: dict[str, Any], name: str, count: int = 2) -> None:
        values = group[name]
        if len(values) != count or not all(0.0 <= value < 1.0 for value in values):
            raise ValueError(f"{self._name}: {name} must be {count} numbers in [0, 1), got {values}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, or fill them with zeros if `set_to_none` is False."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none or parameter.grad is None:
                    parameter.grad = None
                else:
                    parameter.grad = _core.zeros_like(parameter.grad)

    def step(self, closure: Closure | None = None, *, grad_scale: float = 1.0) -> Any:
        """Change every parameter that has a gradient.

        Args:
            closure: called first, with gradients enabled; it should compute the loss and call `backward`.
            grad_scale: factor of all gradients, applied inside the fused kernel: clipping at no extra pass.

        Returns the closure's result, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                scale = -grad_scale if group.get("maximize") else grad_scale
                by_row = self._by_row(group)
                params, grads = [], []
                for parameter in group["params"]:
                    if by_row and (rows := parameter._row_grad()) is not None:
                        index, values = rows
                        self._update_rows(group, parameter, index, values, scale)
                    elif (grad := parameter.grad) is not None:
                        params.append(parameter)
                        grads.append(grad)
                if params:
                    self._update(group, params, grads, scale)
        return loss

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], scale: float) -> None:
        """Change the parameters of a group by their gradients, each of which is first multiplied with `scale`."""
        raise NotImplementedError(f"{self._name}: the class defines no _update method")

    def _by_row(self, group: dict[str, Any]) -> bool:  # noqa: ARG002
        """Whether rows whose gradient is zero stay as they are, so that `_update_rows` may pass over them."""
        return False

    def _update_rows(
        self, group: dict[str, Any], parameter: Tensor, index: Tensor, values: Tensor, scale: float
    ) -> None:
        """Change the rows of a parameter that `index` (k,) names, rising, by their gradients `values` (k, ...)."""
        raise NotImplementedError(f"{self._name}: the class defines no _update_rows method")

    def state_dict(self) -> dict[str, Any]:
        """The state in PyTorch's layout: `{"state": {index: {...}}, "param_groups": [{..., "params": [index]}]}`."""
        index = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [{**group, "params": [index[id(p)] for p in group["params"]]} for group in self.param_groups]
        state = {
            index[id(p)]: {k: v.detach() if isinstance(v, Tensor) else v for k, v in entry.items()}
            for p, entry in self.state.items()
        }
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state of an optimizer with the same groups.

        Raises ValueError, before anything is changed, if groups, parameters or shapes do not match.
        """
        groups = state_dict["param_groups"]
        sizes = [len(group["params"]) for group in self.param_groups]
        got = [len(group["params"]) for group in groups]
        if sizes != got:
            raise ValueError(f"{self._name}.load_state_dict: expected parameter groups of sizes {sizes}, got {got}")
        own = [p for group in self.param_groups for p in group["params"]]
        theirs = [index for group in groups for index in group["params"]]
        by_index = dict(zip(theirs, own, strict=True))
        state: dict[Tensor, dict[str, Any]] = {}
        for index, entry in state_dict["state"].items():
            if index not in by_index:
                raise ValueError(f"{self._name}.load_state_dict: there is no parameter with the index {index!r}")
            state[by_index[index]] = {k: self._loaded(k, v, by_index[index]) for k, v in entry.items()}
        self.state = state
        for group, saved in zip(self.param_groups, groups, strict=True):
            group.update({k: v for k, v in saved.items() if k != "params"})

    def _loaded(self, name: str, value: Any, parameter: Tensor) -> Any:
        if name in self._scalars:
            return self._scalars[name](value)
        if not isinstance(value, Tensor):
            return value
        expected = self._state_shape(name, parameter)
        if tuple(value.shape) != expected:
            raise ValueError(
                f"{self._name}.load_state_dict: {name} has a wrong shape, expected {expected}, got {tuple(value.shape)}"
            )
        return value.detach().to(device=parameter.device, dtype=parameter.dtype)

    def _state_shape(self, name: str, parameter: Tensor) -> tuple[int, ...]:  # noqa: ARG002
        """The shape of a parameter's state tensor."""
        return tuple(parameter.shape)

    def __repr__(self) -> str:
        lines = [f"{self._name}("]
        for number, group in enumerate(self.param_groups):
            settings = ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            lines.append(f"  group {number}: {len(group['params'])} parameters, {settings}")
        return "\n".join([*lines, ")"])
