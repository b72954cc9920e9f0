"""Predict clicks with DeepFM, on generated impressions whose odds depend on pairs of fields.

python examples/deepfm.py
"""

import argparse

import numpy as np

import ferrograd as fg
from ferrograd.models import DeepFM
from ferrograd.nn import functional as F

parser = argparse.ArgumentParser(description="Train DeepFM on generated clicks.")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--rows", type=int, default=40_000)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

FIELDS = {"hour": 24, "device": 4, "site": 40, "advertisement": 60, "segment": 30}
sizes = list(FIELDS.values())

# Every value has a weight and a vector; the log odds are the sum of weights and of all products of vectors.
fg.manual_seed(arguments.seed)
random = np.random.default_rng(arguments.seed)
rows = np.stack([random.integers(size, size=arguments.rows) for size in sizes], axis=1)
vectors = np.stack([random.normal(size=(size, 3))[column] for size, column in zip(sizes, rows.T, strict=True)], axis=1)
weights = sum(0.3 * random.normal(size=size)[column] for size, column in zip(sizes, rows.T, strict=True))
products = 0.5 * (vectors.sum(axis=1) ** 2 - (vectors**2).sum(axis=1)).sum(axis=1)
odds = -1.0 + weights + 0.5 * products
clicks = (random.random(arguments.rows) < 1 / (1 + np.exp(-odds))).astype(np.float32)
cut = arguments.rows * 4 // 5


def auc(scores, labels):
    """The probability that a click has a higher score than no click (Mann & Whitney 1947)."""
    rank = np.empty(len(scores))
    rank[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    ones = labels.sum()
    return (rank[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(labels) - ones))


model = DeepFM(sizes, embedding_dim=8)
optimizer = fg.optim.Adam(model.parameters(), lr=3e-3)
loader = fg.data.DataLoader(fg.data.TensorDataset(rows[:cut], clicks[:cut]), batch_size=256, shuffle=True)
for epoch in range(arguments.epochs):
    total = 0.0
    for values, clicked in loader:
        loss = F.binary_cross_entropy_with_logits(model(values), clicked)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    with fg.no_grad():
        scores = model(fg.asarray(rows[cut:])).numpy()
    print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}, test AUC {auc(scores, clicks[cut:]):.4f}")
print(f"AUC of the odds that made the clicks: {auc(odds[cut:], clicks[cut:]):.4f}")
