"""Sequences of different lengths: padded to one tensor, and packed so that recurrent layers stop at each one's end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ferrograd import _core
from ferrograd._core import ShapeError, Tensor
from ferrograd.nn import functional as F

__all__ = [
    "PackedSequence",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence:
    """A batch of sequences of different lengths, as recurrent layers take and return it.

    Inside it stays padded, (longest, N, *) with the lengths beside it; `data` and `batch_sizes` show it in PyTorch's
    form, from which the constructor makes it, too: all first steps, then all second ones, the longest sequence first.
    Usually made by `pack_padded_sequence` or `pack_sequence`.

    Args:
        data: (sum of lengths, *).
        batch_sizes: how many sequences have a first step, a second one, ...
        sorted_indices: which sequence of the batch is the longest, the next, ...; None if they come in that order.
        unsorted_indices: the inverse of sorted_indices; found from it if left out.

    >>> import ferrograd as fg
    >>> packed = fg.nn.utils.rnn.pack_sequence([fg.tensor([1, 2, 3]), fg.tensor([4])])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 4, 2, 3], [2, 1, 1])
    """

    padded: Tensor
    lengths: Tensor
    sorted_indices: Tensor | None

    def __init__(
        self,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> None:
        sizes = np.asarray(batch_sizes)
        if (
            sizes.ndim != 1
            or len(sizes) == 0
            or (np.diff(sizes) > 0).any()
            or sizes[-1] < 1
            or sizes.sum() != len(data)
        ):
            raise ValueError(
                f"PackedSequence: expected falling batch_sizes whose sum is {len(data)}, got {sizes.tolist()}"
            )
        if sorted_indices is None and unsorted_indices is not None:
            sorted_indices = invert_permutation(unsorted_indices)
        lengths = (np.arange(sizes[0])[:, None] < sizes).sum(1)
        present = _mask(lengths, len(sizes))
        places = np.where(present, np.cumsum(present).reshape(present.shape) - 1, len(data))
        filled = _core._concat([data, _core.zeros_like(data[:1])], axis=0)
        padded = _core.index_select(filled, 0, _core.asarray(places.reshape(-1)))
        self.padded = padded.reshape((*places.shape, *data.shape[1:]))
        if sorted_indices is not None:
            back = invert_permutation(sorted_indices)
            self.padded = _core.index_select(self.padded, 1, back)
            lengths = lengths[np.asarray(back)]
        self.lengths, self.sorted_indices = _core.asarray(lengths), sorted_indices

    @classmethod
    def of(cls, padded: Tensor, lengths: Tensor, sorted_indices: Tensor | None) -> PackedSequence:
        """A packed sequence from its padded form (longest, N, *) and lengths (N,)."""
        packed = cls.__new__(cls)
        packed.padded, packed.lengths, packed.sorted_indices = padded, lengths, sorted_indices
        return packed

    def _order(self) -> np.ndarray[Any, Any]:
        if self.sorted_indices is None:
            return np.arange(len(self.lengths))
        return np.asarray(self.sorted_indices)

    @property
    def data(self) -> Tensor:
        """All steps of all sequences, (sum of lengths, *): first steps first, the longest sequence in front."""
        order, (steps, batch) = self._order(), self.padded.shape[:2]
        present = _mask(np.asarray(self.lengths)[order], steps)
        places = np.arange(steps)[:, None] * batch + order
        flat = self.padded.reshape((steps * batch, *self.padded.shape[2:]))
        return _core.index_select(flat, 0, _core.asarray(places[present]))

    @property
    def batch_sizes(self) -> Tensor:
        """How many sequences have a first step, a second one, ..."""
        return _core.asarray(_mask(np.asarray(self.lengths), self.padded.shape[0]).sum(1))

    @property
    def unsorted_indices(self) -> Tensor | None:
        """Where each sequence of the batch stands among the sorted ones; None if they come in order."""
        return None if self.sorted_indices is None else invert_permutation(self.sorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same sequences with `Tensor.to(*args, **kwargs)` applied to their values."""
        return PackedSequence.of(self.padded.to(*args, **kwargs), self.lengths, self.sorted_indices)

    def __repr__(self) -> str:
        return f"PackedSequence(lengths={self.lengths.tolist()}, features={tuple(self.padded.shape[2:])})"


def _mask(lengths: np.ndarray[Any, Any], steps: int) -> np.ndarray[Any, Any]:
    """(steps, N): whether a sequence goes on at a step."""
    return np.arange(steps)[:, None] < lengths


