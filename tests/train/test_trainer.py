"""The trainer: learning, figures, validation, checkpoints, and no silent failure."""

import math

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.train import Accuracy, Callback, Trainer


def blobs(n=128, seed=0):
    """Two clouds in the plane."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, n)
    points = generator.normal(size=(n, 2)) * 0.5 + np.where(labels[:, None] == 1, 1.5, -1.5)
    return fg.asarray(points.astype(np.float32)), fg.asarray(labels)


def make(model=None, **settings):
    fg.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    settings = {"optimizer": lambda ps: fg.optim.AdamW(ps, lr=0.05), "progress": False, **settings}
    return Trainer(model, settings.pop("data", blobs()), **settings)


def test_fit_learns_and_keeps_the_history():
    trainer = make(metrics=["accuracy"], validation_data=blobs(64, seed=1))
    history = trainer.fit(epochs=4)
    assert history is trainer.history
    assert [set(logs) for logs in history] == [{"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}] * 4
    assert history[-1]["loss"] < 0.25 * history[0]["loss"]
    assert history[-1]["val_accuracy"] > 0.95
    assert (trainer.epoch, trainer.step) == (4, 16)


def test_the_same_seed_gives_the_same_bits():
    figures = []
    for _ in range(2):
        history = make().fit(2)
        figures.append([logs["loss"] for logs in history])
    assert figures[0] == figures[1]


def test_the_loop_equals_one_written_by_hand():
    x, y = blobs(64)
    trainer = make(data=fg.data.DataLoader(fg.data.TensorDataset(x, y), 16), max_grad_norm=0.1)
    fg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = fg.optim.AdamW(model.parameters(), lr=0.05)
    trainer.fit(2)
    for _ in range(2):
        for i in range(0, 64, 16):
            loss = nn.functional.cross_entropy(model(x[i : i + 16]), y[i : i + 16])
            optimizer.zero_grad()
            loss.backward()
            fg.optim.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
    for ours, theirs in zip(trainer.model.parameters(), model.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-5, atol=1e-7)


def test_evaluate_weights_batches_by_their_samples():
    x, y = blobs(10)
    trainer = make(batch_size=4, metrics=["accuracy"])
    figures = trainer.evaluate((x, y))
    outputs = trainer.model(x)
    assert figures["loss"] == pytest.approx(nn.functional.cross_entropy(outputs, y).item(), rel=1e-6)
    assert figures["accuracy"] == np.mean(outputs.detach().numpy().argmax(1) == y.numpy())


def test_evaluate_and_predict_use_eval_mode_and_restore_it():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    model[0].eval()
    trainer = make(model)
    x, _ = blobs(10)
    predicted = trainer.predict(x)
    assert predicted.tolist() == model[0](x).tolist()
    assert not predicted.requires_grad
    assert trainer.predict(blobs(10)).tolist() == predicted.tolist()
    assert (model.training, model[0].training, model[1].training) == (True, False, True)


def test_layers_without_sizes_are_sized_before_the_optimizer_is_made():
    trainer = make(nn.Sequential(nn.Linear(out_features=4), nn.ReLU(), nn.Linear(out_features=2)))
    assert sum(len(group["params"]) for group in trainer.optimizer.param_groups) == 4
    trainer.fit(1)


def test_a_schedule_is_stepped_every_batch():
    model = nn.Linear(2, 2)
    optimizer = fg.optim.SGD(model.parameters(), lr=1.0)
    schedule = fg.optim.LinearLR(optimizer, 1.0, 0.0, total_iters=8)
    make(model, optimizer=optimizer, scheduler=schedule).fit(1)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_parameters_without_gradient_are_named_once():
    class Net(nn.Module):
        def __init__(self):
            self.used, self.forgotten, self.frozen = nn.Linear(2, 2), nn.Linear(3, 3), nn.Linear(3, 3)
            self.frozen.requires_grad_(False)

        def forward(self, x):
            return self.used(x)

    trainer = make(Net())
    with pytest.warns(UserWarning, match=r"2 trainable .* forgotten\.weight, forgotten\.bias\. Freeze") as caught:
        trainer.fit(2)
    assert len(caught) == 1


def test_a_loss_that_is_not_finite_names_step_and_layer():
    class Log(nn.Module):
        def forward(self, x):
            return fg.log(x - 10)

    model = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.Linear(2, 2), Log()), nn.Linear(2, 2))
    trainer = make(model)
    message = r"loss is nan in step 1: it began in layer '1\.1' \(Log\), inputs up to"
    with pytest.raises(FloatingPointError, match=message):
        trainer.fit(1)
    assert model[0].num_batches_tracked.item() == 1


def test_a_loss_that_is_not_finite_names_parameters_and_inputs():
    model = nn.Linear(2, 2)
    nn.init.constant_(model.bias, math.inf)
    with pytest.raises(FloatingPointError, match="the parameter 'bias' is not finite"):
        make(model).fit(1)
    with pytest.raises(FloatingPointError, match="the input batch is not finite"):
        make(data=(fg.full((4, 2), math.nan), fg.zeros(4, dtype=fg.int64))).fit(1)
    with pytest.raises(FloatingPointError, match="began in the loss function"):
        make(loss=lambda outputs, targets: fg.mean(outputs) * math.inf).fit(1)


def test_save_and_load_go_on(tmp_path, capsys):
    whole = make()
    whole.fit(1)
    path = whole.save(tmp_path)
    assert path.name == "checkpoint-4"
    other = make(progress=True)
    other.load(tmp_path)
    assert "resumed" in capsys.readouterr().err
    assert (other.epoch, other.step, other.history) == (1, 4, whole.history)
    assert other.evaluate(blobs()) == whole.evaluate(blobs())


def test_load_prints_the_trainable_count(tmp_path, capsys):
    trainer = make()
    trainer.save(tmp_path)
    other = make(progress=True)
    other.load(tmp_path)
    assert "42 trainable values before, 42 after" in capsys.readouterr().err


def test_callbacks_are_called_and_can_stop():
    calls = []

    class Record(Callback):
        def on_train_begin(self, logs):
            calls.append("begin")

        def on_epoch_end(self, epoch, logs):
            calls.append((epoch, sorted(logs)))
            self.trainer.stop_training = epoch == 1

        def on_train_batch_end(self, batch, logs):
            calls.append(batch)

        def on_train_end(self, logs):
            calls.append("end")

    trainer = make(callbacks=[Record()])
    trainer.fit(5)
    epoch = [0, 1, 2, 3]
    assert calls == ["begin", *epoch, (0, ["loss", "seconds"]), *epoch, (1, ["loss", "seconds"]), "end"]


def test_progress_is_shown_on_stderr_only(capsys):
    make(progress=True).fit(1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "epoch 1" in captured.err


def test_what_is_wrong_with_the_data_is_said():
    with pytest.raises(ValueError, match=r"expected batches \(inputs, targets\), got 3 entries"):
        make(data=[(1, 2, 3)], optimizer=fg.optim.SGD([nn.Parameter(fg.zeros(1))])).fit(1)
    with pytest.raises(ValueError, match="data is empty"):
        make(data=[]).fit(1)
    with pytest.raises(ValueError, match="unknown loss, did you mean cross_entropy"):
        make(loss="cros_entropie")
    with pytest.raises(ValueError, match="unknown metric"):
        make(metrics=["precise"])
    with pytest.raises(ValueError, match="no validation_data"):
        make().evaluate()


def test_accuracy_of_images():
    accuracy = Accuracy()
    scores = fg.tensor([[[0.9, 0.2], [0.1, 0.8]]])
    accuracy.update(scores, fg.tensor([[0, 0]]))
    assert accuracy.compute() == 0.5
    accuracy.reset()
    assert math.isnan(accuracy.compute())
    with pytest.raises(fg.ShapeError, match="Accuracy"):
        accuracy.update(scores, fg.tensor([0]))
