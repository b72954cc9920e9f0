"""Module: a tree of layers with named parameters, in PyTorch's shape.

Parameters, buffers and child modules are ordinary attributes; the tree is found by looking at them, so a subclass
needs neither `super().__init__()` nor any registration.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.nn.hooks import Hook, RemovableHandle, call_with_hooks
from ferrograd.nn.parameter import Parameter, UninitializedParameter, assign

Self = TypeVar("Self", bound="Module")
_REPR_LINES = 2000
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """Base class of all layers and models: assign parameters and layers to attributes, write `forward`.

    An error raised inside a layer is re-raised with the layer's path in the model added to its message.

    >>> import ferrograd as fg
    >>> class Net(fg.nn.Module):
    ...     def __init__(self):
    ...         self.hidden = fg.nn.Linear(4, 8)
    ...         self.out = fg.nn.Linear(8, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> net(fg.zeros((3, 4))).shape
    (3, 2)
    >>> list(net.state_dict())
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    """

    training: bool
    _buffers: dict[str, bool]
    _forward_hooks: dict[int, Hook]
    _forward_pre_hooks: dict[int, Hook]
    _backward_hooks: dict[int, Hook]
    _backward_pre_hooks: dict[int, Hook]

    def __new__(cls: type[Self], *args: Any, **kwargs: Any) -> Self:  # noqa: ARG004 - they are for __init__
        module = super().__new__(cls)
        vars(module).update(training=True, _buffers={}, **{name: {} for name in HOOKS})
        return module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module defines its own."""
        raise NotImplementedError(f"{type(self).__name__}: the class defines no forward method")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks:
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            _add_path(error, self)
            raise

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; what it returns, unless None, replaces the output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `prepend` it comes before earlier hooks.
        """
        return RemovableHandle(self._forward_hooks, Hook(hook, with_kwargs), prepend)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns, unless None, replaces the arguments.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns (args, kwargs) or None.
        """
        return RemovableHandle(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of a call's inputs are known.

        Both are tuples, None where nothing needs a gradient; a returned tuple replaces grad_input.
        """
        return RemovableHandle(self._backward_hooks, Hook(hook), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients of a call's outputs are known; a tuple replaces them."""
        return RemovableHandle(self._backward_pre_hooks, Hook(hook), prepend)

    # --- the tree ---

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Direct child modules with their names, each module once."""
        seen: set[int] = set()
        for name, value in list(vars(self).items()):
            if isinstance(value, Module) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Module]:
        """Direct child modules."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module and everything below it, parents first, with dotted paths ("" is this module).

        A module reached by several paths comes once, or under each path if `remove_duplicate` is False.
        Raises ValueError if a module contains itself.
        """
        return ((path, module) for path, module, leaving in self._walk(prefix, remove_duplicate) if not leaving)

    def _walk(self, prefix: str, remove_duplicate: bool) -> Iterator[tuple[str, Module, bool]]:
        # An explicit stack: a model may be nested deeper than Python's recursion limit.
        seen: set[int] = set()
        open_modules: set[int] = set()
        stack: list[tuple[str, Module, bool]] = [(prefix, self, False)]
        while stack:
            path, module, leaving = stack.pop()
            if leaving:
                open_modules.discard(id(module))
                yield path, module, True
                continue
            if id(module) in open_modules:
                raise ValueError(f"{type(self).__name__}: the module at {path!r} contains itself")
            if remove_duplicate and id(module) in seen:
                continue
            seen.add(id(module))
            open_modules.add(id(module))
            yield path, module, False
            stack.append((path, module, True))
            below = [(n, v) for n, v in vars(module).items() if isinstance(v, Module)]
            stack.extend((_join(path, name), child, False) for name, child in reversed(below))

    def modules(self) -> Iterator[Module]:
        """This module and everything below it, each once, parents first."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; KeyError if there is none."""
        module = self
        for name in target.split(".") if target else []:
            below = vars(module).get(name)
            if not isinstance(below, Module):
                raise KeyError(f"get_submodule: {type(module).__name__} has no layer {name!r} (in {target!r})")
            module = below
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path; KeyError if there is none."""
        path, _, name = target.rpartition(".")
        value = vars(self.get_submodule(path)).get(name)
        if not isinstance(value, Parameter):
            raise KeyError(f"get_parameter: {type(self).__name__} has no parameter {target!r}")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path; KeyError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name not in module._buffers:
            raise KeyError(f"get_buffer: {type(self).__name__} has no buffer {target!r}")
        value: Tensor = getattr(module, name)
        return value

    def add_module(self, name: str, module: Module) -> None:
        """Same as `setattr(self, name, module)`."""
        setattr(self, name, module)

    register_module = add_module

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn(module)` for every module, children before parents; returns self."""
        for module in [module for _, module, leaving in self._walk("", True) if leaving]:
            fn(module)
        return self

    # --- parameters and buffers ---

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Parameters with dotted names; one shared by several layers comes once unless `remove_duplicate` is False.

        Raises RuntimeError for a layer whose sizes are still to be found at its first call.
        """
        seen: set[int] = set()
        modules = self.named_modules(prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, value in list(vars(module).items()):
                if isinstance(value, UninitializedParameter):
                    raise RuntimeError(
                        f"{type(module).__name__}: {_join(path, name)!r} has no shape yet, "
                        "call the model once on an example input first"
                    )
                if isinstance(value, Parameter) and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield _join(path, name), value

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once: what an optimizer takes."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Tensors that are state but not trained (running statistics), with dotted names."""
        seen: set[int] = set()
        modules = self.named_modules(prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name in module._buffers:
                value = getattr(module, name)
                if value is not None and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield _join(path, name), value

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` part of the module's state; it moves with `to` and, if persistent, is in `state_dict`."""
        if not name.isidentifier():
            raise ValueError(f"register_buffer: the name must be an identifier, got {name!r}")
        self._buffers[name] = persistent
        setattr(self, name, tensor)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Same as `setattr(self, name, param)`; None says that the layer works without it."""
        setattr(self, name, param)

    # --- state ---

    def _named_state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self.named_modules(remove_duplicate=False):
            yield from module.named_parameters(path, recurse=False)
            for name, value in module.named_buffers(path, recurse=False):
                if module._buffers[name.rpartition(".")[2]]:
                    yield name, value

    def state_dict(self, *, prefix: str = "") -> dict[str, Tensor]:
        """Values of all parameters and persistent buffers by dotted name; later training does not change them.

        Every name begins with `prefix`.
        """
        return {prefix + name: value.detach() for name, value in self._named_state()}

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and buffers of the same names, cast to their dtype and device.

        Nothing is changed unless everything fits. Raises RuntimeError that lists every missing and unexpected name
        (if `strict`) and every wrong shape.
        """
        own: dict[str, tuple[Module, str]] = {}
        for path, module in self.named_modules(remove_duplicate=False):
            for name, value in vars(module).items():
                is_state = isinstance(value, (Parameter, UninitializedParameter))
                if is_state or (module._buffers.get(name) and value is not None):
                    own[_join(path, name)] = (module, name)
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        problems = []
        if strict and missing:
            problems.append(f"missing: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected: {', '.join(unexpected)}")
        for path, (module, name) in own.items():
            target, got = getattr(module, name), tuple(state_dict[path].shape) if path in state_dict else None
            unsized = isinstance(target, UninitializedParameter)
            if got is not None and not (target.fits(got) if unsized else tuple(target.shape) == got):
                problems.append(f"{path}: shape mismatch, expected {tuple(target.shape)}, got {got}")
        if problems:
            raise RuntimeError(f"load_state_dict({type(self).__name__}): " + "; ".join(problems))
        for path, (module, name) in own.items():
            if path not in state_dict:
                continue
            target, value = getattr(module, name), state_dict[path]
            if isinstance(target, UninitializedParameter):
                setattr(module, name, target.materialize(value))
            else:
                assign(target, value.to(device=target.device, dtype=target.dtype))
        return IncompatibleKeys(missing, unexpected)

    def train(self: Self, mode: bool = True) -> Self:
        """Switch dropout and batch statistics on (or off, with False) in the whole tree; returns self."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self: Self) -> Self:
        """Same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Make all parameters trainable, or freeze them; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros if `set_to_none` is False."""
        for parameter in self.parameters():
            gradient = None if set_to_none else parameter.grad
            parameter.grad = None if gradient is None else _core.zeros_like(gradient)

    def to(self: Self, *args: Any, device: Any = None, dtype: Any = None) -> Self:
        """Move to a device ("cpu", "gpu", "gpu:1") and/or cast floating parameters and buffers; returns self.

        `model.to("gpu")`, `model.to(fg.float64)` and `model.to("gpu", fg.float16)` work as in PyTorch.
        """
        for argument in args:
            if isinstance(argument, str):
                device = argument
            else:
                dtype = argument
        for tensor in itertools.chain(self.parameters(), self.buffers()):
            cast = dtype if "floating" in tensor.dtype.kind else None
            if device is not None or cast is not None:
                assign(tensor, tensor.detach().to(device=device or tensor.device, dtype=cast or tensor.dtype))
                tensor.grad = None
        return self

    def cpu(self: Self) -> Self:
        """Same as `to("cpu")`."""
        return self.to("cpu")

    def double(self: Self) -> Self:
        """Same as `to(fg.float64)`."""
        return self.to(_core.float64)

    def float(self: Self) -> Self:
        """Same as `to(fg.float32)`."""
        return self.to(_core.float32)

    def half(self: Self) -> Self:
        """Same as `to(fg.float16)`."""
        return self.to(_core.float16)

    def bfloat16(self: Self) -> Self:
        """Same as `to(fg.bfloat16)`."""
        return self.to(_core.bfloat16)

    # --- printing ---

    def extra_repr(self) -> str:
        """The settings shown between the parentheses of `repr`: by default all public plain attributes."""
        plain = (bool, int, float, str, tuple)
        settings = {n: v for n, v in vars(self).items() if isinstance(v, plain) and not n.startswith("_")}
        return ", ".join(f"{name}={value!r}" for name, value in settings.items() if name != "training")

    def __repr__(self) -> str:
        lines: list[str] = []
        stack: list[tuple[int, str, Module | None]] = [(0, "", self)]
        while stack:
            depth, label, module = stack.pop()
            if module is None:
                lines.append("  " * depth + ")")
                continue
            below = list(module.named_children())
            head = "  " * depth + label + type(module).__name__ + "(" + module.extra_repr()
            if len(lines) == _REPR_LINES:
                return "\n".join([*lines, "..."])
            lines.append(head if below else head + ")")
            if below:
                stack.append((depth, "", None))
                stack.extend((depth + 1, f"({name}): ", child) for name, child in reversed(below))
        return "\n".join(lines)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _add_path(error: Exception, module: Module) -> None:
    """Extend the message of `error`, on its way out of `module`, by the path of the layer it began in."""
    if len(error.args) != 1 or not isinstance(error.args[0], str) or isinstance(error, KeyError):
        return
    where = vars(error).setdefault("_layer", (error.args[0], module))
    message, inner = where
    path = next((path for path, below in module.named_modules() if below is inner), None)
    layer = type(inner).__name__ if not path else f"{path} ({type(inner).__name__})"
    error.args = (
        f"{message} [in layer {layer} of {type(module).__name__}]" if path else f"{message} [in layer {layer}]",
    )
