"""Recommend items with neural collaborative filtering, on generated likes.

    python examples/ncf.py

Every user has one liked item that training never sees; it should be among the ten best of a hundred.
"""

import argparse

import numpy as np
from tqdm import trange

import ferrograd as fg
from ferrograd.models import NCF
from ferrograd.nn import functional as F

parser = argparse.ArgumentParser(description="Train NCF on generated likes.")
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--users", type=int, default=600)
parser.add_argument("--items", type=int, default=400)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()
USERS, ITEMS, LIKES = arguments.users, arguments.items, 25

# Tastes and items are points in four dimensions; a user likes the items that lie in the direction of the taste.
fg.manual_seed(arguments.seed)
random = np.random.default_rng(arguments.seed)
affinity = random.normal(size=(USERS, 4)) @ random.normal(size=(4, ITEMS)) + 0.3 * random.normal(size=(USERS, ITEMS))
liked = np.argsort(-affinity, axis=1)[:, :LIKES]
held_out = random.integers(LIKES, size=USERS)
hidden = liked[np.arange(USERS), held_out]
known = np.array([np.delete(row, column) for row, column in zip(liked, held_out, strict=True)])
likes = np.zeros((USERS, ITEMS), dtype=np.float32)
np.put_along_axis(likes, known, 1.0, axis=1)

model = NCF(USERS, ITEMS)
optimizer = fg.optim.Adam(model.parameters(), lr=2e-3)


def ranks(scores_of):
    """How many of 99 items that the user does not like have a higher score than the hidden one."""
    draws = np.random.default_rng(1)
    candidates = np.array([draws.choice(np.setdiff1d(np.arange(ITEMS), row), 99, replace=False) for row in liked])
    rows = np.concatenate([hidden[:, None], candidates], axis=1)
    scores = scores_of(np.repeat(np.arange(USERS), 100), rows.ravel()).reshape(USERS, 100)
    return (scores[:, 1:] > scores[:, :1]).sum(axis=1)


def hit_rate(scores_of):
    return 100 * (ranks(scores_of) < 10).mean()


def scores_of_model(users, items):
    with fg.no_grad():
        return model(fg.asarray(users), fg.asarray(items)).numpy()


popularity = likes.sum(axis=0)
print(f"hidden item among the ten best: by chance 10 %, by popularity {hit_rate(lambda _, i: popularity[i]):.1f} %")

with trange(arguments.epochs, unit="epoch") as epochs:
    for _ in epochs:
        # Every like beside four items drawn at random, most of which the user does not know.
        users = np.repeat(np.arange(USERS), 5 * (LIKES - 1))
        items = np.concatenate([known, random.integers(ITEMS, size=(USERS, 4 * (LIKES - 1)))], axis=1).ravel()
        data = fg.data.TensorDataset(users, items, likes[users, items])
        for u, i, y in fg.data.DataLoader(data, batch_size=512, shuffle=True):
            loss = F.binary_cross_entropy_with_logits(model(u, i), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        epochs.set_postfix(loss=f"{loss.item():.3f}")

print(f"hidden item among the ten best: by NCF {hit_rate(scores_of_model):.1f} %")
