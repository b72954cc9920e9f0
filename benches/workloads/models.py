"""Models of the training and inference rows: one text for ferrograd and PyTorch, which name their layers alike."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from frameworks import Library


def mlp(lib: Library, *widths: int) -> Any:
    nn = lib.nn
    hidden = [layer for sizes in pairwise(widths[:-1]) for layer in (nn.Linear(*sizes), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(*widths[-2:]))


def keras_cnn(lib: Library) -> Any:
    """The convolutional network of Keras's first MNIST example."""
    nn = lib.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def resnet18(lib: Library) -> Any:
    """ResNet-18 for images of 32 x 32: a first convolution of 3 x 3 and no first pooling."""
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
            self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
            self.downsample = nn.Identity()
            if stride > 1 or inputs != outputs:
                self.downsample = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x: Any) -> Any:
            y = lib.normed(self.bn1, self.conv1(x))
            return lib.normed(self.bn2, self.conv2(y), residual=self.downsample(x))

    widths = [64, 64, 128, 256, 512]
    blocks = [
        block
        for stage, (inputs, outputs) in enumerate(pairwise(widths))
        for block in (Block(inputs, outputs, 2 if stage else 1), Block(outputs, outputs, 1))
    ]
    stem = (nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def word_vectors(lib: Library, words: int, width: int) -> Any:
    """How well pairs of words go together: the products of their vectors."""
    nn = lib.nn

    class WordVectors(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vectors = nn.Embedding(words, width, sparse=True)

        def forward(self, pairs: Any) -> Any:
            vectors = self.vectors(pairs)
            return (vectors[:, 0] * vectors[:, 1]).sum(-1)

    return WordVectors()


def char_lstm(lib: Library, vocabulary: int = 65, width: int = 256) -> Any:
    nn = lib.nn

    class CharLSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, width)
            self.lstm = nn.LSTM(width, width, 2, batch_first=True)
            self.head = nn.Linear(width, vocabulary)

        def forward(self, tokens: Any) -> Any:
            return self.head(self.lstm(self.embedding(tokens))[0])

    return CharLSTM()


def block_class(lib: Library) -> Any:
    """A pre-norm transformer block."""
    nn, F = lib.nn, lib.F

    class Block(nn.Module):
        def __init__(self, width: int, heads: int, causal: bool) -> None:
            super().__init__()
            self.heads, self.causal = heads, causal
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Any) -> Any:
            B, T, C = x.shape
            q, k, v = self.qkv(self.ln_1(x)).reshape(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
            x, y = lib.added(self.ln_2, self.proj(y.transpose(1, 2).reshape(B, T, C)), x)
            return x + self.down(F.gelu(self.up(y), approximate="tanh"))

    return Block


def gpt(lib: Library, vocabulary: int, width: int, layers: int, heads: int, context: int) -> Any:
    """A decoder with learned positions; the head is the embedding's table."""
    nn, Block = lib.nn, block_class(lib)

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks = nn.ModuleList([Block(width, heads, True) for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
            self.head.weight = self.tokens.weight

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.positions(lib.xp.arange(tokens.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    return GPT()


def gpt2(lib: Library) -> Any:
    """GPT-2 with 124 million parameters."""
    return gpt(lib, vocabulary=50257, width=768, layers=12, heads=12, context=1024)


def encoder(lib: Library, width: int, layers: int, heads: int, classes: int = 2, vocabulary: int = 30522) -> Any:
    """A BERT-like classifier of its first token."""
    nn, Block = lib.nn, block_class(lib)

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(512, width)
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)
            self.blocks = nn.ModuleList([Block(width, heads, False) for _ in range(layers)])

        def forward(self, tokens: Any) -> Any:
            x = self.norm(self.tokens(tokens) + self.positions(lib.xp.arange(tokens.shape[1])))
            for block in self.blocks:
                x = block(x)
            return self.head(x[:, 0])

    return Encoder()


def fill(lib: Library, model: Any) -> Any:
    """Gives a model the same weights in every framework, so that the losses can be compared; returns it."""
    random = np.random.default_rng(0)
    state, parameters = dict(model.state_dict()), dict(model.named_parameters())
    for name, value in parameters.items():
        shape = tuple(value.shape)
        if value.ndim > 1:
            fan_in = math.prod(shape[1:])
            state[name] = lib.tensor(random.standard_normal(shape, dtype=np.float32) * np.float32(fan_in**-0.5))
        elif "bias" in name:
            state[name] = lib.tensor(np.zeros(shape, np.float32))
    if "head.weight" in state.keys() - parameters.keys():
        state["head.weight"] = state["tokens.weight"]
    model.load_state_dict(state)
    return model
