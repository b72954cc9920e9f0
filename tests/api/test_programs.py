"""The programs of the textbooks run as they are printed, and so do the examples that hold them."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.nn import functional as F

EXAMPLES = Path(__file__).parents[2] / "examples"

MODEL_BUILDER = """
from ferrograd.api import ModelBuilder, DataLoader, Trainer, Evaluator
model_builder = ModelBuilder()
model_builder.add_layer("conv2d", filters=32, kernel_size=(3, 3), activation="relu")
model_builder.add_layer("max_pooling2d", pool_size=(2, 2))
model_builder.add_layer("dense", units=10, activation="softmax")
model = model_builder.build(input_shape=(28, 28, 1))
data_loader = DataLoader(train_data, batch_size=32)
trainer = Trainer(model, data_loader, optimizer="adam", loss="categorical_crossentropy")
trainer.train(epochs=10)
evaluator = Evaluator(model, test_data)
accuracy = evaluator.evaluate()
print(f"Test accuracy: {accuracy:.4f}")
"""

LAYER_BY_LAYER = """
from ferrograd.api import Conv2D, MaxPooling2D, Dense, Activation, Backpropagation, Adam, compute_loss
layers = [
    Conv2D(filters=32, kernel_size=(3, 3)),
    Activation("relu"),
    MaxPooling2D(pool_size=(2, 2)),
    Dense(units=10),
    Activation("softmax"),
]
optimizer = Adam(learning_rate=0.001)
losses = []
for step in range(8):
    output = x_train
    for layer in layers:
        output = layer.forward(output)
    loss = compute_loss(output, labels)
    gradients = Backpropagation().backward(output, labels)
    weights = [weight for layer in layers for weight in layer.weights]
    optimizer.update_params(weights, gradients)
    losses.append(loss.item())
"""

KERAS = """
from ferrograd.api import Sequential, Conv2D, MaxPooling2D, Flatten, Dense
model = Sequential([
    Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)),
    MaxPooling2D(pool_size=(2, 2)),
    Flatten(),
    Dense(128, activation="relu"),
    Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=5, validation_data=(x_test, y_test))
loss, accuracy = model.evaluate(x_test, y_test)
predictions = model.predict(x_test)
model.summary()
"""


@pytest.fixture(scope="module")
def digits():
    """(x, y) of 128 training and 100 test digits, 28 by 28, float64 as NumPy programs have them."""

    def arrays(part, count):
        images = F.interpolate(part.tensors[0][:count], size=(28, 28), mode="bilinear")
        return images.numpy().reshape(-1, 28, 28, 1).astype(np.float64), part.tensors[1][:count].numpy()

    train, test = fg.datasets.load_digits()
    return arrays(train, 128), arrays(test, 100)


def run(program, **data):
    fg.manual_seed(0)
    names = dict(data)
    exec(program, names)
    return names


@pytest.mark.filterwarnings("ignore:dense. the input .* is flattened")
@pytest.mark.parametrize("one_hot", [False, True], ids=["integers", "one-hot"])
def test_model_builder(digits, one_hot, capsys):
    train, test = digits
    if one_hot:
        train, test = ((x, np.eye(10)[y]) for x, y in (train, test))
    names = run(MODEL_BUILDER, train_data=train, test_data=test)
    assert names["accuracy"] > 0.7
    assert f"Test accuracy: {names['accuracy']:.4f}" in capsys.readouterr().out


def test_layer_by_layer(digits):
    (x, y), _ = digits
    with pytest.warns(UserWarning, match=r"dense: the input \(N, 13, 13, 32\) is flattened"):
        names = run(LAYER_BY_LAYER, x_train=x[:32], labels=y[:32])
    assert names["losses"][-1] < 0.8 * names["losses"][0]
    assert [g.shape for g in names["gradients"]] == [w.shape for w in names["weights"]]


def test_keras(digits, capsys):
    (x, y), (x_test, y_test) = digits
    names = run(KERAS, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    figures = names["history"].history
    assert set(figures) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(figures["loss"]) == 5
    assert figures["loss"][-1] < figures["loss"][0]
    assert names["accuracy"] == figures["val_accuracy"][-1]
    assert names["accuracy"] == np.mean(names["predictions"].argmax(axis=1) == y_test)
    np.testing.assert_allclose(names["predictions"].sum(axis=1), 1.0, rtol=1e-5)
    assert "(1, 26, 26, 32)" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:dense. the input .* is flattened")
@pytest.mark.parametrize("name", ["model_builder", "layer_by_layer", "keras", "pytorch"])
def test_example(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--samples", "128"])
    monkeypatch.syspath_prepend(EXAMPLES)
    runpy.run_path(str(EXAMPLES / f"api_{name}.py"), run_name="__main__")
    accuracy = float(capsys.readouterr().out.rpartition("Test accuracy: ")[2].split()[0])
    assert accuracy > (0.55 if name == "pytorch" else 0.3)
