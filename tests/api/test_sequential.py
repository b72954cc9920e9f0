"""The Keras form and ModelBuilder: shapes, notes, errors, what fit and evaluate return."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import api, nn
from ferrograd.nn import functional as F

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 4)), RNG.integers(0, 3, 64)


def classifier(**settings):
    fg.manual_seed(0)
    model = api.Sequential([api.Dense(8, activation="relu", input_shape=(4,)), api.Dense(3, activation="softmax")])
    model.compile(**{"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["acc"], **settings})
    return model


def test_layers_may_be_added_one_by_one_and_be_of_any_kind():
    model = api.Sequential()
    model.add(api.Input(shape=(8, 8, 1)))
    model.add(api.Rescaling(1 / 16))
    model.add(api.Conv2D(4, 3))
    model.add(nn.ReLU())
    model.add(api.GlobalAveragePooling2D())
    model.add(api.Dense(2))
    assert model.output_shape == (2,)
    assert list(model.state_dict()) == ["1.weight", "1.bias", "4.weight", "4.bias"]
    assert [layer.shape for layer in model.weights] == [(4, 1, 3, 3), (4,), (2, 4), (2,)]
    assert model.predict(np.zeros((5, 8, 8, 1), np.uint8), verbose=0).shape == (5, 2)


def test_a_dense_layer_after_pooling_flattens_with_a_note():
    for pooling, shape, units in [(api.MaxPooling2D(2), (4, 4, 3), 12), (api.AveragePooling1D(2), (6, 5), 15)]:
        model = api.Sequential([pooling, api.Dense(7)])
        with pytest.warns(UserWarning, match=r"dense: the input \(N, .*\) is flattened; put Flatten") as caught:
            model.build(shape)
        assert caught[0].filename == __file__
        assert model[1].weight.shape == (7, units)
        assert model.output_shape == (7,)
    assert api.Sequential([api.Dense(7, input_shape=(5, 3))]).output_shape == (5, 7)


def test_flattening_keeps_the_order_of_the_axes():
    x = RNG.normal(size=(1, 2, 2, 3)).astype(np.float32)
    model = api.Sequential([api.MaxPooling2D(1), api.Flatten()])
    assert model(x).tolist() == x.reshape(1, -1).tolist()


def test_a_wrong_shape_names_the_layer_and_its_index():
    builder = (
        api.ModelBuilder().add_layer("conv2d", filters=2, kernel_size=3).add_layer("conv2d", filters=2, kernel_size=9)
    )
    with pytest.raises(fg.ShapeError, match=r"in layer 1 \(Conv2D\) of Sequential"):
        builder.build(input_shape=(8, 8, 1))
    model = api.Sequential([api.Conv2D(2, 3, input_shape=(8, 8, 1))])
    with pytest.raises(fg.ShapeError, match=r"layer 0 \(Conv2D\) expected inputs \(N, 8, 8, 1\), got \(2, 9, 8, 1\)"):
        model(np.zeros((2, 9, 8, 1)))
    with pytest.raises(fg.ShapeError, match=r"\.\.\., None\] adds the channel axis"):
        model(np.zeros((2, 8, 8)))
    with pytest.raises(fg.ShapeError, match=r"expected classes \(32,\) or one-hot rows \(32, 3\)"):
        classifier().fit(X, np.zeros((64, 4)), verbose=0)


def test_integer_and_one_hot_labels_train_alike():
    figures = [classifier().fit(X, y, epochs=2, verbose=0).history for y in (Y, Y[:, None], np.eye(3)[Y])]
    for other in figures[1:]:
        np.testing.assert_allclose(other["loss"], figures[0]["loss"], rtol=1e-6)
        assert other["acc"] == figures[0]["acc"]


def test_probabilities_that_round_to_zero_still_train():
    x = fg.tensor([[-400.0, 400.0]], requires_grad=True)
    p = api.Softmax().forward(x)
    assert p.tolist() == [[0.0, 1.0]]
    loss = api.compute_loss(p, [0])
    loss.backward()
    assert (loss.item(), x.grad.tolist()) == (800.0, [[-1.0, 1.0]])

    z = fg.tensor([[-400.0]], requires_grad=True)
    loss = api.compute_loss(api.Activation("sigmoid").forward(z), [1], loss="binary_crossentropy")
    loss.backward()
    assert (loss.item(), z.grad.item()) == (400.0, -1.0)


def test_fit_goes_on_where_it_stopped():
    model, once = classifier(), classifier()
    fg.manual_seed(1)
    first = model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    second = model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    whole = once.fit(X, Y, epochs=4, verbose=0, shuffle=False)
    assert first.history["loss"] + second.history["loss"] == whole.history["loss"]
    assert (first.epoch, second.epoch) == ([0, 1], [2, 3])


def test_evaluate_and_validation():
    model = classifier(metrics=["accuracy", "mse"])
    history = model.fit(X, np.eye(3)[Y], validation_split=0.25, verbose=0)
    assert set(history.history) == {"loss", "accuracy", "mse", "val_loss", "val_accuracy", "val_mse"}
    figures = model.evaluate(X[48:], np.eye(3)[Y[48:]], verbose=0, return_dict=True)
    assert figures == {name: history.history[f"val_{name}"][0] for name in ("loss", "accuracy", "mse")}
    assert isinstance(classifier(metrics=None).evaluate(X, Y, verbose=0), float)
    with pytest.raises(RuntimeError, match="call compile"):
        api.Sequential([api.Dense(1)]).fit(X, Y)
    with pytest.raises(ValueError, match="a loss is needed"):
        api.Sequential([api.Dense(1)]).compile("adam")


def test_loaders_and_datasets_are_data_too():
    data = fg.data.TensorDataset(fg.asarray(X.astype(np.float32)), fg.asarray(Y))
    for source in (data, fg.data.DataLoader(data, 32), list(zip(X.astype(np.float32), Y, strict=True))):
        assert classifier().fit(source, epochs=1, verbose=0).history["loss"][0] < 2
    with pytest.raises(TypeError, match="data: expected arrays"):
        api.DataLoader(5)


def test_weights_go_through_files(tmp_path):
    model, other = classifier(), classifier()
    model.fit(X, Y, verbose=0)
    model.save_weights(tmp_path / "weights.safetensors")
    other.load_weights(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))


def test_evaluate_shows_single_numbers_and_returns_all(capsys):
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy", [{"name": "confusion_matrix", "num_classes": 3}])
    loss, matrix = model.evaluate(X, Y)
    assert capsys.readouterr().err == f"loss {loss:.4f}\n"
    assert matrix.sum().item() == len(X)


def test_summary_counts(capsys):
    model = classifier()
    model[0].requires_grad_(False)
    model.summary()
    assert "40 of them frozen" in capsys.readouterr().out
    with pytest.raises(ValueError, match="give build"):
        api.Sequential([api.Dense(1)]).summary()


def test_binary_classification():
    y = (X[:, 0] > 0).astype(int)
    model = api.Sequential([api.Dense(1, activation="sigmoid")])
    model.compile(optimizer=api.Adam(learning_rate=0.1), loss="binary_crossentropy", metrics=["accuracy"])
    assert model.fit(X, y, epochs=20, verbose=0).history["accuracy"][-1] > 0.9


def test_channels_first_model():
    builder = api.ModelBuilder(data_format="channels_first")
    builder.add_layer("conv2d", filters=4, kernel_size=3).add_layer("max_pooling2d").add_layer("flatten")
    model = builder.add_layer("dense", units=2).build(input_shape=(1, 8, 8))
    assert model[0].weight.shape == (4, 1, 3, 3)
    assert model(np.zeros((2, 1, 8, 8))).shape == (2, 2)


def test_builder_names_what_is_wrong():
    builder = api.ModelBuilder().add_layer("dense", units=2)
    with pytest.raises(ValueError, match=r"layer 1 \(dens\): .* unknown layer, did you mean Dense"):
        builder.add_layer("dens", units=2)
    with pytest.raises(TypeError, match=r"layer 1 \(dense\): .*'width'"):
        builder.add_layer("dense", units=2, width=2)


def test_a_model_from_a_file(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text(
        '[model]\ninput_shape = [8, 8, 1]\n[[model.layers]]\nname = "conv2d"\nfilters = 4\nkernel_size = [3, 3]\n'
        'activation = "relu"\n[[model.layers]]\nname = "global_average_pooling2d"\n'
        '[[model.layers]]\ntype = "dense"\nunits = 3\nactivation = {name = "leaky_relu", negative_slope = 0.5}\n'
    )
    model = api.ModelBuilder.from_file(path)
    assert [type(layer).__name__ for layer in model] == ["Conv2D", "GlobalAveragePooling2D", "Dense"]
    assert model.output_shape == (3,)
    with pytest.raises(ValueError, match="layer 0 needs a 'name'"):
        api.ModelBuilder.from_config({"layers": [{"units": 3}]})
    with pytest.raises(ValueError, match="expected 'layers'"):
        api.ModelBuilder.from_config({"layer": []})


def test_functional_losses_agree_with_the_layers():
    logits = fg.tensor(RNG.normal(size=(5, 3)).astype(np.float32))
    p, y = api.Softmax().forward(logits), fg.asarray(Y[:5])
    expected = F.cross_entropy(logits, y).item()
    for loss in ("cross_entropy", "categorical_crossentropy", api.losses.SparseCategoricalCrossentropy()):
        assert fg.plugins.losses.function(loss)(p, y).item() == pytest.approx(expected, rel=1e-6)
    forgotten = api.compute_loss(p + 0.0, y).item()
    assert forgotten == pytest.approx(expected, rel=1e-5)


def test_weights_go_out_and_in_as_arrays():
    model, other = classifier(), classifier()
    model.predict(X, verbose=0)
    other.predict(X, verbose=0)
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    assert model.count_params() == sum(weight.size for weight in model.get_weights())
    with pytest.raises(ValueError, match=r"set_weights: expected arrays of the shapes \[.*, got \[\]"):
        model.set_weights([])


@pytest.mark.parametrize(
    "name", ["acc", "categorical_accuracy", "sparse_categorical_accuracy", "top_k_categorical_accuracy", "f1_score"]
)
def test_metrics_by_keras_names(name):
    history = classifier(metrics=[name]).fit(X, Y, verbose=0).history
    assert 0.0 <= history[name][0] <= 1.0


def test_labels_as_one_hot_rows():
    rows = api.to_categorical(Y, 3)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows.argmax(axis=1), Y)
