"""fg.profile counts what ran, and only that."""

from __future__ import annotations

import io

import pytest

import ferrograd as fg
from ferrograd import nn, optim


def test_profile_counts_calls_and_bytes_of_forward_and_backward() -> None:
    x, w = fg.ones((4, 8)), fg.ones((8, 2)).requires_grad_()
    fg.exp(x)
    with fg.profile(file=None) as profile:
        (x @ w).sum().backward()
    costs = {op.name: op for op in profile.ops}
    assert "exp" not in costs
    assert costs["matmul"].calls >= 2
    assert costs["sum"] == ("sum", 1, costs["sum"].seconds, 4 * 2 * 4, 4, 0)
    assert 0 < sum(op.seconds for op in profile.ops) <= profile.seconds
    assert [op.seconds for op in profile.ops] == sorted((op.seconds for op in profile.ops), reverse=True)


def test_profile_counts_the_operations_of_products_forward_and_backward() -> None:
    F = nn.functional
    x, w = fg.ones((2, 3, 8, 8)).requires_grad_(), fg.ones((5, 3, 3, 3)).requires_grad_()
    q = fg.ones((2, 4, 6, 8)).requires_grad_()
    lstm = nn.LSTM(7, 9)
    steps = fg.ones((10, 2, 7)).requires_grad_()
    with fg.profile(file=None) as profile:
        F.conv2d(x, w, padding=1).sum().backward()
        F.scaled_dot_product_attention(q, q, q, is_causal=True).sum().backward()
        F.linear(fg.ones((4, 6, 8)), fg.ones((3, 8))).sum()
        lstm(steps)[0].sum().backward()
    flops = {op.name: op.flops for op in profile.ops}
    convolution = 2 * 2 * 5 * 3 * 8 * 8 * 9
    assert [flops[f"conv{name}"] for name in ("2d", "_transpose2d", "2d_weights")] == [convolution] * 3
    pairs = 2 * 4 * (1 + 2 + 3 + 4 + 5 + 6)
    assert flops["scaled_dot_product_attention"] == 2 * 8 * pairs * (2 + 5)
    assert flops["linear"] == 2 * 4 * 6 * 8 * 3
    assert flops["lstm"] == 3 * 2 * 10 * 2 * 4 * 9 * (7 + 9)
    assert flops["sum"] == 0


def test_profile_counts_the_rows_of_a_lookup_and_not_the_table() -> None:
    table, index = fg.ones((1000, 8)), fg.tensor([3, 5])
    with fg.profile(file=None) as profile:
        nn.functional.embedding(index, table)
    assert [(op.name, op.bytes_in, op.bytes_out) for op in profile.ops] == [("embedding", 2 * 8 * 4 + 2 * 8, 2 * 8 * 4)]


def test_profile_prints_a_table_of_a_training_step() -> None:
    model, page = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)), io.StringIO()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with fg.profile(file=page):
        model(fg.ones((3, 4))).sum().backward()
        optimizer.step()
    table = page.getvalue().splitlines()
    assert table[0].split() == ["op", "calls", "ms", "share", "MB", "in", "MB", "out", "GB/s", "GFLOP/s"]
    assert [line.split()[0] for line in table[-2:]] == ["outside", "all"]
    assert {"linear", "relu", "sum", "sgd"} <= {line.split()[0] for line in table}


def test_profile_ends_with_its_block_and_does_not_nest() -> None:
    with fg.profile(file=None), pytest.raises(RuntimeError, match="already on"), fg.profile():
        pass
    with pytest.raises(ZeroDivisionError), fg.profile(file=None):
        _ = 1 / 0
    with fg.profile(file=None) as profile:
        pass
    assert profile.ops == []
