"""A training step that has settled asks the system for nothing: no memory mapped, no page touched anew."""

from __future__ import annotations

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn, optim

resource = pytest.importorskip("resource")  # not on Windows

F = nn.functional
SETTLE, STEPS = 15, 20


class Tagger(nn.Module):
    """Embedding, LSTM and attention: what the convolutional network below does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 64)
        self.lstm = nn.LSTM(64, 64, batch_first=True)
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.head = nn.Linear(64, 200)

    def forward(self, x: fg.Tensor) -> fg.Tensor:
        x, _ = self.lstm(self.embedding(x))
        attended, _ = self.attention(x, x, x, need_weights=False)
        return self.head(attended).reshape(-1, 200)


def images() -> tuple[nn.Module, np.ndarray, np.ndarray]:
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(32 * 16 * 16, 10),
    )
    rng = np.random.default_rng(0)
    return model, rng.standard_normal((16, 3, 32, 32), dtype=np.float32), rng.integers(0, 10, 16)


def words() -> tuple[nn.Module, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return Tagger(), rng.integers(0, 200, (16, 32)), rng.integers(0, 200, 16 * 32)


@pytest.mark.parametrize("workload", [images, words])
def test_a_settled_step_asks_the_system_for_nothing(workload) -> None:
    model, x, target = workload()
    x, target = fg.asarray(x), fg.asarray(target)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), target).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    for _ in range(SETTLE):
        step()
    calls, faults = fg.cpu.memory_stats()["system_calls"], resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(STEPS):
        step()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    assert fg.cpu.memory_stats()["system_calls"] == calls
    assert faults < STEPS, f"{faults} pages touched for the first time in {STEPS} steps"
