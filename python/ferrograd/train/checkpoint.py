"""Checkpoints: model, optimizer and progress in a folder that is written all or nothing.

`FOLDER/checkpoint-STEP/` holds `model.safetensors`, `optimizer.safetensors`, `state.json` and `manifest.json` with the
size and SHA-256 of each. A new checkpoint is a new folder; old ones are removed only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ferrograd._core import FormatError, Tensor
from ferrograd.io import safetensors
from ferrograd.io.files import new_folder
from ferrograd.io.json import read_object
from ferrograd.nn import Module
from ferrograd.optim import Optimizer

FORMAT = 1
_NAME = re.compile(r"checkpoint-(\d{1,18})(?:\.(\d{1,9}))?")
_UNFINISHED = re.compile(r"\.checkpoint-[\d.]+\.[0-9a-f]{12}")


def save_checkpoint(
    folder: str | os.PathLike[str],
    model: Module,
    optimizer: Optimizer | None = None,
    state: Mapping[str, Any] | None = None,
    *,
    step: int = 0,
    keep: int = 1,
) -> Path:
    """Write a checkpoint into `folder` and return its path; older ones beyond the newest `keep` are removed.

    Args:
        folder: made if it does not exist; one run at a time writes into it.
        model, optimizer: whose state is saved.
        state: anything JSON can hold, given back by `load_checkpoint`.
        step: number in the checkpoint's name.
        keep: how many checkpoints stay, at least 1.

    A failed save raises and leaves the earlier checkpoints as they were.

    >>> import ferrograd as fg, tempfile
    >>> model = fg.nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = fg.train.save_checkpoint(folder, model, state={"epoch": 3}, step=120)
    ...     path.name, fg.train.load_checkpoint(folder, model)
    ('checkpoint-120', {'epoch': 3})
    """
    if keep < 1:
        raise ValueError(f"save_checkpoint: keep must be at least 1, got {keep}")
    root = Path(folder)
    target = root / f"checkpoint-{step}"
    repeat = 0
    while target.exists():
        repeat += 1
        target = root / f"checkpoint-{step}.{repeat}"
    with new_folder(target) as temporary:
        safetensors.save_file(model.state_dict(), temporary / "model.safetensors", {"format": "ferrograd"})
        progress: dict[str, Any] = {"state": dict(state or {})}
        if optimizer is not None:
            tensors, progress["optimizer"] = _split(optimizer.state_dict())
            safetensors.save_file(tensors, temporary / "optimizer.safetensors")
        _write_json(temporary / "state.json", progress)
        files = {file.name: _fingerprint(file) for file in sorted(temporary.iterdir())}
        _write_json(temporary / "manifest.json", {"format": FORMAT, "files": files})
    newest = target.name
    others = [path for path in list_checkpoints(root) if path.name != newest]
    for path in others[: max(len(others) - keep + 1, 0)]:
        # Without its manifest a half-removed folder is no checkpoint.
        (path / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(path)
    for path in root.iterdir():
        half_removed = path.name.startswith("checkpoint-") and not (path / "manifest.json").exists()
        if half_removed or _UNFINISHED.fullmatch(path.name):  # left by a run that was killed while saving
            shutil.rmtree(path)
    return target


def load_checkpoint(path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Read a checkpoint, or the newest one in a folder, into model and optimizer; returns the saved `state`.

    Raises FileNotFoundError if there is none and FormatError if it is damaged, before anything is changed.
    """
    folder = find_checkpoint(path)
    verify_checkpoint(folder)
    tensors = safetensors.load_file(folder / "model.safetensors")
    progress = read_object(folder / "state.json")
    saved, state = progress.get("optimizer"), progress.get("state")
    if not isinstance(state, dict):
        raise FormatError(f"load_checkpoint: {folder / 'state.json'} has no object 'state'")
    if optimizer is not None:
        if saved is None:
            raise FormatError(f"load_checkpoint: {folder} holds no optimizer state")
        joined = _join(saved, safetensors.load_file(folder / "optimizer.safetensors"))
        previous = optimizer.state_dict()
        optimizer.load_state_dict(joined)
        try:
            model.load_state_dict(tensors)
        except BaseException:
            optimizer.load_state_dict(previous)
            raise
    else:
        model.load_state_dict(tensors)
    return state


def list_checkpoints(folder: str | os.PathLike[str]) -> list[Path]:
    """Complete checkpoints in a folder, oldest step first."""
    found = []
    for path in Path(folder).iterdir() if Path(folder).is_dir() else []:
        match = _NAME.fullmatch(path.name)
        if match and (path / "manifest.json").is_file():
            found.append((int(match[1]), int(match[2] or 0), path))
    return [path for _, _, path in sorted(found)]


def find_checkpoint(path: str | os.PathLike[str]) -> Path:
    """`path` itself if it is a checkpoint, else the newest one in it; FileNotFoundError if there is none."""
    folder = Path(path)
    if (folder / "manifest.json").is_file():
        return folder
    found = list_checkpoints(folder)
    if not found:
        raise FileNotFoundError(f"load_checkpoint: there is no checkpoint in {folder}")
    return found[-1]


def verify_checkpoint(folder: Path) -> None:
    """Raise FormatError unless every file of the manifest is there with its size and checksum."""
    manifest = read_object(folder / "manifest.json")
    files = manifest.get("files")
    if manifest.get("format") != FORMAT or not isinstance(files, dict):
        raise FormatError(f"load_checkpoint: {folder / 'manifest.json'} is no manifest of format {FORMAT}")
    for name in {"model.safetensors", "state.json", *files}:
        if name not in files or Path(name).name != name or not (folder / name).is_file():
            raise FormatError(f"load_checkpoint: {folder} lacks {name!r}")
        if _fingerprint(folder / name) != files[name]:
            raise FormatError(f"load_checkpoint: {folder / name} is damaged: size or checksum differ from the manifest")


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return {"size": file.tell(), "sha256": digest.hexdigest()}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, allow_nan=True) + "\n", encoding="utf-8")


def _split(state: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors of an optimizer state under "INDEX.NAME", and the rest for JSON."""
    tensors: dict[str, Tensor] = {}
    rest: dict[str, dict[str, Any]] = {}
    for index, entry in state["state"].items():
        rest[str(index)] = {k: v for k, v in entry.items() if not isinstance(v, Tensor)}
        tensors |= {f"{index}.{k}": v for k, v in entry.items() if isinstance(v, Tensor)}
    return tensors, {"state": rest, "param_groups": state["param_groups"]}


def _join(saved: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    try:
        state: dict[int, dict[str, Any]] = {int(index): dict(entry) for index, entry in saved["state"].items()}
        for name, tensor in tensors.items():
            index, _, key = name.partition(".")
            state[int(index)][key] = tensor
        groups = [dict(group) for group in saved["param_groups"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"load_checkpoint: the optimizer state is malformed: {error!r}") from None
    return {"state": state, "param_groups": groups}
