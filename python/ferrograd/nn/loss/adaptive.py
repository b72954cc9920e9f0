"""A softmax over very many classes that computes rare ones only where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ferrograd import _core, _namespace
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn.container import ModuleList, Sequential
from ferrograd.nn.linear import Linear
from ferrograd.nn.module import Module
from ferrograd.nn.sizes import required_size


class AdaptiveLogSoftmaxOutput(NamedTuple):
    """Log-probability of each sample's target, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Cross-entropy over classes sorted by frequency, rare ones in clusters of narrower layers (Grave et al. 2017).

    Args:
        in_features: size of the last input dimension.
        n_classes: number of classes; the frequent ones come first.
        cutoffs: where clusters begin, ascending, below n_classes.
        div_value: by which factor each cluster's hidden layer is narrower than the one before.
        head_bias: whether the layer of the frequent classes and the clusters has a bias.
        device, dtype: of the parameters.

    `forward(input, target)` takes (N, in_features) and classes (N,), or both without N, and gives the log-probability
    of each target and their mean negative as `output` and `loss`. Raises IndexError for a class outside.

    >>> import ferrograd as fg
    >>> softmax = fg.nn.AdaptiveLogSoftmaxWithLoss(16, n_classes=100, cutoffs=[10, 40])
    >>> output, loss = softmax(fg.rand((3, 16)), fg.tensor([2, 35, 99]))
    >>> output.shape, softmax.log_prob(fg.rand((3, 16))).shape
    ((3,), (3, 100))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.in_features = required_size(self, "in_features", in_features)
        self.n_classes = required_size(self, "n_classes", n_classes)
        edges = [required_size(self, "cutoffs", cutoff) for cutoff in cutoffs]
        if not edges or edges != sorted(set(edges)) or edges[0] < 1 or edges[-1] >= n_classes:
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss: expected ascending cutoffs from 1 to {n_classes - 1}, got {list(cutoffs)}"
            )
        self.cutoffs = [*edges, self.n_classes]
        self.shortlist_size, self.n_clusters = edges[0], len(edges)
        self.head_size = self.shortlist_size + self.n_clusters
        self.div_value, self.head_bias = div_value, head_bias
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(self.in_features, self.head_size, bias=head_bias, **place)
        self.tail = ModuleList()
        for cluster in range(self.n_clusters):
            hidden = int(self.in_features // div_value ** (cluster + 1))
            size = self.cutoffs[cluster + 1] - self.cutoffs[cluster]
            narrow = Linear(self.in_features, hidden, bias=False, **place)
            self.tail.append(Sequential(narrow, Linear(hidden, size, bias=False, **place)))

    def forward(self, input: Tensor, target: Tensor) -> AdaptiveLogSoftmaxOutput:
        if input.ndim not in (1, 2) or target.shape != input.shape[:-1]:
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: expected input (N, {self.in_features}) and target (N,), "
                f"got {tuple(input.shape)} and {tuple(target.shape)}"
            )
        if input.ndim == 1:
            single = self.forward(input.unsqueeze(0), target.unsqueeze(0))
            return AdaptiveLogSoftmaxOutput(single.output[0], single.loss)
        if target.size and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise IndexError(f"AdaptiveLogSoftmaxWithLoss: expected classes below {self.n_classes}, got one outside")
        # Where a sample stands in the head: at its class, or at its cluster.
        place = target
        for cluster in range(self.n_clusters):
            place = place.masked_fill(target >= self.cutoffs[cluster], self.shortlist_size + cluster)
        output = _core.gather(self.head(input).log_softmax(axis=-1), 1, place.unsqueeze(1)).squeeze(1)
        for cluster, layers in enumerate(self.tail):
            low, high = self.cutoffs[cluster : cluster + 2]
            (rows,) = _core.nonzero((target >= low) & (target < high))
            if rows.size:
                inside = layers(_core.take(input, rows, axis=0)).log_softmax(axis=-1)
                local = _core.take(target, rows) - low
                output = _core.index_add(output, 0, rows, _core.gather(inside, 1, local.unsqueeze(1)).squeeze(1))
        return AdaptiveLogSoftmaxOutput(output, -output.mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: (N, in_features) -> (N, n_classes)."""
        head: Tensor = self.head(input).log_softmax(axis=-1)
        parts = [head[:, : self.shortlist_size]]
        for cluster, layers in enumerate(self.tail):
            column = self.shortlist_size + cluster
            parts.append(layers(input).log_softmax(axis=-1) + head[:, column : column + 1])
        return _namespace.concat(parts, axis=1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample: (N, in_features) -> (N,)."""
        return _core.argmax(self.log_prob(input), axis=1)
