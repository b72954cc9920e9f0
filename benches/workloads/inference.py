"""Inference with one input: what an answer costs when nothing can be batched."""

from __future__ import annotations

import functools

from frameworks import Library
from workloads import models
from workloads.training import BERT, GPT2, Build, encoder, mlp
from workloads.workload import Input, Work, Workload, integers, made, normal


def prepare(library: Library, build: Build, data: Input) -> Work:
    model = models.fill(library, build(library))
    model.eval()
    (x,) = made([data])
    return functools.partial(library.ready(model), library.tensor(x))


def row(name: str, build: Build, data: Input) -> Workload:
    body = functools.partial(prepare, build=build, data=data)
    return Workload(f"infer {name}", dict.fromkeys(("ferrograd", "torch", "torch_compiled"), body), 1.2, 2.0)


WORKLOADS = [
    row("MLP 784-128-10", mlp(784, 128, 10), normal(1, 784)),
    row("Keras CNN", models.keras_cnn, normal(1, 1, 28, 28)),
    row("ResNet-18 (CIFAR)", models.resnet18, normal(1, 3, 32, 32)),
    row("BERT-base, T 128", encoder(768, 12, 12), integers(BERT, 1, 128)),
    row("GPT-2 124M, one token", models.gpt2, integers(GPT2, 1, 1)),
]
