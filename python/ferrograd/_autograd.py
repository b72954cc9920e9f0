"""Modes and functions that differentiate functions. The walk itself is compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from ferrograd import _core
from ferrograd._core import GradError, Tensor

F = TypeVar("F", bound=Callable[..., Any])


class set_grad_enabled:
    """Switches recording on this thread, as a context manager or a decorator.

    >>> import ferrograd as fg
    >>> x = fg.ones(2).requires_grad_()
    >>> with fg.set_grad_enabled(False):
    ...     (x * 2).requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before: list[bool] = []

    def __enter__(self) -> Self:
        self.before.append(_core._set_grad_enabled(self.mode))
        return self

    def __exit__(self, *_: object) -> None:
        _core._set_grad_enabled(self.before.pop())

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with set_grad_enabled(self.mode):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class no_grad(set_grad_enabled):
    """Nothing is recorded inside: for evaluation and for updating parameters by hand.

    >>> import ferrograd as fg
    >>> x = fg.ones(2).requires_grad_()
    >>> with fg.no_grad():
    ...     x -= 0.5
    >>> x
    tensor([0.5, 0.5], requires_grad=True)
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):
    """Recording is on inside, also within `no_grad`."""

    def __init__(self) -> None:
        super().__init__(True)


def _tensors(values: Any) -> tuple[Tensor, ...]:
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def _leaves(args: Sequence[Any], argnums: int | Sequence[int]) -> tuple[list[Any], list[int]]:
    """The arguments with the chosen ones as fresh leaves, and which those are."""
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    fresh = list(args)
    for i in chosen:
        if not isinstance(args[i], Tensor):
            raise TypeError(f"grad: argument {i} has the wrong type, expected a Tensor, got {type(args[i]).__name__}")
        # A history of its own keeps derivatives of derivatives connected to the outer argument.
        fresh[i] = args[i] * 1 if args[i].requires_grad else args[i].detach().requires_grad_()
    return fresh, chosen


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, create_graph: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """A function that returns `function`'s value and its gradient with respect to the chosen arguments.

    Args:
        function: returns a tensor with one element.
        argnums: which positional arguments to differentiate by; an int gives one gradient, a sequence a tuple.
        create_graph: record the gradient itself, to differentiate it again.

    Raises:
        GradError: when the value has more than one element or does not depend on any chosen argument.

    >>> import ferrograd as fg
    >>> fg.value_and_grad(lambda x: (x * x).sum())(fg.tensor([1.0, 2.0]))
    (tensor(5., grad_fn=sum), tensor([2., 4.]))
    """

    @functools.wraps(function)
    def differentiated(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        fresh, chosen = _leaves(args, argnums)
        with enable_grad():
            value = function(*fresh, **kwargs)
        nested = create_graph or any(isinstance(a, Tensor) and a.requires_grad for a in args)
        inputs = [fresh[i] for i in chosen]
        found = _core._gradients([value], inputs, None, nested)
        grads = tuple(g if g is not None else _core.zeros_like(x) for g, x in zip(found, inputs, strict=True))
        return value, grads[0] if isinstance(argnums, int) else grads

    return differentiated


def grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, create_graph: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of `function`; see `value_and_grad`.

    >>> import ferrograd as fg
    >>> cube = lambda x: x * x * x
    >>> fg.grad(fg.grad(cube))(fg.tensor(2.0)).item()
    12.0
    """
    both = value_and_grad(function, argnums, create_graph)
    return functools.wraps(function)(lambda *args, **kwargs: both(*args, **kwargs)[1])


def vjp(function: Callable[..., Any], *args: Tensor) -> tuple[Any, Callable[..., tuple[Tensor, ...]]]:
    """The value of `function` at `args`, and a function from output cotangents to input cotangents.

    >>> import ferrograd as fg
    >>> y, pull = fg.vjp(fg.sin, fg.tensor([0.0, 1.0]))
    >>> pull(fg.ones(2))[0]
    tensor([1.    , 0.5403])
    """
    fresh, _ = _leaves(args, range(len(args)))
    with enable_grad():
        value = function(*fresh)
    outputs = _tensors(value)

    def pull(*cotangents: Tensor) -> tuple[Tensor, ...]:
        if len(cotangents) != len(outputs):
            raise GradError(f"vjp: expected {len(outputs)} cotangents, got {len(cotangents)}")
        found = _core._gradients(list(outputs), fresh, list(cotangents), False, True)
        return tuple(g if g is not None else _core.zeros_like(x) for g, x in zip(found, fresh, strict=True))

    return value, pull


class custom_vjp:
    """A function with a gradient of your own.

    Decorate the forward function, then register with `defvjp(forward, backward)`: `forward(*args)` returns the value
    and whatever `backward(saved, *cotangents)` needs; that returns one gradient (or None) per tensor argument.

    >>> import ferrograd as fg
    >>> @fg.custom_vjp
    ... def clipped(x):
    ...     return x * 2
    >>> clipped.defvjp(lambda x: (x * 2, x), lambda x, dy: (fg.clip(dy * 2, -1.0, 1.0),))
    >>> x = fg.tensor([3.0], requires_grad=True)
    >>> clipped(x).sum().backward()
    >>> x.grad
    tensor([1.])
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        self.rules = (forward, backward)

    def __call__(self, *args: Any) -> Any:
        if self.rules is None:
            raise GradError(f"custom_vjp: {self.function.__name__} has no gradient, expected a call of defvjp first")
        forward, backward = self.rules
        with no_grad():
            value, saved = forward(*args)
        inputs = [a for a in args if isinstance(a, Tensor)]

        def rule(*cotangents: Tensor | None) -> Any:
            pairs = zip(_tensors(value), cotangents, strict=True)
            return backward(saved, *(_core.zeros_like(y) if dy is None else dy for y, dy in pairs))

        tied = _core._record(list(_tensors(value)), inputs, rule)
        return tuple(tied) if isinstance(value, (tuple, list)) else tied[0]


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, whose inner values are computed again in backward instead of being kept.

    Random numbers drawn inside are the same both times. Tensors that the function closes over (the weights of a layer)
    get their gradients as usual.

    >>> import ferrograd as fg
    >>> x = fg.tensor([1.0], requires_grad=True)
    >>> fg.checkpoint(lambda v: fg.exp(fg.sin(v)))(x).backward()
    >>> round(x.grad.item(), 4)
    1.2534
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        state = _core.get_rng_state()
        with no_grad():
            value = function(*args, **kwargs)
        tensors = [a for a in args if isinstance(a, Tensor)]
        # An input that always needs a gradient ties the output into the graph even if only closed-over weights train.
        anchor = _core.zeros(()).requires_grad_()

        def rule(*cotangents: Tensor | None) -> list[Tensor | None]:
            now = _core.get_rng_state()
            _core.set_rng_state(state)
            fresh = [a.detach().requires_grad_() if isinstance(a, Tensor) and a.requires_grad else a for a in args]
            with enable_grad():
                outputs = _tensors(function(*fresh, **kwargs))
            _core.set_rng_state(now)
            live = [(y, dy) for y, dy in zip(outputs, cotangents, strict=True) if dy is not None and y.requires_grad]
            _core._backward([y for y, _ in live], [dy for _, dy in live])
            grads = [a.grad if a.requires_grad else None for a in fresh if isinstance(a, Tensor)]
            return [*grads, None]

        tied = _core._record(list(_tensors(value)), [*tensors, anchor], rule)
        return tuple(tied) if isinstance(value, (tuple, list)) else tied[0]

    return wrapped
