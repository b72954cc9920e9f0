"""Gradients kept as rows: steps and norms that read them give what whole gradients give, and leave the rest alone."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn, optim

ROWS, WIDTH = 50, 3


def table(seed=0):
    layer = nn.Embedding(ROWS, WIDTH)
    layer.weight.data = fg.tensor(np.random.default_rng(seed).normal(size=(ROWS, WIDTH)).astype(np.float32))
    return layer


def walk(layer, indices):
    """Backward through a lookup, each place with another weight."""
    rows = layer(fg.tensor(indices))
    rows.backward(fg.arange(rows.size, dtype=fg.float32).reshape(rows.shape) / rows.size)


def kept_as_rows(layer):
    return layer.weight._row_grad() is not None


BY_ROW = [
    (optim.SGD, {"lr": 0.5}),
    (optim.SGD, {"lr": 0.5, "dampening": 0.5, "maximize": True}),
    (optim.Adagrad, {"lr": 0.5}),
    (optim.Adagrad, {"lr": 0.5, "lr_decay": 0.3, "initial_accumulator_value": 0.2, "maximize": True}),
]
WHOLE = [
    (optim.SGD, {"lr": 0.5, "momentum": 0.9}),
    (optim.SGD, {"lr": 0.5, "weight_decay": 0.1}),
    (optim.SGD, {"lr": 0.5, "l1_decay": 0.1}),
    (optim.Adagrad, {"lr": 0.5, "weight_decay": 0.1}),
    (optim.Adam, {"lr": 0.5}),
]


@pytest.mark.parametrize("kind, settings", BY_ROW + WHOLE, ids=str)
def test_steps_by_row_are_those_of_the_whole(kind, settings):
    one, other = table(), table()
    optimizers = [kind(layer.parameters(), **settings) for layer in (one, other)]
    for indices in ([[3, 7], [7, 0]], [1, 3], [3], [49, 3]):
        for layer, optimizer in zip((one, other), optimizers, strict=True):
            optimizer.zero_grad()
            walk(layer, indices)
            assert kept_as_rows(layer)
            if layer is other:
                assert layer.weight.grad.shape == (ROWS, WIDTH)
            optimizer.step(grad_scale=0.5)
            assert kept_as_rows(layer) == ((kind, settings) in BY_ROW and layer is one)
    np.testing.assert_array_equal(one.weight.detach().numpy(), other.weight.detach().numpy())
    states = [optimizer.state_dict()["state"].get(0, {}) for optimizer in optimizers]
    assert states[0].keys() == states[1].keys()
    for name, state in states[0].items():
        np.testing.assert_array_equal(np.asarray(state), np.asarray(states[1][name]))


def test_sparse_adam_steps_as_adam_on_the_rows_it_sees_and_leaves_the_others():
    layer = table()
    before = layer.weight.detach().numpy().astype(np.float64)
    optimizer = optim.SparseAdam(layer.parameters(), lr=0.1, betas=(0.8, 0.9), eps=1e-3)
    value, mean, square = before.copy(), np.zeros((ROWS, WIDTH)), np.zeros((ROWS, WIDTH))
    for t, indices in enumerate([[4, 9, 4], [9, 2], [4, 4]], start=1):
        optimizer.zero_grad()
        walk(layer, indices)
        weights = (np.arange(len(indices) * WIDTH) / (len(indices) * WIDTH)).reshape(-1, WIDTH)
        for row in set(indices):
            g = sum(w for i, w in zip(indices, weights, strict=True) if i == row)
            mean[row] = 0.8 * mean[row] + 0.2 * g
            square[row] = 0.9 * square[row] + 0.1 * g * g
            value[row] -= 0.1 / (1 - 0.8**t) * mean[row] / (np.sqrt(square[row] / (1 - 0.9**t)) + 1e-3)
        optimizer.step()
    np.testing.assert_allclose(layer.weight.detach().numpy(), value, rtol=1e-5, atol=1e-6)
    untouched = [row for row in range(ROWS) if row not in {2, 4, 9}]
    np.testing.assert_array_equal(layer.weight.detach().numpy()[untouched], before[untouched].astype(np.float32))
    state = optimizer.state_dict()["state"][0]
    assert set(state) == {"step", "exp_avg", "exp_avg_sq"}
    assert np.count_nonzero(state["exp_avg_sq"].numpy().sum(axis=1)) == 3


def test_sparse_adam_takes_whole_gradients_as_adam_does():
    one, other = (nn.Parameter(fg.tensor([1.0, -2.0])) for _ in range(2))
    for parameter, kind in ((one, optim.SparseAdam), (other, optim.Adam)):
        parameter.grad = fg.tensor([0.0, 3.0])
        kind([parameter], lr=0.1).step()
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("norm_type", [1.0, 2.0, float("inf")])
def test_clipping_sees_the_rows(norm_type):
    one, other = table(), table()
    norms = []
    for layer in (one, other):
        walk(layer, [5, 5, 8])
        if layer is other:
            assert layer.weight.grad is not None
        norms.append(optim.clip_grad_norm_(layer.parameters(), 0.1, norm_type).item())
        optim.clip_grad_value_(layer.parameters(), 0.05)
    assert norms[0] == pytest.approx(norms[1], rel=1e-6)
    assert kept_as_rows(one)
    assert not kept_as_rows(other)
    np.testing.assert_allclose(one.weight.grad.numpy(), other.weight.grad.numpy(), rtol=1e-6)
    assert np.abs(one.weight.grad.numpy()).max() <= np.float32(0.05)


def test_micro_batches_add_up():
    one, other = table(), table()
    for indices in ([1, 2], [2, 3]):
        walk(one, indices)
        walk(other, indices)
        assert other.weight.grad is not None
    assert kept_as_rows(one)
    assert not kept_as_rows(other)
    np.testing.assert_array_equal(one.weight.grad.numpy(), other.weight.grad.numpy())


def test_a_table_that_is_the_head_too_gets_one_whole_gradient():
    layer = table()
    tokens = fg.tensor([4, 6])
    nn.functional.cross_entropy(layer(tokens) @ layer.weight.T, tokens).backward()
    assert not kept_as_rows(layer)
    value = layer.weight.detach().numpy().astype(np.float64)
    scores = value[[4, 6]] @ value.T
    share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    error = (share - np.eye(ROWS)[[4, 6]]) / 2
    expected = error.T @ value[[4, 6]]
    expected[[4, 6]] += error @ value
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_only_few_rows_of_a_single_table_are_kept():
    layer = table()
    walk(layer, list(range(26)))
    assert not kept_as_rows(layer)
    layer.weight.grad = None
    walk(layer, list(range(25)))
    assert kept_as_rows(layer)
    layer.weight.grad = None
    assert not kept_as_rows(layer)
    assert layer.weight.grad is None
    half = nn.Embedding(ROWS, WIDTH, dtype=fg.float16)
    half(fg.tensor([1])).sum().backward()
    assert not kept_as_rows(half)
    assert half.weight.grad.dtype == fg.float16


def test_rows_that_do_not_fit_are_refused():
    layer = table()
    walk(layer, [1, 2])
    for index, values, error, message in [
        ([2, 1], fg.zeros(2, WIDTH), IndexError, "rise"),
        ([1, 50], fg.zeros(2, WIDTH), IndexError, "row 50 is out of bounds for a tensor of 50 rows"),
        ([1, 2], fg.zeros(3, WIDTH), fg.ShapeError, r"expected float32 \(2, 3\), got float32 \(3, 3\)"),
        ([[1]], fg.zeros(1, WIDTH), fg.ShapeError, r"expected a list of int64 .*got int64 \(1, 1\)"),
    ]:
        with pytest.raises(error, match=message):
            layer.weight._set_row_grad(fg.tensor(index), values)
        with pytest.raises(error, match=message):
            fg._core.fused_step("sgd", [layer.weight], [values], [[]], NUMBERS, fg.tensor(index))
    assert kept_as_rows(layer)
    assert layer.weight._row_grad()[0].tolist() == [1, 2]


NUMBERS = {"lr": 1.0, "momentum": 0.0, "keep": 1.0, "nesterov": 0.0}


def test_the_trainer_clips_and_steps_by_row():
    model = nn.Sequential(nn.Embedding(ROWS, WIDTH), nn.Flatten(), nn.Linear(2 * WIDTH, 1))
    before = model[0].weight.detach().numpy()
    data = [(fg.tensor([[3, 9], [9, 5]]), fg.tensor([[1.0], [2.0]]))]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    fg.train.Trainer(model, data, optimizer=optimizer, loss="mse", max_grad_norm=0.5).fit(epochs=1)
    assert kept_as_rows(model[0])
    changed = np.flatnonzero((model[0].weight.detach().numpy() != before).any(axis=1))
    assert changed.tolist() == [3, 5, 9]
