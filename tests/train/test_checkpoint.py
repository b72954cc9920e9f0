"""Checkpoints: complete or absent, checked before anything is changed."""

import hashlib
import json
import subprocess
import sys
import time

import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.train import list_checkpoints, load_checkpoint, save_checkpoint


def trained(steps=3):
    fg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    optimizer = fg.optim.AdamW(model.parameters(), lr=0.1)
    train(model, optimizer, steps)
    return model, optimizer


def train(model, optimizer, steps):
    for seed in range(steps):
        optimizer.zero_grad()
        model(fg.testing.make_tensor(8, 3, seed=seed)).sum().backward()
        optimizer.step()


def values(model):
    return {name: value.tolist() for name, value in model.state_dict().items()}


def names(folder):
    return [path.name for path in list_checkpoints(folder)]


def test_model_and_optimizer_go_on_with_the_same_bits(tmp_path):
    model, optimizer = trained()
    path = save_checkpoint(tmp_path, model, optimizer, {"epoch": 3, "note": "é"}, step=30)
    assert sorted(file.name for file in path.iterdir()) == [
        "manifest.json",
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]
    train(model, optimizer, 5)
    other, other_optimizer = trained(1)
    assert load_checkpoint(tmp_path, other, other_optimizer) == {"epoch": 3, "note": "é"}
    train(other, other_optimizer, 5)
    assert values(other) == values(model)


def test_only_the_newest_are_kept(tmp_path):
    model, _ = trained(1)
    for step in (5, 10, 100):
        save_checkpoint(tmp_path, model, step=step, keep=2)
    assert names(tmp_path) == ["checkpoint-10", "checkpoint-100"]
    path = save_checkpoint(tmp_path, model, step=100, keep=2)
    assert path.name == "checkpoint-100.1"
    assert names(tmp_path) == ["checkpoint-100", "checkpoint-100.1"]


def test_a_failed_save_leaves_the_previous_one(tmp_path):
    model, optimizer = trained(1)
    save_checkpoint(tmp_path, model, optimizer, step=1)
    with pytest.raises(TypeError):
        save_checkpoint(tmp_path, model, optimizer, {"not JSON": object()}, step=2)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
    load_checkpoint(tmp_path, model, optimizer)


SAVE_FOREVER = """
import sys, ferrograd as fg
model = fg.nn.Linear(100, 100)
for step in range(10**9):
    fg.nn.init.constant_(model.weight, step)
    fg.train.save_checkpoint(sys.argv[1], model, state={"step": step}, step=step)
    print(step, flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011])
def test_a_kill_at_any_moment_leaves_a_complete_checkpoint(tmp_path, delay):
    command = [sys.executable, "-c", SAVE_FOREVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(4):
            last = int(writer.stdout.readline())
        time.sleep(delay)
        writer.kill()
    model = nn.Linear(100, 100)
    step = load_checkpoint(tmp_path, model)["step"]
    assert step >= last
    assert model.weight.tolist() == [[float(step)] * 100] * 100
    save_checkpoint(tmp_path, model, step=step + 1)
    assert [path.name for path in tmp_path.iterdir()] == [f"checkpoint-{step + 1}"]


def test_a_folder_without_manifest_is_no_checkpoint(tmp_path):
    model, _ = trained(1)
    save_checkpoint(tmp_path, model, step=1)
    half = tmp_path / "checkpoint-2"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"")
    assert names(tmp_path) == ["checkpoint-1"]
    load_checkpoint(tmp_path, model)


def test_nothing_to_load(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        load_checkpoint(tmp_path / "nowhere", nn.Linear(1, 1))


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
def test_damage_is_found_before_anything_changes(tmp_path, name, damage):
    model, optimizer = trained()
    file = save_checkpoint(tmp_path, model, optimizer, step=1) / name
    raw = bytearray(file.read_bytes())
    if damage == "delete":
        file.unlink()
    else:
        raw[-3] ^= 1
        file.write_bytes(raw if damage == "flip" else raw[:-3])
    other, other_optimizer = trained(1)
    before = values(other), repr(other_optimizer.state_dict())
    with pytest.raises(fg.FormatError, match=name.replace(".", r"\.")):
        load_checkpoint(tmp_path, other, other_optimizer)
    assert (values(other), repr(other_optimizer.state_dict())) == before


@pytest.mark.parametrize("manifest", ["", "[]", '{"format": 2, "files": {}}', '{"format": 1, "files": {"../x": {}}}'])
def test_a_manifest_that_makes_no_sense(tmp_path, manifest):
    model, _ = trained(1)
    (save_checkpoint(tmp_path, model) / "manifest.json").write_text(manifest)
    with pytest.raises(fg.FormatError):
        load_checkpoint(tmp_path, model)


def test_another_model_leaves_the_optimizer_alone(tmp_path):
    model, optimizer = trained()
    save_checkpoint(tmp_path, model, optimizer)
    other = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    other_optimizer = fg.optim.AdamW(other.parameters(), lr=0.5)
    with pytest.raises(RuntimeError, match=r"unexpected: 1\.num_batches_tracked"):
        load_checkpoint(tmp_path, other, other_optimizer)
    assert other_optimizer.state == {}
    assert other_optimizer.param_groups[0]["lr"] == 0.5


def test_an_optimizer_that_was_not_saved(tmp_path):
    model, optimizer = trained()
    save_checkpoint(tmp_path, model)
    with pytest.raises(fg.FormatError, match="no optimizer state"):
        load_checkpoint(tmp_path, model, optimizer)


def test_an_optimizer_state_that_makes_no_sense(tmp_path):
    model, optimizer = trained()
    path = save_checkpoint(tmp_path, model, optimizer)
    state = json.loads((path / "state.json").read_text())
    state["optimizer"] = {"state": {"x": 3}, "param_groups": 5}
    raw = json.dumps(state).encode()
    (path / "state.json").write_bytes(raw)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"]["state.json"] = {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(fg.FormatError, match="malformed"):
        load_checkpoint(path, model, optimizer)
