"""Functions that are called before and after a layer's forward and backward."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ferrograd import _core
from ferrograd._core import Tensor

if TYPE_CHECKING:
    from ferrograd.nn.module import Module

_hook_ids = itertools.count()


class Hook(NamedTuple):
    """A function, and whether it is given the keyword arguments of the call."""

    function: Callable[..., Any]
    with_kwargs: bool = False


class RemovableHandle:
    """Returned by the `register_*_hook` methods; `remove()` takes the hook away and may be called twice."""

    def __init__(self, hooks: dict[int, Hook], hook: Hook, prepend: bool = False) -> None:
        self._hooks, self._id = hooks, next(_hook_ids)
        later = dict(hooks) if prepend else {}
        if prepend:
            hooks.clear()
        hooks[self._id] = hook
        hooks.update(later)

    def remove(self) -> None:
        self._hooks.pop(self._id, None)


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward` between its hooks."""
    for function, with_kwargs in list(module._forward_pre_hooks.values()):
        changed = function(module, args, kwargs) if with_kwargs else function(module, args)
        if changed is not None and with_kwargs:
            args, kwargs = changed
        elif changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    watch = None
    if (module._backward_hooks or module._backward_pre_hooks) and _core.is_grad_enabled():
        watch = _BackwardWatch(module)
        args = watch.inputs(args)
    output = module.forward(*args, **kwargs)
    for function, with_kwargs in list(module._forward_hooks.values()):
        changed = function(module, args, kwargs, output) if with_kwargs else function(module, args, output)
        output = output if changed is None else changed
    return output if watch is None else watch.outputs(output)


class _BackwardWatch:
    """Identities around one call of a layer, whose backward sees all gradients on each side together."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.grad_output: tuple[Tensor | None, ...] = ()
        self.slots: list[int] = []
        self.count = 0

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that need a gradient tied to `_leave`."""
        self.count = len(args)
        self.slots = [i for i, arg in enumerate(args) if isinstance(arg, Tensor) and arg.requires_grad]
        if not self.slots:
            return args
        passed = list(args)
        for slot, tied in zip(self.slots, _identity([args[i] for i in self.slots], self._leave), strict=True):
            passed[slot] = tied
        return tuple(passed)

    def outputs(self, output: Any) -> Any:
        """The output, a tensor or a sequence of them, tied to `_enter`."""
        several = isinstance(output, (tuple, list))
        passed = list(output) if several else [output]
        slots = [i for i, value in enumerate(passed) if isinstance(value, Tensor) and value.requires_grad]
        if slots:
            for slot, tied in zip(slots, _identity([passed[i] for i in slots], self._enter), strict=True):
                passed[slot] = tied
        if not several:
            return passed[0]
        # A named tuple takes its fields one by one.
        return type(output)(*passed) if hasattr(output, "_fields") else type(output)(passed)

    def _enter(self, *grads: Tensor | None) -> list[Tensor | None]:
        self.grad_output = grads
        for function, _ in list(self.module._backward_pre_hooks.values()):
            changed = function(self.module, self.grad_output)
            if changed is not None:
                self.grad_output = _as_tuple(self.module, changed, len(grads))
        if not self.slots:
            self._run_hooks((None,) * self.count)
        return list(self.grad_output)

    def _leave(self, *grads: Tensor | None) -> list[Tensor | None]:
        given: list[Tensor | None] = [None] * self.count
        for slot, grad in zip(self.slots, grads, strict=True):
            given[slot] = grad
        after = self._run_hooks(tuple(given))
        return [after[slot] for slot in self.slots]

    def _run_hooks(self, grad_input: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        for function, _ in list(self.module._backward_hooks.values()):
            changed = function(self.module, grad_input, self.grad_output)
            if changed is not None:
                grad_input = _as_tuple(self.module, changed, len(grad_input))
        return grad_input


def _identity(tensors: Sequence[Tensor], backward: Callable[..., list[Tensor | None]]) -> list[Tensor]:
    return _core._record([tensor.detach() for tensor in tensors], list(tensors), backward)


def _as_tuple(module: Module, changed: Any, count: int) -> tuple[Tensor | None, ...]:
    values = changed if isinstance(changed, tuple) else (changed,)
    if len(values) != count:
        raise ValueError(f"{type(module).__name__}: expected {count} gradients from a backward hook, got {len(values)}")
    return values
