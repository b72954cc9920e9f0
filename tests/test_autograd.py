"""The graph: size, order, accumulation, modes, hooks, and functions that take derivatives of functions."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import ferrograd as fg


def leaf(values: Any) -> Any:
    return fg.tensor(np.asarray(values, "float64"), requires_grad=True)


def grad_of(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.grad)


def test_a_chain_of_a_million_nodes_is_built_walked_and_dropped() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward()
    assert grad_of(x) == 1.0
    del y
    gc.collect()


def test_a_chain_is_dropped_without_a_backward() -> None:
    y = leaf(1.0)
    for _ in range(1_000_000):
        y = -y
    del y


def test_shared_values_collect_every_path() -> None:
    x = leaf([2.0, 3.0])
    y = x * x
    fg.sum(y * y + y).backward()
    np.testing.assert_allclose(grad_of(x), 4 * np.array([8.0, 27.0]) + 2 * np.array([2.0, 3.0]))


def test_doubling_a_diamond_sixty_times_takes_no_exponential_time() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert grad_of(x) == 2.0**60


def test_backward_accumulates_until_the_gradient_is_cleared() -> None:
    x = leaf(3.0)
    for _ in range(2):
        (x * x).backward()
    assert grad_of(x) == 12.0
    x.grad = None
    (x * x).backward()
    assert grad_of(x) == 6.0


def test_backward_from_a_tensor_needs_a_cotangent_of_its_shape() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(fg.GradError, match=r"scalar|gradient"):
        (x * 2).backward()
    (x * 2).backward(fg.asarray(np.array([1.0, 10.0])))
    np.testing.assert_array_equal(grad_of(x), [2.0, 20.0])
    with pytest.raises(fg.ShapeError, match="backward"):
        (x * 2).backward(fg.ones((3,), dtype=fg.float64))


def test_backward_without_a_graph_says_so() -> None:
    with pytest.raises(fg.GradError, match="backward"):
        fg.ones(()).backward()


def test_only_floating_tensors_require_gradients() -> None:
    with pytest.raises(fg.DTypeError, match="int64"):
        fg.tensor([1, 2], requires_grad=True)


def test_no_grad_records_nothing_and_nests() -> None:
    x = leaf(1.0)
    with fg.no_grad():
        assert not (x * 2).requires_grad
        with fg.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_exception() -> None:
    with pytest.raises(KeyError), fg.no_grad():
        raise KeyError
    assert (leaf(1.0) * 2).requires_grad


def test_no_grad_decorates() -> None:
    @fg.no_grad()
    def double(x: Any) -> Any:
        return x * 2

    assert not double(leaf(1.0)).requires_grad


def test_detach_cuts() -> None:
    x = leaf(3.0)
    (x.detach() * x).backward()
    assert grad_of(x) == 3.0
    assert not x.detach().requires_grad


def test_a_write_does_not_reach_what_backward_saved() -> None:
    x = leaf([1.0, 2.0])
    w = fg.asarray(np.array([5.0, 7.0]))
    loss = fg.sum(x * w)
    w[0] = 100.0
    loss.backward()
    np.testing.assert_array_equal(grad_of(x), [5.0, 7.0])


def test_gradient_flows_through_a_write() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf(10.0)
    y = x * 2
    y[1] = v
    fg.sum(y * y).backward()
    np.testing.assert_allclose(grad_of(x), [8.0, 0.0, 24.0])
    np.testing.assert_allclose(grad_of(v), 20.0)


def test_augmented_assignment_keeps_the_graph() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3
    y += x
    y *= 2
    fg.sum(y).backward()
    np.testing.assert_array_equal(grad_of(x), [8.0, 8.0])


def test_hooks_see_and_replace_gradients_and_can_be_removed() -> None:
    x = leaf(2.0)
    seen: list[float] = []
    y = x * 3
    handle = y.register_hook(lambda grad: seen.append(float(grad)) or grad * 10)
    (y * 5).backward(retain_graph=True)
    assert seen == [5.0]
    assert grad_of(x) == 150.0
    handle.remove()
    x.grad = None
    (y * 5).backward()
    assert seen == [5.0]
    assert grad_of(x) == 15.0


def test_an_exception_in_a_hook_arrives_unchanged() -> None:
    class ReasonError(Exception):
        pass

    def fail(grad: Any) -> Any:
        raise ReasonError("why")

    x = leaf(2.0)
    y = x * 3
    y.register_hook(fail)
    with pytest.raises(ReasonError, match="why"):
        y.backward()


def test_grad_of_a_function() -> None:
    slope = fg.grad(lambda x: fg.sum(x**3))
    np.testing.assert_allclose(np.asarray(slope(fg.asarray(np.array([1.0, 2.0])))), [3.0, 12.0])


def test_grad_of_grad_of_grad() -> None:
    def cube(x: Any) -> Any:
        return x * x * x

    third = fg.grad(fg.grad(fg.grad(cube)))
    assert float(third(fg.asarray(np.float64(5.0)))) == 6.0


def test_value_and_grad_returns_both() -> None:
    value, slope = fg.value_and_grad(lambda x: fg.sum(fg.exp(x)))(fg.asarray(np.array([0.0, 1.0])))
    np.testing.assert_allclose(float(value), 1 + np.e)
    np.testing.assert_allclose(np.asarray(slope), [1.0, np.e])


def test_vjp_returns_the_output_and_the_pullback() -> None:
    output, pullback = fg.vjp(lambda x: fg.sin(x), fg.asarray(np.array([0.0, 1.0])))
    np.testing.assert_allclose(np.asarray(output), np.sin([0.0, 1.0]))
    (cotangent,) = pullback(fg.asarray(np.array([2.0, 3.0])))
    np.testing.assert_allclose(np.asarray(cotangent), [2.0, 3.0 * np.cos(1.0)])


def test_checkpoint_computes_again_and_gives_the_same_gradient() -> None:
    runs = []

    def block(x: Any, w: Any) -> Any:
        runs.append(1)
        return fg.tanh(x @ w)

    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    plain, saved = [leaf(v) for v in values], [leaf(v) for v in values]
    fg.sum(block(*plain) ** 2).backward()
    runs.clear()
    fg.sum(fg.checkpoint(block)(*saved) ** 2).backward()
    assert len(runs) == 2
    for one, other in zip(plain, saved, strict=True):
        np.testing.assert_array_equal(grad_of(one), grad_of(other))


def test_custom_vjp_replaces_the_derivative() -> None:
    @fg.custom_vjp
    def straight_through(x: Any) -> Any:
        return fg.round(x)

    straight_through.defvjp(lambda x: (fg.round(x), None), lambda saved, dy: (dy,))
    x = leaf([0.2, 0.7])
    fg.sum(straight_through(x) * fg.asarray(np.array([3.0, 4.0]))).backward()
    np.testing.assert_array_equal(grad_of(x), [3.0, 4.0])


def test_create_graph_gives_the_hessian_vector_product() -> None:
    x = leaf([1.0, 2.0])
    fg.sum(fg.exp(x) * x).backward(create_graph=True)
    first = x.grad
    x.grad = None
    fg.sum(first * fg.asarray(np.array([1.0, 10.0]))).backward()
    np.testing.assert_allclose(grad_of(x), np.exp([1.0, 2.0]) * np.array([3.0, 40.0]))


def test_broadcast_operands_get_gradients_of_their_own_shape() -> None:
    x, y = leaf(np.ones((3, 1))), leaf(np.ones(4))
    fg.sum(x * y).backward()
    np.testing.assert_array_equal(grad_of(x), np.full((3, 1), 4.0))
    np.testing.assert_array_equal(grad_of(y), np.full(4, 3.0))


def test_the_graph_is_freed_with_its_last_name() -> None:
    class Marker:
        pass

    marker = Marker()
    alive = weakref.ref(marker)
    x = leaf(1.0)
    y = x * 2
    y.register_hook(lambda grad, marker=marker: grad)
    del marker
    assert alive() is not None
    del y
    gc.collect()
    assert alive() is None


def test_gradients_through_ten_thousand_steps_do_not_leak() -> None:
    import resource

    x = leaf(np.ones(1000))
    for step in range(10_000):
        x.grad = None
        fg.sum(x * x).backward()
        if step == 1000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096
