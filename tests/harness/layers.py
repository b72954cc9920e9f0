"""What every layer is held to: gradients that reach all parameters, and a state that survives a round trip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import ferrograd as fg


def data(*shape: int, seed: int = 0) -> fg.Tensor:
    return fg.testing.make_tensor(*shape, seed=seed, low=-1, high=1, dtype=fg.float64)


def scramble(layer: Any, low: float = -1.0, high: float = 1.0) -> Any:
    """The layer with every parameter drawn anew, each from a stream of its own."""
    for seed, parameter in enumerate(layer.parameters()):
        fg.nn.init.uniform_(parameter, low, high, generator=fg.Generator(seed))
    return layer


def check_gradients(layer: Any, call: Callable[[], Any], eps: float = 1e-6) -> None:
    """The gradient of every parameter, for a random cotangent, against one random direction of differences."""
    rng = np.random.default_rng(0)
    output = call()
    cotangent = fg.asarray(rng.standard_normal(tuple(output.shape)))
    layer.zero_grad()
    output.backward(cotangent)
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, f"no gradient reaches {name}"
        direction = rng.standard_normal(tuple(parameter.shape))
        start, ends = parameter.detach(), []
        for sign in (1.0, -1.0):
            fg.nn.parameter.assign(parameter, start + fg.asarray(sign * eps * direction))
            ends.append((call().detach() * cotangent).sum().item())
        fg.nn.parameter.assign(parameter, start)
        numeric = (ends[0] - ends[1]) / (2 * eps)
        analytic = float((parameter.grad.numpy() * direction).sum())
        assert abs(analytic - numeric) <= 1e-6 + 1e-5 * abs(numeric), f"{name}: expected {numeric}, got {analytic}"


def check_round_trip(layer: Any, call: Callable[[Any], Any], make: Callable[[], Any]) -> None:
    """A new layer that loads the state of the first gives the same output, bit for bit."""
    copy = make()
    result = copy.load_state_dict(layer.state_dict())
    assert result.missing_keys == result.unexpected_keys == []
    np.testing.assert_array_equal(call(copy).detach().numpy(), call(layer).detach().numpy())
