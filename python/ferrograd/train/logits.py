"""The logits behind probabilities, so that a loss after a softmax or sigmoid need not take logarithms of 0.

An activation that ends a model remembers what it was given; a cross-entropy asks for it. Only the very tensor that
the activation returned is known, and nothing is kept longer than that tensor lives.
"""

from __future__ import annotations

import weakref
from typing import Literal

from ferrograd._core import Tensor

Kind = Literal["softmax", "sigmoid"]
# By identity: tensors compare elementwise, so they are no keys.
_origins: dict[int, tuple[weakref.ref[Tensor], Kind, Tensor]] = {}


def remember_logits(probabilities: Tensor, kind: Kind, logits: Tensor) -> Tensor:
    """Note that `probabilities` is the softmax (over the last axis) or sigmoid of `logits`; returns `probabilities`."""
    key = id(probabilities)
    _origins[key] = (weakref.ref(probabilities, lambda _: _origins.pop(key, None)), kind, logits)
    return probabilities


def logits_of(outputs: Tensor, kind: Kind) -> Tensor | None:
    """What `outputs` is the softmax or sigmoid of, None if that is not known."""
    reference, known, logits = _origins.get(id(outputs), (None, None, None))
    return logits if reference is not None and reference() is outputs and known == kind else None
