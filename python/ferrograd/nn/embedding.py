"""Embeddings: tables looked up by integer."""

from __future__ import annotations

from typing import Any

from ferrograd import _core
from ferrograd._autograd import no_grad
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F
from ferrograd.nn import init
from ferrograd.nn.module import Module
from ferrograd.nn.parameter import Parameter, assign
from ferrograd.nn.sizes import required_size


class _Table(Module):
    """What both layers share: the rows and how they start."""

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        weight: Tensor | None,
        freeze: bool,
        device: Any,
        dtype: Any,
    ) -> None:
        kind = type(self).__name__
        self.num_embeddings = required_size(self, "num_embeddings", num_embeddings)
        self.embedding_dim = required_size(self, "embedding_dim", embedding_dim)
        if padding_idx is not None and not -self.num_embeddings <= padding_idx < self.num_embeddings:
            raise IndexError(f"{kind}: padding_idx is outside {self.num_embeddings} rows, got {padding_idx}")
        self.padding_idx = None if padding_idx is None else padding_idx % self.num_embeddings
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        shape = (self.num_embeddings, self.embedding_dim)
        if weight is not None:
            if tuple(weight.shape) != shape:
                raise ShapeError(f"{kind}: expected a table {shape}, got {tuple(weight.shape)}")
            self.weight = Parameter(weight, requires_grad=not freeze)
            return
        self.weight = Parameter(
            _core.zeros(shape, dtype=dtype or _core.float32, device=device), requires_grad=not freeze
        )
        init.normal_(self.weight)
        if self.padding_idx is not None:
            table = self.weight.detach()
            table[self.padding_idx] = 0.0
            assign(self.weight, table)

    def _renormalize(self, input: Tensor) -> None:
        """Scale the rows that are about to be used down to `max_norm`."""
        if self.max_norm is not None:
            with no_grad():
                assign(self.weight, F.renormalize_rows(self.weight, input, self.max_norm, self.norm_type))

    def extra_repr(self) -> str:
        defaults = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
        shown = [f"{name}={getattr(self, name)!r}" for name, value in defaults.items() if getattr(self, name) != value]
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *shown])


class Embedding(_Table):
    """Rows of a table by index: integers (*) -> (*, embedding_dim).

    Args:
        num_embeddings: number of rows.
        embedding_dim: length of a row.
        padding_idx: a row that starts at zero and gets no gradient.
        max_norm, norm_type: rows that are used are first scaled to at most this norm, in place.
        scale_grad_by_freq: divide a row's gradient by how often the batch uses it.
        sparse: nothing to choose: gradients are kept as rows wherever that is less, and `weight.grad` is the whole.
        device, dtype: of the table.

    `weight` is (num_embeddings, embedding_dim) and starts standard normal. Raises IndexError for an index outside.

    On the CPU a batch that looks up less than half of the rows leaves the gradient of these rows, and `weight.grad`
    makes a tensor of it when somebody reads it. `optim.SGD` without momentum, `optim.Adagrad`, both without decay, and
    `optim.SparseAdam` change these rows alone: a step takes as long as the batch is large, not the table.

    >>> import ferrograd as fg
    >>> fg.nn.Embedding(10, 4, padding_idx=0)(fg.tensor([[1, 0]]))[0, 1].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,  # noqa: ARG002 - torch's name; see above
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            _weight,
            _freeze,
            device,
            dtype,
        )

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding whose table has the value of `embeddings` (rows, length), fixed if `freeze`."""
        if embeddings.ndim != 2:
            raise ShapeError(f"Embedding.from_pretrained: expected 2 dimensions, got shape {tuple(embeddings.shape)}")
        rows, length = embeddings.shape
        return cls(
            rows, length, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, _freeze=freeze
        )

    def forward(self, input: Tensor) -> Tensor:
        self._renormalize(input)
        return F.embedding(input, self.weight, self.padding_idx, scale_grad_by_freq=self.scale_grad_by_freq)


class EmbeddingBag(_Table):
    """Sums, means or maxima of the rows of each bag, as `Embedding` followed by a reduction.

    Args:
        num_embeddings, embedding_dim, device, dtype: as in `Embedding`.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in `Embedding`.
        mode: "sum", "mean" or "max".
        include_last_offset: whether `offsets` ends with the number of indices, so that it has one entry more.
        padding_idx: an index that counts for nothing.

    `forward(input, offsets=None, per_sample_weights=None)`: indices (B, n), one bag a row, or (n,) with offsets (B,)
    at which the bags begin -> (B, embedding_dim). per_sample_weights, in the shape of input, go with mode "sum".
    An empty bag gives zeros. Raises IndexError for an index outside, ShapeError for offsets that do not fit.

    >>> import ferrograd as fg
    >>> bag = fg.nn.EmbeddingBag.from_pretrained(fg.tensor([[1.0], [2.0], [4.0]]), mode="sum")
    >>> bag(fg.tensor([0, 1, 2, 2]), offsets=fg.tensor([0, 2])).tolist()
    [[3.0], [8.0]]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,  # noqa: ARG002 - torch's name; see above
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings,
            embedding_dim,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            _weight,
            False,
            device,
            dtype,
        )
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: expected mode 'sum', 'mean' or 'max', got {mode!r}")
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A layer whose table has the value of `embeddings` (rows, length), fixed if `freeze`."""
        if embeddings.ndim != 2:
            raise ShapeError(
                f"EmbeddingBag.from_pretrained: expected 2 dimensions, got shape {tuple(embeddings.shape)}"
            )
        rows, length = embeddings.shape
        bag = cls(
            rows,
            length,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            embeddings,
            include_last_offset,
            padding_idx,
        )
        bag.weight.requires_grad = not freeze
        return bag

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        self._renormalize(input)
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            scale_grad_by_freq=self.scale_grad_by_freq,
            mode=self.mode,
            per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset,
            padding_idx=self.padding_idx,
        )
