"""Training steps: forward, loss, backward and optimizer, on a batch that stays the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from frameworks import Library
from workloads import models
from workloads.workload import Input, Work, Workload, integers, made, normal

Build = Callable[[Library], Any]
Descent = Callable[[Library, Any], Any]
FRAMEWORKS = ("ferrograd", "torch", "torch_compiled", "torch_fused")
# Sizes of vocabularies.
CHARACTERS, GPT2, BERT = 65, 50257, 30522


def adamw(library: Library, parameters: Any) -> Any:
    return library.adamw(parameters)


def sgd(library: Library, parameters: Any) -> Any:
    return library.optim.SGD(parameters, lr=1e-3)


def prepare(library: Library, build: Build, data: tuple[Input, Input], descent: Descent = adamw) -> Work:
    model = models.fill(library, build(library))
    model.train()
    optimizer = descent(library, model.parameters())
    forward = library.ready(model)
    arrays = made(data)
    x, target = (library.tensor(array) for array in arrays)
    regression = arrays[1].dtype == np.float32
    F = library.F

    def step() -> Any:
        optimizer.zero_grad()
        y = forward(x)
        loss = F.mse_loss(y, target) if regression else F.cross_entropy(y.reshape(-1, y.shape[-1]), target.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss

    return step


def row(
    name: str, build: Build, data: tuple[Input, Input], at_least: float, goal: float, descent: Descent = adamw
) -> Workload:
    body = functools.partial(prepare, build=build, data=data, descent=descent)
    return Workload(f"train {name}", dict.fromkeys(FRAMEWORKS, body), at_least, goal, gradient=True)


def labelled(classes: int, *shape: int) -> tuple[Input, Input]:
    return normal(*shape), integers(classes, shape[0])


def tokens(vocabulary: int, batch: int, length: int) -> tuple[Input, Input]:
    return integers(vocabulary, batch, length), integers(vocabulary, batch, length)


def build(model: Callable[..., Any], *sizes: int) -> Build:
    return lambda lib: model(lib, *sizes)


def pairs(words: int, batch: int) -> tuple[Input, Input]:
    return integers(words, batch, 2), normal(batch)


mlp, gpt, encoder, vectors = (
    functools.partial(build, model) for model in (models.mlp, models.gpt, models.encoder, models.word_vectors)
)

WORKLOADS = [
    row("MLP 1-10-1, batch 10", mlp(1, 10, 1), (normal(10, 1), normal(10, 1)), 5, 15),
    row("MLP 784-128-10, batch 32", mlp(784, 128, 10), labelled(10, 32, 784), 2, 5),
    row("MLP 784-512-256-10, batch 256", mlp(784, 512, 256, 10), labelled(10, 256, 784), 1.3, 2),
    row("Keras CNN, batch 64", models.keras_cnn, labelled(10, 64, 1, 28, 28), 1.2, 2),
    row("ResNet-18 (CIFAR), batch 32", models.resnet18, labelled(10, 32, 3, 32, 32), 1.2, 2),
    row("char-LSTM 2 x 256, T 64, batch 32", models.char_lstm, tokens(CHARACTERS, 32, 64), 1.3, 2.5),
    row("nanoGPT 4 x 128, T 64, batch 12", gpt(CHARACTERS, 128, 4, 4, 64), tokens(CHARACTERS, 12, 64), 1.3, 2),
    row("GPT 6 x 384, T 256, batch 4", gpt(CHARACTERS, 384, 6, 6, 256), tokens(CHARACTERS, 4, 256), 1.3, 2),
    row("MiniLM classifier, T 128, batch 16", encoder(384, 6, 12), (integers(BERT, 16, 128), integers(2, 16)), 1.3, 2),
    row("word vectors 1M x 64, batch 4096, SGD", vectors(10**6, 64), pairs(10**6, 4096), 1, 2, sgd),
    row("GPT-2 124M, T 64, batch 4", models.gpt2, tokens(GPT2, 4, 64), 2, 5),
]
