"""What a model consists of: layers, shapes, parameters, multiplications, memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.nn.attention import MultiheadAttention
from ferrograd.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ferrograd.nn.linear import Bilinear, Linear
from ferrograd.nn.module import Module

Shape = tuple[int, ...]


@dataclass
class LayerSummary:
    """One call of a layer: where it is in the model, what came out, what it holds and what it costs."""

    path: str
    kind: str
    depth: int
    output_shapes: list[Shape] = field(default_factory=list)
    parameters: int = 0
    macs: int = 0
    output_bytes: int = 0
    has_layers_inside: bool = False


@dataclass(frozen=True)
class Summary:
    """The layers of a model in the order of their calls, and totals. `print` shows it as a table."""

    layers: list[LayerSummary]
    parameters: int
    trainable: int
    parameter_bytes: int
    input_bytes: int

    @property
    def macs(self) -> int:
        """Multiplications with additions of one forward call."""
        return sum(layer.macs for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        """What the outputs of the innermost layers occupy, which training keeps for backward."""
        return sum(layer.output_bytes for layer in self.layers if not layer.has_layers_inside)

    @property
    def training_bytes(self) -> int:
        """Input, activations, parameters and their gradients, without the optimizer's state."""
        trainable_share = self.trainable / max(self.parameters, 1)
        return (
            self.input_bytes
            + self.activation_bytes
            + self.parameter_bytes
            + int(self.parameter_bytes * trainable_share)
        )

    def __str__(self) -> str:
        head = ("layer", "output shape", "parameters", "MACs")
        rows = [
            (
                "  " * layer.depth + (f"{layer.path.rpartition('.')[2]} ({layer.kind})" if layer.path else layer.kind),
                " ".join(map(str, layer.output_shapes)),
                f"{layer.parameters:,}" if layer.parameters else "",
                f"{layer.macs:,}" if layer.macs else "",
            )
            for layer in self.layers
        ]
        total = ("total", "", f"{self.parameters:,}", f"{self.macs:,}")
        widths = [max(len(row[column]) for row in (head, *rows, total)) for column in range(4)]

        def line(row: tuple[str, str, str, str]) -> str:
            cells = (row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2]), row[3].rjust(widths[3]))
            return "  ".join(cells).rstrip()

        rule = "-" * (sum(widths) + 6)
        frozen = f", {self.parameters - self.trainable:,} of them frozen" if self.trainable < self.parameters else ""
        return "\n".join(
            [
                line(head),
                rule,
                *map(line, rows),
                rule,
                line(total),
                f"parameters {_size(self.parameter_bytes)}{frozen}, activations {_size(self.activation_bytes)}, "
                f"training {_size(self.training_bytes)} without optimizer state",
            ]
        )

    __repr__ = __str__


