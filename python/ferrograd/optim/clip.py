"""Gradient clipping."""

from __future__ import annotations

from collections.abc import Iterable

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.optim.rows import change_gradient, held_gradient


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0) -> Tensor:
    """The norm of all tensors together, as if they were one vector; a 0-d tensor, float64 if one of them is.

    >>> import ferrograd as fg
    >>> fg.optim.get_total_norm([fg.tensor([3.0]), fg.tensor([4.0])]).item()
    5.0
    """
    listed = _listed(tensors)
    if not listed:
        return _core.zeros(())
    if norm_type == 2.0:
        wide = any(tensor.dtype == _core.float64 for tensor in listed)
        return _core.asarray(_core.global_norm(listed), dtype=_core.float64 if wide else _core.float32)
    with no_grad():
        norms = [_core.linalg_vector_norm(t, ord=norm_type) for t in listed]
        return _core.linalg_vector_norm(_core.stack(norms), ord=norm_type)


def gradients(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The gradients there are, for a norm: of those kept as rows, the rows."""
    held = [held_gradient(parameter) for parameter in parameters]
    return [gradient for gradient in held if gradient is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by max_norm / (norm + 1e-6) if that is below 1; returns their total norm before.

    Args:
        parameters: tensors with gradients; those without are left alone.
        max_norm: largest norm allowed.
        norm_type: order of the norm, `float("inf")` for the largest entry.
        error_if_nonfinite: raise RuntimeError if the norm is infinite or NaN, instead of scaling by it.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.zeros(2))
    >>> w.grad = fg.tensor([3.0, 4.0])
    >>> fg.optim.clip_grad_norm_([w], max_norm=1.0).item()
    5.0
    """
    listed = _listed(parameters)
    norm = get_total_norm(gradients(listed), norm_type)
    value = float(norm)
    if error_if_nonfinite and not value < float("inf"):
        raise RuntimeError(f"clip_grad_norm_: the total norm of the gradients is not finite, got {value}")
    factor = clip_factor(value, max_norm)
    if factor != 1.0:
        for parameter in listed:
            change_gradient(parameter, lambda gradient: gradient * factor)
    return norm


def clip_factor(norm: float, max_norm: float) -> float:
    """What gradients of this total norm are multiplied with; pass it to `Optimizer.step(grad_scale=...)`."""
    factor = max_norm / (norm + 1e-6)
    return 1.0 if factor > 1.0 else factor


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clip every entry of every gradient to +-clip_value.

    >>> import ferrograd as fg
    >>> w = fg.nn.Parameter(fg.zeros(2))
    >>> w.grad = fg.tensor([3.0, -0.5])
    >>> fg.optim.clip_grad_value_([w], 1.0)
    >>> w.grad.tolist()
    [1.0, -0.5]
    """
    for parameter in _listed(parameters):
        change_gradient(parameter, lambda gradient: _core.clip(gradient, -clip_value, clip_value))
