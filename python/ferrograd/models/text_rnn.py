"""Text classifiers that read word by word: LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014)."""

from __future__ import annotations

from typing import ClassVar

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class _RecurrentClassifier(nn.Module):
    recurrent: ClassVar[type[nn.Module]]

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        embedding_dim: int = 128,
        hidden_size: int = 128,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.5,
        padding_idx: int = 0,
    ) -> None:
        self.padding_idx = padding_idx
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx)
        # Small at first, so that what is learnt outweighs it in rare words too.
        self.embedding.weight.data = 0.1 * self.embedding.weight.detach()
        self.rnn = type(self).recurrent(
            embedding_dim, hidden_size, num_layers, batch_first=True, bidirectional=bidirectional
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size * (1 + bidirectional), num_classes)

    def forward(self, ids: Tensor) -> Tensor:
        lengths = fg.sum(ids != self.padding_idx, axis=1)
        packed = pack_padded_sequence(
            self.dropout(self.embedding(ids)), lengths, batch_first=True, enforce_sorted=False
        )
        hidden, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        # The mean over the words, without the padding.
        mean = hidden.sum(axis=1) / lengths[:, None].astype(hidden.dtype)
        return self.classifier(self.dropout(mean))


class LSTMClassifier(_RecurrentClassifier):
    """Classifies texts by the mean of an LSTM's states.

    Args:
        vocab_size, num_classes: numbers of words and classes.
        embedding_dim, hidden_size, num_layers: sizes.
        bidirectional: whether a second LSTM reads from the end.
        dropout: of word vectors and before the linear layer.
        padding_idx: the index that fills up shorter texts; it is never read.

    Maps word indices (N, T) to logits (N, num_classes); every text has at least one word.

    >>> import ferrograd as fg
    >>> model = fg.models.LSTMClassifier(vocab_size=100, num_classes=2, embedding_dim=8, hidden_size=8)
    >>> model(fg.ones((3, 7), dtype=fg.int64)).shape
    (3, 2)
    """

    recurrent = nn.LSTM


class GRUClassifier(_RecurrentClassifier):
    """Classifies texts by the mean of a GRU's states; arguments as in `LSTMClassifier`.

    >>> import ferrograd as fg
    >>> model = fg.models.GRUClassifier(vocab_size=100, num_classes=2, embedding_dim=8, hidden_size=8)
    >>> model(fg.ones((3, 7), dtype=fg.int64)).shape
    (3, 2)
    """

    recurrent = nn.GRU
