"""Plugins: names from user code, from ferrograd and from installed packages, and what is said about unknown ones."""

import importlib
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import api, nn, plugins
from ferrograd.cli import main

X, Y = np.ones((8, 4), np.float32), np.zeros(8, np.int64)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package with one plugin of each kind, as its files lie in site-packages."""
    (tmp_path / "fancy_plugins.py").write_text(
        "import ferrograd as fg\n"
        "class Fancy(fg.nn.Linear):\n    def __init__(self, units):\n        super().__init__(None, units)\n"
        "class Slow(fg.optim.SGD):\n    pass\n"
        "def cubic(outputs, targets):\n    return (fg.abs(outputs - targets) ** 3).mean()\n"
        "class Never(fg.train.Metric):\n    name = 'never'\n    def reset(self): pass\n"
        "    def update(self, output, target): pass\n    def compute(self): return 0.0\n"
        "class Quiet(fg.train.Callback):\n    pass\n"
        "def numbers():\n    return fg.data.TensorDataset(fg.arange(3))\n"
        "class hello:\n    '''Say hello.'''\n    def add_arguments(parser): parser.add_argument('name')\n"
        "    def run(arguments): print('hello', arguments.name)\n"
    )
    info = tmp_path / "fancy_plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fancy-plugins\nVersion: 1.0\n")
    names = {
        "layers": "fancy = fancy_plugins:Fancy\nbroken = fancy_plugins:Missing",
        "optimizers": "slow = fancy_plugins:Slow",
        "losses": "cubic = fancy_plugins:cubic",
        "metrics": "never = fancy_plugins:Never",
        "callbacks": "quiet = fancy_plugins:Quiet",
        "datasets": "numbers = fancy_plugins:numbers",
        "models": "fancy_model = fancy_plugins:Fancy",
        "commands": "hello = fancy_plugins:hello",
    }
    (info / "entry_points.txt").write_text("\n".join(f"[ferrograd.{kind}]\n{points}" for kind, points in names.items()))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    registries = [value for value in vars(plugins).values() if isinstance(value, plugins.Registry)]
    for registry in registries:
        monkeypatch.setattr(registry, "_entry_points", None)
    yield
    sys.modules.pop("fancy_plugins", None)
    for registry in registries:
        registry._entry_points = None


def test_installed_packages_are_asked_when_a_name_is(package, capsys):
    assert "fancy" in plugins.layers
    assert "fancy_plugins" not in sys.modules
    model = api.ModelBuilder().add_layer("fancy", units=2).build((4,))
    assert type(model[0]).__name__ == "Fancy"
    trainer = api.Trainer(
        model,
        (X, np.zeros((8, 2))),
        optimizer={"name": "slow", "lr": 0.1},
        loss="cubic",
        metrics=["never"],
        callbacks=["quiet"],
        progress=False,
    )
    assert trainer.train(1)[0]["never"] == 0.0
    assert type(trainer.optimizer).__name__ == "Slow"
    assert len(plugins.datasets.create("numbers")) == 3
    assert plugins.models.create({"name": "fancy_model", "units": 3}).out_features == 3
    assert main(["hello", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"
    with pytest.raises(ImportError, match="the layer 'broken' of fancy-plugins does not load"):
        plugins.layers.get("broken")


def test_user_code_registers_by_decorator():
    @plugins.layers.register("double")
    class Double(nn.Module):
        def __init__(self, by=2.0):
            self.by = by

        def forward(self, x):
            return x * self.by

    @plugins.activations.register()
    def cube(x):
        return x * x * x

    try:
        model = api.ModelBuilder.from_config(
            {"layers": [{"name": "double", "by": 3.0}, {"name": "activation", "activation": "cube"}]}
        )
        assert model(np.ones((1, 1))).item() == 27.0
        with pytest.raises(ValueError, match="the layer 'Double' exists already"):
            plugins.layers.register("Double")(Double)
        with pytest.raises(ValueError, match="the layer 'dense' exists already"):
            plugins.layers.register("dense")(Double)
        assert plugins.layers.register("double", replace=True)(Double) is Double
    finally:
        plugins.layers.unregister("double")
        plugins.activations.unregister("cube")
    assert "double" not in plugins.layers


def test_unknown_names_are_answered_with_near_ones():
    with pytest.raises(ValueError, match=r"plugins: unknown optimizer, did you mean Adam .*, got 'adamm'"):
        plugins.optimizers.get("adamm")
    with pytest.raises(ValueError, match=r"unknown dataset, known are .*digits, mnist, got 'qqq'"):
        plugins.datasets.get("qqq")
    with pytest.raises(ValueError, match="a table for a loss needs its 'name'"):
        plugins.losses.function({"delta": 1.0})


def test_tables_carry_settings():
    huber = plugins.losses.function({"name": "huber", "delta": 0.5})
    assert huber(fg.tensor([2.0]), fg.tensor([0.0])).item() == pytest.approx(0.5 * (2 - 0.25))
    weight = nn.Parameter(fg.zeros(1))
    assert plugins.optimizers.create({"name": "adam", "lr": 0.25}, [weight]).param_groups[0]["lr"] == 0.25
    stop = plugins.callbacks.create({"type": "early_stopping", "patience": 4})
    assert (type(stop).__name__, stop.patience) == ("EarlyStopping", 4)
    assert plugins.metrics.create(stop) is stop


def test_every_kind_lists_what_ferrograd_has():
    assert {"Dense", "Conv2D", "MaxPooling2D", "Linear"} <= set(plugins.layers)
    assert {"relu", "softmax"} <= set(plugins.activations)
    assert {"SGD", "Adam", "AdamW"} <= set(plugins.optimizers)
    assert {"cross_entropy", "categorical_crossentropy", "mse"} <= set(plugins.losses)
    assert "Accuracy" in set(plugins.metrics)
    assert {"EarlyStopping", "CSVLogger"} <= set(plugins.callbacks)
    assert {"digits", "mnist"} <= set(plugins.datasets)


def test_models_and_datasets_are_made_from_tables():
    train, _ = plugins.datasets.create("digits")
    model = plugins.models.create({"name": "resnet18", "num_classes": 10, "in_channels": 1, "width": 4})
    assert model(train.tensors[0][:2]).shape == (2, 10)


def test_the_documented_program_runs(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parent.parent / "docs" / "plugins.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(python|toml)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names = iter(("run.toml", "gpt.toml"))
    for language, code in blocks:
        if language == "toml":
            (tmp_path / next(names)).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    registries = [value for value in vars(plugins).values() if isinstance(value, plugins.Registry)]
    for registry in registries:
        monkeypatch.setattr(registry, "_registered", {})
    program = {"__name__": "program"}
    for language, code in blocks:
        if language == "python":
            exec(compile(code, "plugins.md", "exec"), program)
    assert {"worst", "mae", "val_worst", "val_loss"} <= set(program["history"][-1])
    assert len(program["history"]) == program["trainer"].epochs_seen == 3
    assert program["model"].config.n_embd == 128
    plugins.commands.register("hello")(SimpleNamespace(**program))
    assert main(["hello", "you"]) == 0
    assert "hello you" in capsys.readouterr().out


def test_a_run_from_a_table_says_what_is_wrong(tmp_path):
    tables = {"data": {"name": "digits"}, "model": {"name": "mlp"}}
    with pytest.raises(ValueError, match=r"expected the tables 'data', 'model' and 'training', got \['data'\]"):
        api.Trainer.from_config({"data": {"name": "digits"}})
    with pytest.raises(ValueError, match=r"got .*'trainin'"):
        api.Trainer.from_config(tables | {"trainin": {}})
    with pytest.raises(ValueError, match="unknown dataset, did you mean digits"):
        api.Trainer.from_config(tables | {"data": {"name": "digit"}})
    with pytest.raises(TypeError, match="'learning_rat'"):
        api.Trainer.from_config(tables | {"training": {"learning_rat": 0.1}})
    (tmp_path / "broken.toml").write_text("[data\n")
    with pytest.raises(fg.FormatError, match=r"broken\.toml: the file is not valid TOML"):
        api.Trainer.from_file(tmp_path / "broken.toml")