def invert_permutation(permutation: Tensor) -> Tensor:
    """The permutation that undoes one.

    >>> import ferrograd as fg
    >>> fg.nn.utils.rnn.invert_permutation(fg.tensor([2, 0, 1])).tolist()
    [1, 2, 0]
    """
    return _core.asarray(np.argsort(np.asarray(permutation)))


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L_i, *) in one tensor (longest, N, *), or (N, longest, *) with batch_first.

    Args:
        sequences: tensors that differ in their first dimension only.
        batch_first: whether N comes first.
        padding_value: what stands beyond the ends.
        padding_side: "right", or "left" for padding in front.

    Raises ValueError for no sequences and ShapeError for ones that differ elsewhere.

    >>> import ferrograd as fg
    >>> fg.nn.utils.rnn.pad_sequence([fg.tensor([1, 2]), fg.tensor([3])], batch_first=True).tolist()
    [[1, 2], [3, 0]]
    """
    sequences = list(sequences)
    if not sequences:
        raise ValueError("pad_sequence: expected at least one sequence, got none")
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: expected padding_side 'right' or 'left', got {padding_side!r}")
    tails = {tuple(sequence.shape[1:]) for sequence in sequences}
    if len(tails) > 1 or any(sequence.ndim == 0 for sequence in sequences):
        shapes = [tuple(sequence.shape) for sequence in sequences]
        raise ShapeError(f"pad_sequence: expected shapes that differ in the first dimension only, got {shapes}")
    longest = max(sequence.shape[0] for sequence in sequences)

    def padded(sequence: Tensor) -> Tensor:
        missing = longest - sequence.shape[0]
        ends = (0, missing) if padding_side == "right" else (missing, 0)
        value = padding_value if sequence.dtype.kind.endswith("floating") else int(padding_value)
        return F.pad(sequence, (0, 0) * (sequence.ndim - 1) + ends, value=value) if missing else sequence

    return _core.stack([padded(sequence) for sequence in sequences], axis=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences (L_i, *) of a padded tensor (L, N, *), or (N, L, *) with batch_first.

    >>> import ferrograd as fg
    >>> [x.tolist() for x in fg.nn.utils.rnn.unpad_sequence(fg.tensor([[1, 2], [3, 0]]), [2, 1], batch_first=True)]
    [[1, 2], [3]]
    """
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [rows[i, :length] for i, length in enumerate(np.asarray(lengths).tolist())]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A padded batch (L, N, *), or (N, L, *) with batch_first, with the lengths of its sequences.

    Args:
        input: the batch; what stands beyond the lengths is ignored.
        lengths: N integers from 1 to L, as list or tensor.
        batch_first: whether N comes first.
        enforce_sorted: whether lengths have to fall; with False they come in any order.

    Raises ValueError for lengths that do not fit.

    >>> import ferrograd as fg
    >>> packed = fg.nn.utils.rnn.pack_padded_sequence(fg.ones((4, 2, 3)), [1, 3], enforce_sorted=False)
    >>> output, h = fg.nn.GRU(3, 5)(packed)
    >>> padded, lengths = fg.nn.utils.rnn.pad_packed_sequence(output)
    >>> padded.shape, lengths.tolist()
    ((3, 2, 5), [1, 3])
    """
    if input.ndim < 2:
        raise ShapeError(f"pack_padded_sequence: expected (L, N, ...), got shape {tuple(input.shape)}")
    steps, batch = input.shape[1::-1] if batch_first else input.shape[:2]
    given = np.asarray(lengths)
    if given.shape != (batch,) or given.dtype.kind not in "iu":
        raise ValueError(f"pack_padded_sequence: expected {batch} integer lengths, got {given.tolist()}")
    if batch == 0 or given.min() < 1 or given.max() > steps:
        raise ValueError(f"pack_padded_sequence: expected lengths from 1 to {steps}, got {given.tolist()}")
    order = None
    if enforce_sorted and (np.diff(given.astype(np.int64)) > 0).any():
        raise ValueError(
            f"pack_padded_sequence: expected falling lengths or enforce_sorted=False, got {given.tolist()}"
        )
    if not enforce_sorted:
        order = _core.asarray(np.argsort(-given.astype(np.int64), kind="stable"))
    padded = (input.transpose(0, 1) if batch_first else input)[: int(given.max())]
    return PackedSequence.of(padded, _core.asarray(given.astype(np.int64)), order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded batch (longest, N, *), or (N, longest, *) with batch_first, and its lengths (N,).

    Args:
        sequence: what a recurrent layer returned.
        batch_first: whether N comes first.
        padding_value: what stands beyond the lengths.
        total_length: pad to this instead of the longest.

    Raises ValueError if total_length is shorter than the longest sequence.
    """
    padded, steps = sequence.padded, sequence.padded.shape[0]
    if total_length is not None and total_length < steps:
        raise ValueError(f"pad_packed_sequence: expected total_length of at least {steps}, got {total_length}")
    present = _core.asarray(_mask(np.asarray(sequence.lengths), steps))
    value = padding_value if padded.dtype.kind.endswith("floating") else int(padding_value)
    padded = _core.where(present.reshape((*present.shape, *[1] * (padded.ndim - 2))), padded, value)
    if total_length is not None and total_length > steps:
        padded = F.pad(padded, (0, 0) * (padded.ndim - 1) + (0, total_length - steps), value=value)
    return padded.transpose(0, 1) if batch_first else padded, sequence.lengths


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L_i, *), the longest first unless enforce_sorted is False.

    >>> import ferrograd as fg
    >>> fg.nn.utils.rnn.pack_sequence([fg.ones((3, 2)), fg.ones((1, 2))])
    PackedSequence(lengths=[3, 1], features=(2,))
    """
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (L_i, *) of a packed batch.

    >>> import ferrograd as fg
    >>> packed = fg.nn.utils.rnn.pack_sequence([fg.tensor([1, 2, 3]), fg.tensor([4])])
    >>> [x.tolist() for x in fg.nn.utils.rnn.unpack_sequence(packed)]
    [[1, 2, 3], [4]]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
