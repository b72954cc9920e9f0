"""Callbacks by Keras's names do what Keras says they do."""

import csv

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.train import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
    Trainer,
)


class Script(Callback):
    """Puts figures of a script into the logs, and notes the learning rates."""

    def __init__(self, name, values):
        self.name, self.values, self.rates = name, values, []

    def on_epoch_end(self, epoch, logs):
        logs[self.name] = self.values[epoch]
        self.rates.append(self.trainer.optimizer.param_groups[0]["lr"])


def fit(callbacks, epochs=6, **settings):
    fg.manual_seed(0)
    model = nn.Linear(2, 1)
    x = fg.randn((8, 2))
    optimizer = fg.optim.SGD(model.parameters(), lr=1.0)
    for parameter in model.parameters():
        parameter.requires_grad = True
    trainer = Trainer(
        model,
        (x, x.sum(axis=1, keepdims=True)),
        optimizer=optimizer,
        loss="mse",
        progress=False,
        callbacks=callbacks,
        **settings,
    )
    trainer.fit(epochs)
    return trainer


@pytest.mark.parametrize(
    "settings, values, epochs",
    [
        ({"patience": 0}, [3, 2, 2, 1, 1, 1], 3),
        ({"patience": 1}, [3, 2, 2, 1, 2, 3], 6),
        ({"patience": 1, "min_delta": 1.5}, [3, 2, 2, 1, 1, 1], 3),
        ({"patience": 0, "mode": "max"}, [1, 2, 3, 2, 5, 6], 4),
        ({"patience": 0, "baseline": 2.5}, [3, 2, 1, 0, 0, 0], 1),
        ({"patience": 0, "start_from_epoch": 3}, [3, 4, 5, 6, 7, 8], 5),
    ],
)
def test_early_stopping(settings, values, epochs):
    trainer = fit([Script("figure", values), EarlyStopping("figure", **settings)])
    assert trainer.epoch == epochs


def test_early_stopping_brings_the_best_weights_back():
    seen = {}
    remember = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update({epoch: trainers[0].model.state_dict()}))
    trainers = []

    class First(Callback):
        def on_train_begin(self, logs):
            trainers.append(self.trainer)

    stop = EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    trainer = fit([First(), remember, Script("val_accuracy", [0.1, 0.9, 0.5, 0.5, 0.5, 0.5]), stop])
    assert (trainer.epoch, stop.stopped_epoch, stop.best) == (4, 3, 0.9)
    assert trainer.model.weight.tolist() == seen[1]["weight"].tolist()
    assert trainer.model.weight.tolist() != seen[3]["weight"].tolist()


def test_learning_rate_falls_on_a_plateau():
    script = Script("figure", [3, 2, 2, 2, 2, 2])
    fit([script, ReduceLROnPlateau("figure", factor=0.5, patience=2, min_lr=0.3)])
    assert script.rates == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]
    script = Script("figure", [2] * 8)
    fit([script, ReduceLROnPlateau("figure", factor=0.5, patience=1, cooldown=2, min_lr=0.3)], epochs=8)
    assert script.rates == [1.0, 1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3]


def test_learning_rate_of_a_function():
    script = Script("figure", [0] * 6)
    fit([LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch else lr), script], epochs=3)
    assert script.rates == [1.0, 0.5, 0.25]
    script = Script("figure", [0] * 6)
    fit([LearningRateScheduler(lambda epoch: 0.1 * (epoch + 1)), script], epochs=2)
    assert script.rates == [0.1, 0.2]


def test_checkpoints_of_the_best_epoch(tmp_path):
    path = tmp_path / "best.safetensors"
    script = Script("val_loss", [3, 1, 2, 2, 2, 2])
    trainer = fit([script, ModelCheckpoint(path, save_best_only=True)], epochs=2)
    assert fg.io.safetensors.load_file(path)["weight"].tolist() == trainer.model.weight.tolist()
    fit(
        [Script("val_loss", [3, 1, 2]), ModelCheckpoint(tmp_path / "{epoch:02d}-{val_loss}", save_weights_only=True)], 3
    )
    assert sorted(file.name for file in tmp_path.glob("0*")) == [f"0{n}.safetensors" for n in ("1-3", "2-1", "3-2")]
    folder = tmp_path / "run"
    trainer = fit([ModelCheckpoint(folder)], 2)
    assert [p.name for p in fg.train.list_checkpoints(folder)] == ["checkpoint-2"]


