"""Deep Speech 2: convolutions and recurrent layers over a spectrogram, trained with CTC (Amodei et al. 2016)."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.nn import functional as F
from ferrograd.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class DeepSpeech(nn.Module):
    """Writes down what is said, without being told when.

    Args:
        num_features: frequencies of the spectrogram.
        num_classes: labels, among them the blank, which is 0.
        channels: of the two convolutions, the second of which halves time.
        hidden_size, num_layers: of the bidirectional GRU.

    Maps spectrograms (N, num_features, T), shorter ones filled up with zeros, and their lengths (N,) to log
    probabilities (T / 2, N, num_classes), in the layout of `F.ctc_loss`, and the lengths of those.

    >>> import ferrograd as fg
    >>> model = fg.models.DeepSpeech(num_features=16, num_classes=5, channels=4, hidden_size=8, num_layers=1)
    >>> log_probs, lengths = model(fg.rand((2, 16, 11)), fg.tensor([11, 8]))
    >>> log_probs.shape, lengths.tolist()
    ((6, 2, 5), [6, 4])
    """

    def __init__(
        self,
        num_features: int,
        num_classes: int,
        channels: int = 16,
        hidden_size: int = 96,
        num_layers: int = 2,
    ) -> None:
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, channels, (5, 5), stride=(2, 1), padding=(2, 2), bias=False),
            nn.BatchNorm2d(channels),
            nn.Hardtanh(0.0, 20.0),
            nn.Conv2d(channels, channels, (5, 5), stride=(2, 2), padding=(2, 2), bias=False),
            nn.BatchNorm2d(channels),
            nn.Hardtanh(0.0, 20.0),
        )
        rows = -(-num_features // 4)
        self.rnn = nn.GRU(channels * rows, hidden_size, num_layers, bidirectional=True)
        self.head = nn.Linear(2 * hidden_size, num_classes)

    def forward(self, spectrograms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        x = self.convolutions(spectrograms[:, None])  # (N, channels, rows, T / 2)
        lengths = (lengths + 1) // 2
        packed = pack_padded_sequence(x.flatten(1, 2).permute(2, 0, 1), lengths, enforce_sorted=False)
        hidden, _ = pad_packed_sequence(self.rnn(packed)[0])
        return F.log_softmax(self.head(hidden), axis=-1), lengths

    def loss(self, spectrograms: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """CTC loss of labels (N, S), of which the first target_lengths (N,) count."""
        log_probs, lengths = self(spectrograms, lengths)
        return F.ctc_loss(log_probs, targets, lengths, target_lengths, zero_infinity=True)

    def transcribe(self, spectrograms: Tensor, lengths: Tensor) -> list[list[int]]:
        """The labels of the likeliest path of each spectrogram; see `greedy_decode`."""
        with fg.no_grad():
            return greedy_decode(*self(spectrograms, lengths))


def greedy_decode(log_probs: Tensor, lengths: Tensor, blank: int = 0) -> list[list[int]]:
    """The likeliest label at every step, repetitions merged, blanks left out (Graves et al. 2006).

    Args:
        log_probs: (T, N, C).
        lengths: steps of each sequence, (N,).
        blank: the label that stands for nothing.

    >>> import ferrograd as fg
    >>> path = fg.one_hot(fg.tensor([[2], [2], [0], [2], [1]]), 3).astype(fg.float32)
    >>> greedy_decode(path, fg.tensor([5]))
    [[2, 2, 1]]
    """
    paths = fg.argmax(log_probs, axis=-1).T.tolist()
    decoded = []
    for path, length in zip(paths, lengths.tolist(), strict=True):
        labels = path[:length]
        starts = [label for label, before in zip(labels, [blank, *labels], strict=False) if label != before]
        decoded.append([label for label in starts if label != blank])
    return decoded
