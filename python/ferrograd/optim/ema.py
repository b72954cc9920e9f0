"""Running averages of a model's parameters: SWA and EMA."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import Tensor
from ferrograd.nn.module import Module
from ferrograd.nn.norm import _BatchNorm

Average = Callable[[Tensor, Tensor, int], Tensor]
MultiAverage = Callable[[list[Tensor], list[Tensor], int], None]


def _move(averages: list[Tensor], values: list[Tensor], weight: float) -> None:
    """averages += weight (values - averages), in place, in one fused kernel."""
    _core.fused_step("average", averages, [value.detach() for value in values], [], {"weight": weight})


def get_swa_multi_avg_fn() -> MultiAverage:
    """The equal average of all values so far (Izmailov et al. 2018), what AveragedModel does by default."""
    return lambda averages, values, count: _move(averages, values, 1.0 / (count + 1))


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The exponential moving average: average = decay average + (1 - decay) value.

    >>> import ferrograd as fg
    >>> model = fg.nn.Linear(2, 2)
    >>> averaged = fg.optim.AveragedModel(model, multi_avg_fn=fg.optim.get_ema_multi_avg_fn(0.99))
    """
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"get_ema_multi_avg_fn: decay must be between 0 and 1, got {decay}")
    return lambda averages, values, _count: _move(averages, values, 1.0 - decay)


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over training; call it like the model.

    Args:
        model: copied, not changed.
        device: where the copy lives.
        avg_fn: of (average, value, number of averages), the new average of one tensor.
        multi_avg_fn: of (averages, values, number of averages), changes the averages of all tensors in place. With
            neither, the equal average of all values (SWA).
        use_buffers: average the buffers of floating-point type too; otherwise they are copied.

    >>> import ferrograd as fg
    >>> model = fg.nn.Linear(1, 1, bias=False)
    >>> averaged = fg.optim.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = fg.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged(fg.ones((1, 1))).item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: expected avg_fn or multi_avg_fn, got both")
        self.module = copy.deepcopy(model).requires_grad_(False)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", _core.zeros((), dtype=_core.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the average; the first time they are copied."""
        averages: list[Tensor] = list(self.module.parameters())
        values: list[Tensor] = list(model.parameters())
        buffers = list(zip(self.module.buffers(), model.buffers(), strict=True))
        if self.use_buffers:
            averaged = [pair for pair in buffers if _is_float(pair[0])]
            buffers = [pair for pair in buffers if not _is_float(pair[0])]
            averages += [average for average, _ in averaged]
            values += [value for _, value in averaged]
        values = [value.detach().to(device=a.device) for a, value in zip(averages, values, strict=True)]
        count = int(self.n_averaged)
        with no_grad():
            if count == 0:
                buffers += zip(averages, values, strict=True)
            elif self.avg_fn is not None:
                for average, value in zip(averages, values, strict=True):
                    average.copy_(self.avg_fn(average.detach(), value, count))
            else:
                (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, values, count)
            for average, value in buffers:
                average.copy_(value.detach().to(device=average.device))
            self.n_averaged.copy_(self.n_averaged + 1)


def _is_float(x: Tensor) -> bool:
    return x.dtype in (_core.float16, _core.bfloat16, _core.float32, _core.float64)


class EMA(AveragedModel):
    """The exponential moving average of a model, its buffers included: evaluate with it, train the model itself.

    Args:
        model: copied, not changed.
        decay: of the average; 0.999 remembers about a thousand steps.
        warmup: let the decay rise from 0 as (1 + n) / (10 + n) in the first updates, so that the random start is
            forgotten.

    >>> import ferrograd as fg
    >>> model = fg.nn.Linear(1, 1, bias=False)
    >>> ema = fg.optim.EMA(model, decay=0.75)
    >>> for value in (1.0, 5.0):
    ...     _ = fg.nn.init.constant_(model.weight, value)
    ...     ema.update_parameters(model)
    >>> ema.module.weight.item()
    2.0
    """

    def __init__(self, model: Module, decay: float = 0.999, warmup: bool = False) -> None:
        if not 0.0 <= decay <= 1.0:
            raise ValueError(f"EMA: decay must be between 0 and 1, got {decay}")
        self.decay, self.warmup = decay, warmup
        super().__init__(model, multi_avg_fn=self._average, use_buffers=True)

    def _average(self, averages: list[Tensor], values: list[Tensor], count: int) -> None:
        decay = min(self.decay, (1 + count) / (10 + count)) if self.warmup else self.decay
        _move(averages, values, 1.0 - decay)


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Give the batch norms of an averaged model the statistics of its own activations, in one pass over the data.

    Args:
        loader: batches, or tuples or lists whose first item is the model's input.
        model: in whose batch norms the running mean and variance are found anew.
        device: where inputs are moved to.

    >>> import ferrograd as fg
    >>> model = fg.nn.BatchNorm1d(1)
    >>> fg.optim.update_bn([fg.tensor([[0.0], [2.0]]), fg.tensor([[2.0], [4.0]])], model)
    >>> model.running_mean.tolist()
    [2.0]
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.running_mean is not None]
    if not norms:
        return
    momenta, modes = [norm.momentum for norm in norms], [(module, module.training) for module in model.modules()]
    model.train()
    try:
        with no_grad():
            for norm in norms:
                # Without momentum the running statistics are the equal average over batches.
                norm.momentum = None
                for name, value in (("running_mean", 0.0), ("running_var", 1.0), ("num_batches_tracked", 0)):
                    getattr(norm, name).fill_(value)
            for batch in loader:
                inputs = batch[0] if isinstance(batch, (tuple, list)) else batch
                model(inputs if device is None else inputs.to(device))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, training in modes:
            module.training = training
