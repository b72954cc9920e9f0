"""GPT: a decoder-only Transformer language model (Radford et al. 2019), with nanoGPT's names and configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Generator, Tensor
from ferrograd.models.sampling import sample
from ferrograd.nn import functional as F
from ferrograd.optim import AdamW


@dataclass
class GPTConfig:
    """Sizes of a GPT; the defaults are GPT-2's, with the vocabulary rounded up to a multiple of 64.

    >>> GPTConfig(n_layer=2).n_embd
    768
    """

    block_size: int = 1024
    vocab_size: int = 50304
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    dropout: float = 0.0
    bias: bool = True


class CausalSelfAttention(nn.Module):
    """Attention of each position to itself and to those before it: (B, T, C) -> (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        if config.n_embd % config.n_head:
            raise ValueError(f"GPT: n_head must divide n_embd {config.n_embd}, got {config.n_head}")
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)
        self.resid_dropout = nn.Dropout(config.dropout)
        self.n_head, self.dropout = config.n_head, config.dropout

    def forward(self, x: Tensor) -> Tensor:
        B, T, C = x.shape
        heads = self.c_attn(x).reshape((B, T, 3, self.n_head, C // self.n_head))
        q, k, v = heads.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, n_head, T, C / n_head)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).reshape((B, T, C))))


class MLP(nn.Module):
    """Two linear layers with GELU between, four times as wide inside: (B, T, C) -> (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.gelu = nn.GELU()
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.c_proj(self.gelu(self.c_fc(x))))


class Block(nn.Module):
    """Attention and MLP, each behind a LayerNorm and beside a residual path."""

    def __init__(self, config: GPTConfig) -> None:
        self.ln_1 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, bias=config.bias)
        self.mlp = MLP(config)

    def forward(self, x: Tensor) -> Tensor:
        x, y = self.ln_2(self.attn(self.ln_1(x)), residual=x)
        return x + self.mlp(y)


class Transformer(nn.Module):
    """Everything below the head: embeddings of tokens and positions, blocks, a last norm; ids (B, T) -> (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.drop = nn.Dropout(config.dropout)
        self.h = nn.ModuleList([Block(config) for _ in range(config.n_layer)])
        self.ln_f = nn.LayerNorm(config.n_embd, bias=config.bias)

    def forward(self, idx: Tensor) -> Tensor:
        x = self.drop(self.wte(idx) + self.wpe(fg.arange(idx.shape[1], device=idx.device)))
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class GPT(nn.Module):
    """A decoder-only Transformer whose head shares the table of the token embedding.

    Args:
        config: a `GPTConfig`, or its settings as a table.

    Maps token ids (B, T), T at most block_size, to logits (B, T, vocab_size) of the next token at every position.
    Parameter names are nanoGPT's, linear weights (out, in). Raises ValueError for a longer text.

    >>> import ferrograd as fg
    >>> model = fg.models.GPT(fg.models.GPTConfig(block_size=8, vocab_size=65, n_layer=1, n_head=2, n_embd=16))
    >>> model(fg.zeros((2, 8), dtype=fg.int64)).shape
    (2, 8, 65)
    """

    def __init__(self, config: GPTConfig | Mapping[str, Any]) -> None:
        config = GPTConfig(**config) if isinstance(config, Mapping) else config
        self.config = config
        self.transformer = Transformer(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight
        # GPT-2's initialisation: projections into the residual path shrink with the number of layers.
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * config.n_layer))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif parameter.ndim >= 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, idx: Tensor) -> Tensor:
        if idx.shape[1] > self.config.block_size:
            raise ValueError(f"GPT: expected at most block_size {self.config.block_size} tokens, got {idx.shape[1]}")
        return self.lm_head(self.transformer(idx))

    def loss(self, idx: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy of the targets (B, T), the tokens that follow each of `idx`; -1 counts for nothing."""
        logits = self(idx)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1)

    def configure_optimizers(self, weight_decay: float, learning_rate: float, betas: tuple[float, float]) -> AdamW:
        """AdamW that decays matrices and embeddings, but neither biases nor norms."""
        parameters = list(self.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        return AdamW(groups, lr=learning_rate, betas=betas)

    def generate(
        self,
        idx: Tensor,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        generator: Generator | None = None,
    ) -> Tensor:
        """Continue `idx` (B, T) by max_new_tokens drawn tokens, each seeing the last block_size; see `sample`."""
        with fg.no_grad():
            for _ in range(max_new_tokens):
                logits = self(idx[:, -self.config.block_size :])[:, -1]
                idx = fg.concat([idx, sample(logits, temperature, top_k, generator)[:, None]], axis=1)
        return idx
