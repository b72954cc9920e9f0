"""Fifty training steps from stored weights on stored batches give the losses, gradients and weights of PyTorch.

The folder with the curves (`curves/` of the reference fixtures) is named by FERROGRAD_FIXTURES; `-s` shows the
largest deviation of each curve.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn import functional as F
from learning.bert import Bert

FIXTURES = os.environ.get("FERROGRAD_FIXTURES")
pytestmark = pytest.mark.skipif(
    not FIXTURES, reason="FERROGRAD_FIXTURES names no folder of reference fixtures with curves/"
)
FOLDER = Path(FIXTURES or "") / "curves"
CURVES = [
    ("mlp_mnist", "sgd"),
    ("mlp_mnist", "adamw"),
    ("cnn_mnist", "sgd"),
    ("cnn_mnist", "adamw"),
    ("char_gpt", "sgd"),
    ("char_gpt", "adamw"),
    ("char_gpt", "adamw_nanogpt"),
    ("char_lstm", "sgd"),
    ("char_lstm", "adamw"),
    ("bert_sst2", "sgd"),
    ("bert_sst2", "adamw"),
]
RELATIVE = 1e-4
PARTS = ("first_grad_l2/", "final_l2/")


def build(task, meta):
    if task == "mlp_mnist":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    if task == "cnn_mnist":
        convolutions = [
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10))
    if task == "char_gpt":
        sizes = {"n_layer": meta["layers"], "n_head": meta["heads"], "n_embd": meta["width"]}
        vocab_size = len(meta["vocabulary"])
        return fg.models.GPT(fg.models.GPTConfig(meta["block"], vocab_size, **sizes, bias=False))
    if task == "char_lstm":
        return fg.models.CharLSTM(len(meta["vocabulary"]), meta["embedding"], meta["hidden"], meta["layers"])
    return Bert(meta["config"])


def batches(task):
    """Pairs (inputs of the model, targets), one per step."""
    with np.load(FOLDER / ("mnist_batches.npz" if task.endswith("mnist") else f"{task}/batches.npz")) as arrays:
        if task.endswith("mnist"):
            pixels = arrays["x"][:, :, None].astype(np.float32) / np.float32(255)
            return [
                ((fg.asarray(x),), fg.asarray(y)) for x, y in zip(pixels, arrays["y"].astype(np.int64), strict=True)
            ]
        names = ("input_ids", "attention_mask", "labels") if task == "bert_sst2" else ("x", "y")
        steps = zip(*(arrays[name].astype(np.int64) for name in names), strict=True)
        return [(tuple(fg.asarray(x) for x in inputs), fg.asarray(targets)) for *inputs, targets in steps]


def loss_of(model, inputs, targets):
    if hasattr(model, "loss"):
        return model.loss(*inputs, targets)
    return F.cross_entropy(model(*inputs), targets)


def optimizer_of(model, options):
    if options["kind"] == "sgd":
        return fg.optim.SGD(model.parameters(), lr=options["lr"], momentum=options["momentum"])
    if options.get("decay_matrices_only"):
        return model.configure_optimizers(options["weight_decay"], options["lr"], tuple(options["betas"]))
    return fg.optim.AdamW(
        model.parameters(),
        lr=options["lr"],
        betas=tuple(options["betas"]),
        eps=options["eps"],
        weight_decay=options["weight_decay"],
    )


def schedule_of(optimizer, options):
    if "schedule" not in options:
        return fg.optim.WarmupLR(optimizer, 0)
    plan = options["schedule"]
    cosine = fg.optim.CosineAnnealingLR(optimizer, T_max=plan["total"] - plan["warmup"], eta_min=plan["min_lr"])
    return fg.optim.WarmupLR(optimizer, plan["warmup"], cosine)


def norms(tensors):
    """L2 norm of each named tensor, in float64."""
    return {name: float(np.linalg.norm(tensor.numpy().astype(np.float64))) for name, tensor in tensors.items()}


def largest_difference(got, expected):
    """Relative to the norm itself, but not to less than a thousandth of the largest one."""
    floor = 1e-3 * max(expected.values())
    return max(abs(got[name] - value) / max(value, floor) for name, value in expected.items())


def replay(task, kind, init, dtype):
    """Losses, norms of the whole gradient, norms of the first gradients, and the model at the end."""
    meta = json.loads((FOLDER / task / "meta.json").read_text())
    model = build(task, meta)
    not_there = model.load_state_dict(init, strict=False)
    assert not_there.unexpected_keys == []
    assert not_there.missing_keys in ([], ["lm_head.weight"])  # tied to the embedding
    model.to(dtype)

    options = meta["optimisers"][kind]
    optimizer = optimizer_of(model, options)
    schedule = schedule_of(optimizer, options)
    losses, grad_norms, first = [], [], {}
    for inputs, targets in batches(task):
        optimizer.zero_grad()
        loss = loss_of(model, inputs, targets)
        loss.backward()
        grads = {name: parameter.grad for name, parameter in model.named_parameters()}
        first = first or norms(grads)
        grad_norms.append(float(fg.optim.get_total_norm(list(grads.values()))))
        if "clip" in options:
            fg.optim.clip_grad_norm_(model.parameters(), options["clip"])
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    return np.array(losses), np.array(grad_norms), first, model


@pytest.mark.parametrize("task, kind", CURVES)
def test_curve_equals_pytorchs(task, kind):
    with np.load(FOLDER / task / "curves.npz") as arrays:
        expected = {name.removeprefix(f"{kind}/"): arrays[name] for name in arrays if name.startswith(f"{kind}/")}
    with np.load(FOLDER / task / "init.npz") as arrays:
        init = {name: fg.asarray(arrays[name]) for name in arrays}
    losses, grad_norms, first, model = replay(task, kind, init, fg.float32)

    deviation = np.abs(losses - expected["loss"]) / expected["loss"]
    grad_deviation = np.abs(grad_norms - expected["grad_norm"]) / expected["grad_norm"]
    of_kind = {
        part: {n.removeprefix(part): float(v) for n, v in expected.items() if n.startswith(part)} for part in PARTS
    }
    first_difference = largest_difference(first, of_kind["first_grad_l2/"])
    final_difference = largest_difference(norms(dict(model.named_parameters())), of_kind["final_l2/"])
    print(
        f"\n{task} {kind}: largest relative deviation of the loss {deviation.max():.1e} (step {deviation.argmax()}), "
        f"of the gradient's norm {grad_deviation.max():.1e}, of a first gradient {first_difference:.1e}, "
        f"of a final weight {final_difference:.1e}"
    )
    # Late steps may magnify roundings, PyTorch's as well: where the curves part, double precision decides.
    if deviation.max() >= RELATIVE:
        exact = replay(task, kind, init, fg.float64)[0]
        own, theirs = (np.abs(curve - exact).max() / exact.min() for curve in (losses, expected["loss"]))
        print(f"{task} {kind}: off the curve in double precision by {own:.1e}, PyTorch by {theirs:.1e}")
        assert own < RELATIVE
        assert own < theirs
    assert first_difference < RELATIVE
    assert final_difference < RELATIVE
