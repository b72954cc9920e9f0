"""Gradients as values, and optimizers that are handed weights and gradients."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import api

X, Y = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])


def network():
    fg.manual_seed(0)
    layers = [api.Dense(5, activation={"name": "leaky_relu"}), api.Dense(3), api.Activation("softmax")]
    run(layers)
    return layers


def run(layers):
    x = X
    for layer in layers:
        x = layer.forward(x)
    return x


def test_gradients_are_those_of_autograd_and_do_not_add_up():
    layers = network()
    for _ in range(2):
        gradients = api.Backpropagation().backward(run(layers), Y)
    weights = [weight for layer in layers for weight in layer.weights]
    logits = layers[1].forward(layers[0].forward(X))
    loss = fg.nn.functional.cross_entropy(logits, fg.asarray(Y))
    for weight in weights:
        weight.grad = None
    loss.backward()
    for gradient, weight in zip(gradients, weights, strict=True):
        np.testing.assert_allclose(gradient.numpy(), weight.grad.numpy(), rtol=1e-5, atol=1e-7)
    assert [g.tolist() for g in gradients.of(reversed(weights))] == [g.tolist() for g in reversed(gradients)]


def test_other_networks_keep_their_gradients():
    mine, other = network(), network()
    api.Backpropagation().backward(run(other), Y)
    kept = other[0].weights[0].grad
    gradients = api.Backpropagation().backward(run(mine), np.eye(3)[Y])
    assert [id(w) for w in gradients.weights] == [id(w) for layer in mine for w in layer.weights]
    assert other[0].weights[0].grad.tolist() == kept.tolist()


def test_one_step_equals_the_optimizers():
    layers, twin = network(), network()
    optimizer = api.SGD(learning_rate=0.5, momentum=0.9)
    for _ in range(3):
        gradients = api.Backpropagation().backward(run(layers), Y)
        optimizer.update_params([layer.weights for layer in layers], gradients)
    reference = fg.optim.SGD([w for layer in twin for w in layer.weights], lr=0.5, momentum=0.9)
    for _ in range(3):
        reference.zero_grad()
        api.compute_loss(run(twin), Y).backward()
        reference.step()
    for ours, theirs in zip(layers, twin, strict=True):
        for a, b in zip(ours.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize(
    "optimizer, settings",
    [
        (api.Adam(learning_rate=0.1, beta_1=0.8, epsilon=1e-4), {"lr": 0.1, "betas": (0.8, 0.999), "eps": 1e-4}),
        (api.AdamW(), {"lr": 0.001, "weight_decay": 0.004}),
        (api.Optimizer("sgd", lr=0.3, nesterov=True, momentum=0.5), {"lr": 0.3, "nesterov": True}),
    ],
)
def test_settings_have_keras_names(optimizer, settings):
    group = optimizer([fg.nn.Parameter(fg.zeros(1))]).param_groups[0]
    assert {name: group[name] for name in settings} == settings


def test_what_does_not_fit_is_said():
    layers = network()
    gradients = api.Backpropagation().backward(run(layers), Y)
    optimizer = api.Adam()
    with pytest.raises(ValueError, match="expected a gradient for each of 2 weights, got 1"):
        optimizer.update_params(layers[0].weights, [gradients[0]])
    optimizer.update_params(layers[0], gradients)
    with pytest.raises(ValueError, match="Adam: expected the 2 weights of the first step, got others"):
        optimizer.update_params(layers[1], gradients)
    with pytest.raises(ValueError, match=r"the output does not depend on weight 0 of shape \(2,\)"):
        gradients.of([fg.nn.Parameter(fg.zeros(2))])
    with pytest.raises(fg.GradError, match="the output depends on no trainable weight"):
        api.Backpropagation().backward(api.Softmax().forward(fg.tensor([[1.0, 2.0]], requires_grad=True)), [1])
    with pytest.raises(ValueError, match="expected whole numbers as classes"):
        api.compute_loss(fg.tensor([[0.5, 0.5]]), [0.5])
    with pytest.raises(TypeError, match="sequential: layer 0 must be a layer, got int"):
        api.Sequential([5])


def test_apply_gradients_is_the_same_step():
    first, second = network(), network()
    for layers in (first, second):
        gradients = api.Backpropagation().backward(run(layers), Y)
        weights = [weight for layer in layers for weight in layer.weights]
        optimizer = api.Adam(learning_rate=0.1)
        if layers is first:
            optimizer.update_params(weights, gradients)
        else:
            optimizer.apply_gradients(zip(gradients, weights, strict=True))
    np.testing.assert_array_equal(run(first).detach().numpy(), run(second).detach().numpy())
