"""Recurrent layers and cells against their formulas, and packed batches against their sequences one by one."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.nn.utils import rnn as packing
from harness.layers import check_gradients

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(kind, parameters, x, states):
    """The next states of one layer, each in float64."""
    w_ih, w_hh, b_ih, b_hh, w_hr = parameters
    own, carried = x @ w_ih.T + b_ih, states[0] @ w_hh.T + b_hh
    if kind == "rnn":
        return [np.tanh(own + carried)]
    if kind == "lstm":
        i, f, g, o = np.split(own + carried, 4, axis=-1)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [(sigmoid(o) * np.tanh(c)) @ w_hr.T, c]
    (own_r, own_z, own_n), (r, z, n) = np.split(own, 3, axis=-1), np.split(carried, 3, axis=-1)
    z = sigmoid(own_z + z)
    return [(1 - z) * np.tanh(own_n + sigmoid(own_r + r) * n) + z * states[0]]


def formula(kind, layer, x, initial):
    """Outputs (L, N, *) and final states of all layers and directions."""
    finals = [[] for _ in initial]
    place = 0
    for number in range(layer.num_layers):
        outputs = []
        for end in ("", "_reverse") if layer.bidirectional else ("",):
            names = [f"{name}_l{number}{end}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            parameters = [getattr(layer, name).detach().numpy() if name in vars(layer) else 0 for name in names]
            projection = vars(layer).get(f"weight_hr_l{number}{end}")
            parameters.append(np.eye(layer.hidden_size) if projection is None else projection.detach().numpy())
            states = [state[place] for state in initial]
            y = [None] * len(x)
            for t in reversed(range(len(x))) if end else range(len(x)):
                states = step(kind, parameters, x[t], states)
                y[t] = states[0]
            outputs.append(np.stack(y))
            for final, state in zip(finals, states, strict=True):
                final.append(state)
            place += 1
        x = np.concatenate(outputs, -1)
    return x, [np.stack(final) for final in finals]


def data(*shape, seed=0):
    return fg.testing.make_tensor(*shape, seed=seed, dtype=fg.float64)


def states_of(kind, result):
    return list(result) if kind == "lstm" else [result]


def given(kind, states):
    return tuple(states) if kind == "lstm" else states[0]


def initial_states(kind, layer, batch):
    places, sizes = layer.num_layers * (2 if layer.bidirectional else 1), [layer.proj_size or layer.hidden_size]
    sizes += [layer.hidden_size] if kind == "lstm" else []
    return [data(places, batch, size, seed=seed) for seed, size in enumerate(sizes)]


def numpy(tensors):
    return [tensor.detach().numpy() for tensor in tensors]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers, bias", [(1, True), (3, False)])
def test_outputs_and_states_are_those_of_the_formula(kind, bidirectional, layers, bias):
    layer = KINDS[kind](4, 5, num_layers=layers, bias=bias, bidirectional=bidirectional, dtype=fg.float64)
    x, initial = data(6, 3, 4), initial_states(kind, layer, 3)
    output, finals = layer(x, given(kind, initial))
    want, want_finals = formula(kind, layer, x.numpy(), numpy(initial))
    np.testing.assert_allclose(output.detach().numpy(), want, rtol=1e-12, atol=1e-14)
    for final, expected in zip(states_of(kind, finals), want_finals, strict=True):
        np.testing.assert_allclose(final.detach().numpy(), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_states_start_at_zero(kind):
    layer = KINDS[kind](2, 3, num_layers=2, dtype=fg.float64)
    x = data(4, 2, 2)
    zeros = [fg.zeros_like(state) for state in initial_states(kind, layer, 2)]
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x, given(kind, zeros))[0].detach().numpy())


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers, bias", [(1, True), (2, False)])
def test_projected_lstm_is_that_of_the_formula(bidirectional, layers, bias):
    settings = {"bias": bias, "bidirectional": bidirectional, "proj_size": 2, "dtype": fg.float64}
    layer = nn.LSTM(4, 5, layers, **settings)
    x, initial = data(6, 3, 4), initial_states("lstm", layer, 3)
    zeros = [fg.zeros_like(state) for state in initial]
    for hx, start in ((None, zeros), (tuple(initial), initial)):
        output, finals = layer(x, hx)
        want, want_finals = formula("lstm", layer, x.numpy(), numpy(start))
        np.testing.assert_allclose(output.detach().numpy(), want, rtol=1e-12, atol=1e-14)
        for final, expected in zip(finals, want_finals, strict=True):
            np.testing.assert_allclose(final.detach().numpy(), expected, rtol=1e-12, atol=1e-14)
    check_gradients(layer, lambda: layer(x, tuple(initial))[0])
    packed = packing.pack_padded_sequence(x, [6, 4, 1])
    padded, _ = packing.pad_packed_sequence(layer(packed, tuple(initial))[0])
    alone, _ = layer(x[:4, 1:2], tuple(state[:, 1:2] for state in initial))
    np.testing.assert_allclose(padded[:4, 1:2].detach().numpy(), alone.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_projected_lstm_says_what_does_not_fit():
    with pytest.raises(ValueError, match="expected proj_size below hidden_size 5, got 5"):
        nn.LSTM(4, 5, proj_size=5)
    layer = nn.LSTM(4, 5, proj_size=2)
    with pytest.raises(fg.ShapeError, match=r"shape \(1, 3, 2\), got \(1, 3, 5\)"):
        layer(fg.zeros((6, 3, 4)), (fg.zeros((1, 3, 5)), fg.zeros((1, 3, 5))))
    h0, c0 = fg.ones((1, 3, 2)), fg.ones((1, 3, 5))
    _, (h, _) = layer(fg.zeros((0, 3, 4)), (h0, c0))
    np.testing.assert_array_equal(h.detach().numpy(), h0.numpy())


def test_relu_is_the_other_nonlinearity():
    layer = nn.RNN(2, 3, nonlinearity="relu", dtype=fg.float64)
    x, h = data(1, 2, 2), data(1, 2, 3)
    parameters = numpy(layer.parameters())
    want = x.numpy()[0] @ parameters[0].T + h.numpy()[0] @ parameters[1].T + parameters[2] + parameters[3]
    np.testing.assert_allclose(layer(x, h)[0].detach().numpy()[0], np.maximum(want, 0), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_batch_first_and_unbatched_inputs(kind):
    layer = KINDS[kind](4, 5, num_layers=2, bidirectional=True, dtype=fg.float64)
    x, initial = data(6, 3, 4), initial_states(kind, layer, 3)
    output, finals = layer(x, given(kind, initial))
    alone, ends = layer(x[:, 1], given(kind, [state[:, 1] for state in initial]))
    assert alone.shape == (6, 10)
    np.testing.assert_allclose(alone.detach().numpy(), output.detach().numpy()[:, 1], rtol=1e-12)
    for end, final in zip(states_of(kind, ends), states_of(kind, finals), strict=True):
        np.testing.assert_allclose(end.detach().numpy(), final.detach().numpy()[:, 1], rtol=1e-12)
    layer.batch_first = True
    swapped, _ = layer(x.transpose(0, 1), given(kind, initial))
    np.testing.assert_array_equal(swapped.detach().numpy(), output.detach().numpy().swapaxes(0, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_inputs_states_and_parameters(kind):
    layer = KINDS[kind](2, 2, num_layers=2, bidirectional=True, dtype=fg.float64)
    names = [name for name, _ in layer.named_parameters()]
    x = data(2, 2, 2)
    x.requires_grad = True
    initial = [state.detach() for state in initial_states(kind, layer, 2)]
    for state in initial:
        state.requires_grad = True
    parameters = [fg.tensor(p.detach(), requires_grad=True) for p in layer.parameters()]

    def run(x, *rest):
        states, values = rest[: len(initial)], rest[len(initial) :]
        for name, value in zip(names, values, strict=True):
            object.__setattr__(layer, name, value)
        output, finals = layer(x, given(kind, states))
        return (output, *states_of(kind, finals))

    assert fg.testing.gradcheck(run, [x, *initial, *parameters])


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_are_refused(kind):
    layer = KINDS[kind](2, 3)
    x = fg.ones((2, 1, 2))
    x.requires_grad = True
    layer(x)[0].sum().backward(create_graph=True)
    with pytest.raises(fg.GradError, match=kind):
        x.grad.sum().backward()


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_acts_between_layers_while_training(kind):
    layer = KINDS[kind](4, 8, num_layers=2, dropout=0.5)
    x = fg.rand((5, 3, 4))
    fg.manual_seed(0)
    first, second = layer(x)[0], layer(x)[0]
    assert not np.array_equal(first.detach().numpy(), second.detach().numpy())
    fg.manual_seed(0)
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), first.detach().numpy())
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy())
    assert first.sum().item() != layer(x)[0].sum().item()
    everything = KINDS[kind](4, 8, num_layers=2, dropout=1.0)
    blank = [state.detach() * 0 for state in initial_states(kind, everything, 3)]
    output, _ = everything(x, given(kind, [state.to(fg.float32) for state in blank]))
    np.testing.assert_allclose(output.detach().numpy(), everything(0 * x)[0].detach().numpy(), rtol=1e-6)


def test_dropout_of_a_single_layer_is_warned_of():
    with pytest.warns(UserWarning, match="LSTM: dropout acts between layers"):
        nn.LSTM(2, 3, dropout=0.5)


LENGTHS = [3, 6, 1, 4]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_packed_batch_equals_its_sequences_one_by_one(kind, batch_first):
    layer = KINDS[kind](4, 5, num_layers=2, bidirectional=True, batch_first=batch_first, dtype=fg.float64)
    sequences = [data(length, 4, seed=length) for length in LENGTHS]
    initial = initial_states(kind, layer, 4)
    packed = packing.pack_sequence(sequences, enforce_sorted=False)
    output, finals = layer(packed, given(kind, initial))
    padded, lengths = packing.pad_packed_sequence(output, padding_value=-7.0)
    assert lengths.tolist() == LENGTHS
    assert padded.shape == (6, 4, 10)
    finals = states_of(kind, finals)
    total, separate = output.data.sum() + sum(f.sum() for f in finals), 0
    for i, sequence in enumerate(sequences):
        y, ends = layer(sequence, given(kind, [state[:, i] for state in initial]))
        np.testing.assert_allclose(padded[: len(sequence), i].detach().numpy(), y.detach().numpy(), rtol=1e-12)
        assert (padded[len(sequence) :, i].detach().numpy() == -7.0).all()
        for final, end in zip(finals, states_of(kind, ends), strict=True):
            np.testing.assert_allclose(final[:, i].detach().numpy(), end.detach().numpy(), rtol=1e-12)
        separate = separate + y.sum() + sum(end.sum() for end in states_of(kind, ends))
    gradients = []
    for root in (total, separate):
        for parameter in layer.parameters():
            parameter.grad = None
        root.backward()
        gradients.append(numpy(parameter.grad for parameter in layer.parameters()))
    for together, apart in zip(*gradients, strict=True):
        np.testing.assert_allclose(together, apart, rtol=1e-10, atol=1e-12)


def test_packed_form_is_that_of_pytorch():
    sequences = [fg.arange(float(n)) + 10 * n for n in (2, 3, 1)]
    packed = packing.pack_sequence(sequences, enforce_sorted=False)
    assert packed.data.tolist() == [30, 20, 10, 31, 21, 32]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 2]
    assert packed.unsorted_indices.tolist() == [1, 0, 2]
    again = packing.PackedSequence(2 * packed.data, packed.batch_sizes, packed.sorted_indices)
    assert [x.tolist() for x in packing.unpack_sequence(again)] == [[40, 42], [60, 62, 64], [20]]
    assert again.data.tolist() == [60, 40, 20, 62, 42, 64]
    in_order = packing.PackedSequence(fg.asarray([1.0, 2.0, 3.0]), fg.asarray([2, 1]))
    assert [x.tolist() for x in packing.unpack_sequence(in_order)] == [[1, 3], [2]]
    assert packed.to(fg.float64).data.dtype == fg.float64


def test_padding_and_packing_and_back():
    sequences = [data(3, 2), data(1, 2, seed=1)]
    padded = packing.pad_sequence(sequences, padding_value=5.0)
    assert padded.shape == (3, 2, 2)
    assert (padded.numpy()[1:, 1] == 5).all()
    left = packing.pad_sequence(sequences, batch_first=True, padding_side="left")
    np.testing.assert_array_equal(left.numpy()[1], np.concatenate([np.zeros((2, 2)), sequences[1].numpy()]))
    packed = packing.pack_padded_sequence(padded, [3, 1])
    out, lengths = packing.pad_packed_sequence(packed, batch_first=True, total_length=4)
    assert out.shape == (2, 4, 2)
    assert lengths.tolist() == [3, 1]
    assert (out.numpy()[1, 1:] == 0).all()
    for got, want in zip(packing.unpad_sequence(padded, lengths), sequences, strict=True):
        np.testing.assert_array_equal(got.numpy(), want.numpy())


@pytest.mark.parametrize(
    "lengths, options, match",
    [
        ([1, 2], {}, "expected falling lengths"),
        ([4, 1], {}, "lengths from 1 to 3"),
        ([2, 0], {}, "lengths from 1 to 3"),
        ([2], {}, "2 integer lengths"),
        ([2.0, 1.0], {}, "2 integer lengths"),
    ],
)
def test_wrong_lengths_are_refused(lengths, options, match):
    with pytest.raises(ValueError, match=match):
        packing.pack_padded_sequence(fg.ones((3, 2, 1)), lengths, **options)


def test_other_wrong_arguments_are_refused():
    packed = packing.pack_sequence([fg.ones(3), fg.ones(2)])
    with pytest.raises(ValueError, match="at least 3, got 2"):
        packing.pad_packed_sequence(packed, total_length=2)
    with pytest.raises(ValueError, match="at least one sequence"):
        packing.pad_sequence([])
    with pytest.raises(fg.ShapeError, match="first dimension only"):
        packing.pad_sequence([fg.ones((2, 3)), fg.ones((2, 4))])
    with pytest.raises(ValueError, match="falling batch_sizes"):
        packing.PackedSequence(fg.ones(3), fg.asarray([1, 2]))
    with pytest.raises(ValueError, match="'tanh' or 'relu', got 'gelu'"):
        nn.RNN(3, 4, nonlinearity="gelu")
    with pytest.raises(ValueError, match="must be positive"):
        nn.GRU(3, 4, num_layers=0)
    with pytest.raises(TypeError, match="LSTM: hidden_size is missing"):
        nn.LSTM(3)
    layer = nn.LSTM(3, 4)
    with pytest.raises(fg.ShapeError, match="expected 3 features"):
        layer(fg.ones((2, 1, 5)))
    with pytest.raises(fg.ShapeError, match=r"initial state of shape \(1, 1, 4\)"):
        layer(fg.ones((2, 1, 3)), (fg.ones((1, 2, 4)), fg.ones((1, 1, 4))))
    with pytest.raises(TypeError, match="pair"):
        layer(fg.ones((2, 1, 3)), fg.ones((1, 1, 4)))
    with pytest.raises(fg.ShapeError, match=r"\(L, N, input_size\)"):
        layer(fg.ones(3))


@pytest.mark.parametrize("kind", KINDS)
def test_cells_take_the_steps_of_the_layer(kind):
    layer, cell = KINDS[kind](3, 4, dtype=fg.float64), CELLS[kind](3, 4, dtype=fg.float64)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, states = data(5, 2, 3), None
    output, _ = layer(x)
    for t in range(5):
        states = cell(x[t], states)
        np.testing.assert_allclose(
            states_of(kind, states)[0].detach().numpy(), output[t].detach().numpy(), rtol=1e-12, atol=1e-15
        )
    alone = states_of(kind, cell(x[0, 0], given(kind, [state[0] for state in states_of(kind, states)])))
    together = states_of(kind, cell(x[0], states))
    np.testing.assert_allclose(alone[0].detach().numpy(), together[0][0].detach().numpy(), rtol=1e-12)


def test_parameters_have_their_names_shapes_and_range():
    layer = nn.LSTM(3, 16, num_layers=2, bidirectional=True)
    ends = ("l0", "l0_reverse", "l1", "l1_reverse")
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    assert list(layer.state_dict()) == [f"{kind}_{end}" for end in ends for kind in kinds]
    assert layer.weight_ih_l0.shape == (64, 3)
    assert layer.weight_ih_l1.shape == (64, 32)
    for parameter in layer.parameters():
        values = parameter.detach().numpy()
        assert np.abs(values).max() <= 0.25
        assert values.std() > 0.1
    assert repr(layer) == "LSTM(3, 16, num_layers=2, bidirectional=True)"
    layer.flatten_parameters()


@pytest.mark.parametrize("kind", KINDS)
def test_input_size_is_found_at_the_first_call_or_in_a_checkpoint(kind):
    layer, cell = KINDS[kind](hidden_size=4, num_layers=2), CELLS[kind](hidden_size=4)
    assert layer.input_size is None
    layer(fg.ones((2, 1, 3)))
    cell(fg.ones((1, 3)))
    assert (layer.input_size, cell.input_size) == (3, 3)
    other = KINDS[kind](hidden_size=4, num_layers=2)
    other.load_state_dict(layer.state_dict())
    x = fg.rand((3, 2, 3))
    np.testing.assert_array_equal(other(x)[0].detach().numpy(), layer(x)[0].detach().numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_bits_do_not_depend_on_the_number_of_threads(kind):
    layer = KINDS[kind](24, 72, bidirectional=True)
    x = fg.testing.make_tensor(9, 41, 24)
    threads, results = fg.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            fg.set_num_threads(count)
            output, finals = layer(x)
            (output.sum() + sum(final.sum() for final in states_of(kind, finals))).backward()
            results.append([output.detach().numpy(), *numpy(parameter.grad for parameter in layer.parameters())])
            for parameter in layer.parameters():
                parameter.grad = None
    finally:
        fg.set_num_threads(threads)
    assert all(a.tobytes() == b.tobytes() for other in results[1:] for a, b in zip(results[0], other, strict=True))
