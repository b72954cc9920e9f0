"""TextCNN: convolutions over word vectors, the largest response of each over the text (Kim 2014)."""

from __future__ import annotations

from collections.abc import Sequence

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor


class TextCNN(nn.Module):
    """Classifies texts by the n-grams in them, wherever they stand.

    Args:
        vocab_size, num_classes: numbers of words and classes.
        embedding_dim: length of the word vectors.
        num_filters: filters of each size.
        kernel_sizes: words that a filter covers.
        dropout: before the linear layer.
        padding_idx: the index that fills up shorter texts; its vector stays zero.

    Maps word indices (N, T) to logits (N, num_classes), for any T from 1.

    >>> import ferrograd as fg
    >>> model = fg.models.TextCNN(vocab_size=100, num_classes=2, embedding_dim=8, num_filters=4)
    >>> model(fg.ones((3, 7), dtype=fg.int64)).shape
    (3, 2)
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        embedding_dim: int = 128,
        num_filters: int = 100,
        kernel_sizes: Sequence[int] = (3, 4, 5),
        dropout: float = 0.5,
        padding_idx: int = 0,
    ) -> None:
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx)
        # Small at first, so that what is learnt outweighs it in rare words too.
        self.embedding.weight.data = 0.1 * self.embedding.weight.detach()
        # So much padding that a text shorter than a filter still meets every part of it.
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(embedding_dim, num_filters, size, padding=size - 1) for size in kernel_sizes]
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(num_filters * len(kernel_sizes), num_classes)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids).transpose(1, 2)  # (N, embedding_dim, T)
        features = [convolution(x).relu().max(axis=-1) for convolution in self.convolutions]
        return self.classifier(self.dropout(fg.concat(features, axis=1)))