def test_csv_of_the_history(tmp_path):
    path = tmp_path / "history.csv"
    history = fit([CSVLogger(path)], 2).history
    fit([CSVLogger(path, append=True)], 1)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "0"]
    assert [float(row["loss"]) for row in rows[:2]] == [logs["loss"] for logs in history]


def test_a_loss_that_is_not_finite_ends_the_fit_quietly(capsys):
    x = fg.tensor([[1.0, np.inf]] * 4)
    trainer = Trainer(
        nn.Linear(2, 1),
        (x, fg.zeros((4, 1))),
        optimizer={"name": "sgd", "lr": 0.1},
        loss="mse",
        callbacks=["terminate_on_nan"],
        progress=False,
    )
    before = trainer.model.weight.tolist()
    trainer.fit(3)
    assert (trainer.epoch, trainer.step) == (1, 0)
    assert trainer.model.weight.tolist() == before
    assert "TerminateOnNaN: Trainer: the loss is" in capsys.readouterr().err
    assert isinstance(trainer.callbacks[0], TerminateOnNaN)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="EarlyStopping: no figure 'val_loss', expected one of loss, seconds"):
        fit([EarlyStopping()])
    with pytest.raises(ValueError, match="expected mode 'auto', 'min' or 'max', got 'up'"):
        EarlyStopping(mode="up")
    with pytest.raises(ValueError, match="factor must be between 0 and 1"):
        ReduceLROnPlateau(factor=2)
    with pytest.raises(TypeError, match=r"LambdaCallback: expected names from .*on_epoch_end.*, got 'on_epoch'"):
        LambdaCallback(on_epoch=print)
    schedule = fg.optim.ConstantLR(fg.optim.SGD([nn.Parameter(fg.zeros(1))]))
    with pytest.raises(ValueError, match="LearningRateScheduler: the trainer has a scheduler already"):
        fit([LearningRateScheduler(lambda epoch: 1.0)], scheduler=schedule)


def fit_with_matrix(*callbacks):
    fg.manual_seed(0)
    data = fg.randn((12, 2)), fg.arange(12) % 3
    trainer = Trainer(
        nn.Linear(2, 3),
        data,
        optimizer="adam",
        metrics=[{"name": "confusion_matrix", "num_classes": 3}],
        callbacks=callbacks,
        validation_data=data,
    )
    trainer.fit(1)
    return trainer


def test_a_matrix_among_the_figures_is_written_down_as_lists(tmp_path, capsys):
    log, save = CSVLogger(tmp_path / "log.csv"), ModelCheckpoint(tmp_path / "run")
    trainer = fit_with_matrix(log, save)
    matrix = trainer.history[0]["val_confusion_matrix"]
    assert matrix.sum().item() == 12
    shown = capsys.readouterr().err.splitlines()[-1]
    assert "val_loss" in shown
    assert "matrix" not in shown
    with (tmp_path / "log.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["val_confusion_matrix"] == str(matrix.tolist())
    trainer.load(tmp_path / "run")
    assert trainer.history[0]["val_confusion_matrix"] == matrix.tolist()


def test_a_matrix_cannot_be_monitored():
    with pytest.raises(ValueError, match=r"one number, got 'val_confusion_matrix': Tensor of shape \(3, 3\)"):
        fit_with_matrix(EarlyStopping("val_confusion_matrix"))


@pytest.mark.parametrize("number", [np.float32(0.5), fg.tensor(0.5)])
def test_a_number_may_be_of_any_kind(tmp_path, capsys, number):
    class Half(fg.metrics.Accuracy):
        name = "half"

        def compute(self):
            return number

    save = ModelCheckpoint(tmp_path / "run", monitor="half", save_best_only=True)
    data = fg.randn((12, 2)), fg.arange(12) % 3
    Trainer(nn.Linear(2, 3), data, optimizer="adam", metrics=[Half()], callbacks=[save]).fit(2)
    assert save.best == 0.5
    assert "half 0.5," in capsys.readouterr().err


def test_metrics_are_not_computed_with_every_batch():
    class Costly(fg.metrics.Accuracy):
        computed = 0

        def compute(self):
            self.computed += 1
            return super().compute()

    metric = Costly()
    data = fg.randn((64, 2)), fg.arange(64) % 3
    Trainer(nn.Linear(2, 3), data, optimizer="adam", metrics=[metric], batch_size=2).fit(1)
    assert metric.computed < 8
