"""Recurrent layers under Keras's names, against the layers of `ferrograd.nn` with the same weights."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import api, nn

KINDS = [(api.SimpleRNN, nn.RNN), (api.LSTM, nn.LSTM), (api.GRU, nn.GRU)]
X = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)


def twin_of(layer, base, **settings):
    twin = base(3, 4, batch_first=True, **settings)
    twin.load_state_dict(layer.state_dict())
    output, states = twin(fg.asarray(X))
    return output.detach().numpy(), [
        state.detach().numpy() for state in (states if type(states) is tuple else [states])
    ]


@pytest.mark.parametrize("kind, base", KINDS)
def test_outputs_and_states(kind, base):
    layer = kind(4, return_sequences=True, return_state=True)
    sequence, *states = layer.forward(X)
    expected, expected_states = twin_of(layer, base)
    np.testing.assert_allclose(sequence.detach().numpy(), expected, rtol=1e-6)
    assert len(states) == len(expected_states)
    for state, wanted in zip(states, expected_states, strict=True):
        np.testing.assert_allclose(state.detach().numpy(), wanted[0], rtol=1e-6)
    layer.return_sequences = layer.return_state = False
    np.testing.assert_allclose(layer.forward(X).detach().numpy(), expected[:, -1], rtol=1e-6)
    layer.go_backwards = True
    backwards = layer.forward(X[:, ::-1].copy()).detach().numpy()
    np.testing.assert_allclose(backwards, expected[:, -1], rtol=1e-6)


@pytest.mark.parametrize("kind, base", KINDS)
def test_both_directions(kind, base):
    outputs = {}
    for mode in ("concat", "sum", "ave", "mul", None):
        fg.manual_seed(0)
        layer = api.Bidirectional(kind(4, return_sequences=True), merge_mode=mode)
        outputs[mode] = layer.forward(X)
    expected, states = twin_of(layer.layer, base, bidirectional=True)
    forth, back = expected[..., :4], expected[..., 4:]
    wanted = {"concat": expected, "sum": forth + back, "ave": (forth + back) / 2, "mul": forth * back}
    for mode, value in wanted.items():
        np.testing.assert_allclose(outputs[mode].detach().numpy(), value, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs[None][1].detach().numpy(), back, rtol=1e-6)
    layer.layer.return_sequences, layer.layer.merge_mode = False, "concat"
    last = np.concatenate([states[0][0], states[0][1]], axis=1)
    np.testing.assert_allclose(layer.forward(X).detach().numpy(), last, rtol=1e-6)


def test_initial_values_are_keras():
    layer = api.LSTM(4)
    layer.forward(X)
    recurrent, bias = layer.weight_hh_l0.detach().numpy(), (layer.bias_ih_l0 + layer.bias_hh_l0).detach().numpy()
    np.testing.assert_allclose(recurrent.T @ recurrent, np.eye(4), atol=1e-5)
    assert np.abs(layer.weight_ih_l0.detach().numpy()).max() <= np.sqrt(6 / 19)
    assert bias.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    assert [w.requires_grad for w in api.GRU(2, trainable=False, input_shape=(3,)).forward(X).flatten()[:0]] == []


def test_a_sentence_classifier():
    fg.manual_seed(0)
    model = api.Sequential(
        [
            api.Embedding(10, 8, input_length=6),
            api.Bidirectional(api.LSTM(8, return_sequences=True)),
            api.GRU(8),
            api.Dense(1, activation="sigmoid"),
        ]
    )
    x = np.random.default_rng(1).integers(0, 10, (128, 6))
    model.compile({"name": "adam", "lr": 0.01}, "binary_crossentropy", ["accuracy"])
    assert model.fit(x, x[:, 0] >= 5, epochs=12, verbose=0).history["accuracy"][-1] > 0.9
    assert model.output_shape == (1,)


def test_mistakes_are_named():
    with pytest.raises(TypeError, match="Bidirectional: expected a SimpleRNN, LSTM or GRU, got Dense"):
        api.Bidirectional(api.Dense(2))
    with pytest.raises(ValueError, match="merge_mode must be concat"):
        api.Bidirectional(api.GRU(2), merge_mode="max")
    with pytest.raises(ValueError, match="SimpleRNN: activation must be 'tanh' or 'relu', got 'gelu'"):
        api.SimpleRNN(2, activation="gelu")
