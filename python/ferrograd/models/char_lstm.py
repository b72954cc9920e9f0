"""Char-LSTM: a recurrent language model over characters (Graves 2013; Karpathy's char-rnn)."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Generator, Tensor
from ferrograd.models.sampling import sample
from ferrograd.nn import functional as F

State = tuple[Tensor, Tensor]


class CharLSTM(nn.Module):
    """Embedding, stacked LSTM, linear head.

    Args:
        vocab_size: number of characters.
        embedding_dim, hidden_size, num_layers: sizes.
        dropout: between the layers of the LSTM.

    Maps ids (B, T) and the state so far (None at the beginning of a text) to the logits (B, T, vocab_size) of the
    next character at every position and the state after the last one.

    >>> import ferrograd as fg
    >>> model = fg.models.CharLSTM(65, embedding_dim=8, hidden_size=16)
    >>> logits, state = model(fg.zeros((2, 5), dtype=fg.int64))
    >>> logits.shape
    (2, 5, 65)
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int = 256,
        hidden_size: int = 256,
        num_layers: int = 2,
        dropout: float = 0.0,
    ) -> None:
        self.embed = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_size, num_layers, batch_first=True, dropout=dropout)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, idx: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        hidden, state = self.lstm(self.embed(idx), state)
        return self.head(hidden), state

    def loss(self, idx: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of the targets (B, T), the characters that follow each of `idx`, from a zero state."""
        logits, _ = self(idx)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def generate(
        self,
        idx: Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        generator: Generator | None = None,
    ) -> Tensor:
        """Continue `idx` (B, T) by max_new_tokens drawn characters; see `sample`."""
        with fg.no_grad():
            logits, state = self(idx)
            for step in range(max_new_tokens):
                following = sample(logits[:, -1], temperature, top_k, generator)[:, None]
                idx = fg.concat([idx, following], axis=1)
                if step + 1 < max_new_tokens:
                    logits, state = self(following, state)
        return idx
