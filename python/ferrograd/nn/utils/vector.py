"""All parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable

from ferrograd import _namespace
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn.parameter import assign


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters flattened and joined, one after the other: a tensor (total size,).

    >>> import ferrograd as fg
    >>> net = fg.nn.Linear(3, 2)
    >>> fg.nn.utils.parameters_to_vector(net.parameters()).shape
    (8,)
    """
    flat = [parameter.reshape((-1,)) for parameter in parameters]
    if not flat:
        raise ValueError("parameters_to_vector: expected at least one parameter, got none")
    return _namespace.concat(flat)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parameters the values of a vector, the inverse of `parameters_to_vector`.

    Raises ShapeError, and changes nothing, unless the vector has as many elements as the parameters.

    >>> import ferrograd as fg
    >>> net = fg.nn.Linear(1, 1)
    >>> fg.nn.utils.vector_to_parameters(fg.tensor([2.0, 3.0]), net.parameters())
    >>> net(fg.tensor([[10.0]])).tolist()
    [[23.0]]
    """
    targets = list(parameters)
    total = sum(target.size for target in targets)
    if tuple(vec.shape) != (total,):
        raise ShapeError(f"vector_to_parameters: expected a vector ({total},), got {tuple(vec.shape)}")
    start = 0
    for target in targets:
        part = vec[start : start + target.size].reshape(target.shape)
        assign(target, part.to(device=target.device, dtype=target.dtype))
        start += target.size
