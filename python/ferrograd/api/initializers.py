"""Initial values by Keras's names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial

from ferrograd._core import Tensor
from ferrograd.nn import init

Initializer = str | Callable[[Tensor], Tensor]

INITIALIZERS: dict[str, Callable[[Tensor], Tensor]] = {
    "zeros": init.zeros_,
    "ones": init.ones_,
    "glorot_uniform": init.xavier_uniform_,
    "glorot_normal": init.xavier_normal_,
    "he_uniform": partial(init.kaiming_uniform_, nonlinearity="relu"),
    "he_normal": partial(init.kaiming_normal_, nonlinearity="relu"),
    "lecun_uniform": partial(init.kaiming_uniform_, nonlinearity="linear"),
    "lecun_normal": partial(init.kaiming_normal_, nonlinearity="linear"),
    "orthogonal": init.orthogonal_,
    "random_normal": partial(init.normal_, std=0.05),
    "random_uniform": partial(init.uniform_, a=-0.05, b=0.05),
    "truncated_normal": partial(init.trunc_normal_, std=0.05, a=-0.1, b=0.1),
}


def initializer(spec: Initializer) -> Callable[[Tensor], Tensor]:
    """A function of `nn.init` kind from its Keras name; ValueError with the nearest names for an unknown one.

    >>> from ferrograd.api.initializers import initializer
    >>> initializer("zeros").__name__
    'zeros_'
    """
    if callable(spec):
        return spec
    if spec not in INITIALIZERS:
        near = difflib.get_close_matches(spec, INITIALIZERS, n=2) or INITIALIZERS
        raise ValueError(f"initializer: unknown name, expected {' or '.join(near)}, got {spec!r}")
    return INITIALIZERS[spec]
