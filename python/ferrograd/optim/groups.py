"""Parameter groups for a model: decay that skips biases and norms, rates that fall with depth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from ferrograd._core import Tensor
from ferrograd.nn.module import Module


def param_groups(
    model: Module,
    lr: float | None = None,
    weight_decay: float = 0.01,
    *,
    no_decay: Iterable[str] = (),
    layer_decay: float | None = None,
    layer_of: Callable[[str], int] | None = None,
) -> list[dict[str, Any]]:
    """Groups of a model's trainable parameters, to be given to any optimizer.

    Parameters of fewer than two axes (biases, norms) and those named in `no_decay` get no weight decay. With
    `layer_decay` the rate of a parameter is lr * layer_decay^(layers above it), as in ELECTRA and BEiT.

    Args:
        model: whose parameters that require gradients are grouped.
        lr: rate of the last layer; left to the optimizer if None, which `layer_decay` does not allow.
        weight_decay: of all others.
        no_decay: patterns of names, such as "*embedding*".
        layer_decay: factor of the rate from layer to layer, below 1.
        layer_of: the layer of a parameter by its name. By default the first number in names is that of a block in the
            longest stack of blocks; what comes before the stack is layer 0, what comes after it is above it.

    >>> import ferrograd as fg
    >>> model = fg.nn.Sequential(fg.nn.Linear(2, 2), fg.nn.LayerNorm(2))
    >>> groups = fg.optim.param_groups(model, weight_decay=0.1)
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.1), (3, 0.0)]
    >>> optimizer = fg.optim.AdamW(groups, lr=1e-3)
    """
    if layer_decay is not None and lr is None:
        raise ValueError("param_groups: layer_decay needs the rate of the last layer, pass lr")
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise ValueError("param_groups: the model has no parameters that require gradients")
    names = [name for name, _ in named]
    layers = [0] * len(names)
    if layer_decay is not None:
        layers = [layer_of(name) for name in names] if layer_of is not None else _layers(names)
    patterns, top = list(no_decay), max(layers)
    groups: dict[tuple[int, bool], list[Tensor]] = {}
    for (name, parameter), layer in zip(named, layers, strict=True):
        spared = parameter.ndim < 2 or any(fnmatchcase(name, pattern) for pattern in patterns)
        groups.setdefault((layer, spared), []).append(parameter)
    made = []
    for (layer, spared), params in groups.items():
        group: dict[str, Any] = {"params": params, "weight_decay": 0.0 if spared else weight_decay}
        if lr is not None:
            group["lr"] = lr if layer_decay is None else lr * layer_decay ** (top - layer)
        made.append(group)
    return made


def _layers(names: list[str]) -> list[int]:
    """The layer of each name: 0 before the longest stack of numbered blocks, then one per block, then one more."""
    blocks = [re.match(r"(.*?)\.?\b(\d+)\b", name) for name in names]
    stacks: dict[str, set[int]] = {}
    for block in blocks:
        if block is not None:
            stacks.setdefault(block[1], set()).add(int(block[2]))
    if not stacks:
        return [0] * len(names)
    longest = max(stacks, key=lambda stack: len(stacks[stack]))
    numbers = {block: i + 1 for i, block in enumerate(sorted(stacks[longest]))}
    layers, inside = [], 0
    for block in blocks:
        if block is not None and block[1] == longest:
            inside = numbers[int(block[2])]
            layers.append(inside)
        else:
            layers.append(0 if inside == 0 else len(numbers) + 1)
    return layers
