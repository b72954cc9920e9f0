"""Sequence to sequence with a Transformer, as for translation (Vaswani et al. 2017)."""

from __future__ import annotations

import math

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor
from ferrograd.nn import functional as F


class Seq2SeqTransformer(nn.Module):
    """Reads a source sequence and writes a target sequence, token by token.

    Args:
        src_vocab_size, tgt_vocab_size: numbers of tokens on either side.
        d_model, nhead, num_encoder_layers, num_decoder_layers, dim_feedforward, dropout: as in `nn.Transformer`.
        max_len: longest sequence.
        padding_idx: the token that fills up shorter sequences on both sides; attention and loss pass over it.

    Maps source (N, S) and target so far (N, T) to logits (N, T, tgt_vocab_size) of the next target token.

    >>> import ferrograd as fg
    >>> model = fg.models.Seq2SeqTransformer(20, 12, d_model=16, nhead=2, dim_feedforward=32)
    >>> model(fg.ones((3, 7), dtype=fg.int64), fg.ones((3, 4), dtype=fg.int64)).shape
    (3, 4, 12)
    """

    def __init__(
        self,
        src_vocab_size: int,
        tgt_vocab_size: int,
        d_model: int = 128,
        nhead: int = 4,
        num_encoder_layers: int = 2,
        num_decoder_layers: int = 2,
        dim_feedforward: int = 256,
        dropout: float = 0.1,
        max_len: int = 512,
        padding_idx: int = 0,
    ) -> None:
        self.padding_idx = padding_idx
        self.scale = math.sqrt(d_model)
        self.src_embedding = nn.Embedding(src_vocab_size, d_model, padding_idx)
        self.tgt_embedding = nn.Embedding(tgt_vocab_size, d_model, padding_idx)
        for table in (self.src_embedding, self.tgt_embedding):
            table.weight.data = table.weight.detach() / self.scale
        self.position = nn.SinusoidalPositionalEncoding(d_model, max_len, dropout)
        layers = (num_encoder_layers, num_decoder_layers)
        self.transformer = nn.Transformer(d_model, nhead, *layers, dim_feedforward, dropout, batch_first=True)
        self.head = nn.Linear(d_model, tgt_vocab_size)

    def encode(self, src: Tensor) -> Tensor:
        """What the decoder looks at: source (N, S) -> memory (N, S, d_model)."""
        x = self.position(self.src_embedding(src) * self.scale)
        return self.transformer.encoder(x, src_key_padding_mask=src == self.padding_idx)

    def decode(self, tgt: Tensor, memory: Tensor, src: Tensor) -> Tensor:
        """Logits (N, T, tgt_vocab_size) after each token of `tgt` (N, T), given the memory of `src`."""
        x = self.position(self.tgt_embedding(tgt) * self.scale)
        hidden = self.transformer.decoder(
            x, memory, memory_key_padding_mask=src == self.padding_idx, tgt_is_causal=True
        )
        return self.head(hidden)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        return self.decode(tgt, self.encode(src), src)

    def loss(self, src: Tensor, tgt: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """Mean cross-entropy of the tokens of `tgt` (N, T) after its first, the start token."""
        logits, targets = self(src, tgt[:, :-1]), tgt[:, 1:]
        return F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=self.padding_idx, label_smoothing=label_smoothing
        )

    def translate(self, src: Tensor, start: int, end: int, max_new_tokens: int = 100) -> Tensor:
        """The likeliest token at every step, after `start` and up to `end`; (N, T), filled up with padding."""
        with fg.no_grad():
            memory = self.encode(src)
            tgt = fg.full((src.shape[0], 1), start, dtype=fg.int64, device=src.device)
            done = fg.zeros(src.shape[:1], dtype=fg.bool, device=src.device)
            for _ in range(max_new_tokens):
                following = fg.argmax(self.decode(tgt, memory, src)[:, -1], axis=-1)
                tgt = fg.concat([tgt, fg.where(done, self.padding_idx, following)[:, None]], axis=1)
                done = done | (following == end)
                if bool(fg.all(done)):
                    break
        return tgt[:, 1:]