def summary(model: Module, input_shape: Any, dtype: Any = None, device: str | None = None) -> Summary:
    """Call the model once, in eval mode and without gradients, and list its layers.

    Args:
        model: sizes that are found at the first call are found by this one.
        input_shape: with the batch, such as (1, 3, 224, 224); a list of shapes for several inputs; tensors in the place
            of shapes are used as they are.
        dtype: of the inputs, such as `fg.int64` for token indices; zeros are passed.
        device: of the inputs.

    MACs are those of linear, convolution, attention and recurrent layers; what `forward` computes without layers is not
    seen. A layer called twice is listed twice; its parameters are counted once. Raises what the model raises.

    >>> import ferrograd as fg
    >>> net = fg.nn.Sequential(fg.nn.Conv2d(1, 4, 3), fg.nn.ReLU(), fg.nn.Flatten(), fg.nn.Linear(out_features=2))
    >>> print(fg.nn.summary(net, (1, 1, 8, 8)))
    layer          output shape  parameters   MACs
    ----------------------------------------------
    Sequential     (1, 2)
      0 (Conv2d)   (1, 4, 6, 6)          40  1,296
      1 (ReLU)     (1, 4, 6, 6)
      2 (Flatten)  (1, 144)
      3 (Linear)   (1, 2)               290    288
    ----------------------------------------------
    total                               330  1,584
    parameters 1.3 KiB, activations 1.7 KiB, training 4.5 KiB without optimizer state
    """
    inputs = _inputs(input_shape, dtype, device)
    paths = {id(module): path for path, module in model.named_modules()}
    rows: list[tuple[LayerSummary, Module]] = []
    open_rows: list[LayerSummary] = []

    def enter(module: Module, _: Any) -> None:
        row = LayerSummary(paths[id(module)], type(module).__name__, len(open_rows))
        if open_rows:
            open_rows[-1].has_layers_inside = True
        open_rows.append(row)
        rows.append((row, module))

    def leave(module: Module, args: tuple[Any, ...], output: Any) -> None:
        row = open_rows.pop()
        tensors = _tensors(output)
        row.output_shapes = [tuple(tensor.shape) for tensor in tensors]
        row.output_bytes = sum(tensor.nbytes for tensor in tensors)
        row.macs = _macs(module, _tensors(args), tensors)

    modes = [(module, module.training) for module in model.modules()]
    handles = [module.register_forward_pre_hook(enter) for module in model.modules()]
    handles += [module.register_forward_hook(leave) for module in model.modules()]
    try:
        with no_grad():
            model.eval()(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    _count_parameters(rows)
    parameters = list(model.parameters())
    return Summary(
        [row for row, _ in rows],
        parameters=sum(parameter.size for parameter in parameters),
        trainable=sum(parameter.size for parameter in parameters if parameter.requires_grad),
        parameter_bytes=sum(parameter.nbytes for parameter in parameters),
        input_bytes=sum(tensor.nbytes for tensor in _tensors(inputs)),
    )


def _inputs(given: Any, dtype: Any, device: str | None) -> list[Any]:
    several = isinstance(given, list) or (isinstance(given, tuple) and not all(isinstance(n, int) for n in given))
    entries: Sequence[Any] = given if several else [given]
    return [
        entry if isinstance(entry, Tensor) else _core.zeros(tuple(entry), dtype=dtype, device=device)
        for entry in entries
    ]


def _tensors(value: Any) -> list[Tensor]:
    """All tensors in nested tuples, lists and dictionaries."""
    found: list[Tensor] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Tensor):
            found.append(item)
        elif isinstance(item, (tuple, list)):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
    return found


def _count_parameters(rows: list[tuple[LayerSummary, Module]]) -> None:
    """Each parameter goes to the first listed layer that holds it, itself or in a layer that is not called."""
    called = {id(module) for _, module in rows}
    seen: set[int] = set()
    for row, module in rows:
        stack = [module]
        while stack:
            holder = stack.pop()
            for parameter in holder.parameters(recurse=False):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    row.parameters += parameter.size
            stack.extend(child for child in holder.children() if id(child) not in called)


def _macs(module: Module, inputs: list[Tensor], outputs: list[Tensor]) -> int:
    """Multiplications with additions of one call of a layer that multiplies matrices; 0 for others."""
    if isinstance(module, MultiheadAttention) and len(inputs) >= 3:
        query, key, value = inputs[:3]
        length, keys = (x.shape[-2 if module.batch_first or x.ndim == 2 else 0] for x in (query, key))
        projections = 2 * query.size * module.embed_dim + (key.size + value.size) * module.embed_dim
        return projections + 2 * (query.size // max(length, 1)) * length * keys
    if not outputs or not inputs:
        return 0
    if isinstance(module, Linear):
        return outputs[0].size * (module.in_features or 0)
    if isinstance(module, Bilinear):
        return outputs[0].size * module.in1_features * module.in2_features
    if isinstance(module, (Conv1d, Conv2d, Conv3d)):
        return outputs[0].size * math.prod(module.weight.shape[1:])
    if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)):
        return inputs[0].size * math.prod(module.weight.shape[1:])
    weights = [p for name, p in module.named_parameters(recurse=False) if name.startswith(("weight_ih", "weight_hh"))]
    if weights:
        steps = inputs[0].size // max(inputs[0].shape[-1], 1)
        return steps * sum(weight.size for weight in weights)
    return 0


def _size(count: int) -> str:
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
