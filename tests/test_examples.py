"""The scripts in examples/ run as they stand, here for a few steps, and print what they promise."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
# Script, arguments that make it short, what it prints; words in capitals become paths of temporary files.
SCRIPTS = [
    (
        "char_gpt",
        "TEXT --iterations 3 --block-size 8 --layers 1 --heads 2 --width 16 --characters 20",
        r"validation loss [\d.]+, of 200 random batches [\d.]+",
    ),
    (
        "char_lstm",
        "TEXT --block-size 8 --width 8 --batch-size 64 --characters 20",
        r"validation loss [\d.]+",
    ),
    ("deepfm", "--epochs 2 --rows 4000", r"epoch 2: loss [\d.]+, test AUC 0\.[5-9]\d+"),
    ("deepspeech", "--iterations 1 --batch-size 2", r"letter error rate [\d.]+ % on 100 new words"),
    ("manual_loop", "", r"epoch 10: loss [\d.]+, test accuracy 9\d\.\d %"),
    ("mnist_cnn", "MNIST --batch-size 32", r"test accuracy after 1 epoch\(s\): [\d.]+ %"),
    ("ncf", "--epochs 1 --users 40 --items 150", r"hidden item among the ten best: by NCF [\d.]+ %"),
    ("seq2seq", "--iterations 2 --batch-size 4", r"right: \d+ of 500 numbers that training never saw"),
    ("text_classifier", "SENTENCES --epochs 1 --model cnn", r"cnn: accuracy on dev.tsv [\d.]+ %"),
    ("text_classifier", "SENTENCES --epochs 1 --model gru", r"gru: accuracy on dev.tsv [\d.]+ %"),
    ("text_classifier", "SENTENCES --epochs 1 --model lstm", r"lstm: accuracy on dev.tsv [\d.]+ %"),
    ("wavenet", "--iterations 2 --samples 20 --output OUT", r"0\.07 seconds of audio in"),
    (
        "autoencoder",
        "--samples 64 --epochs 1 --output OUT",
        r"squared error per pixel 0\.\d+; the mean image has 0\.\d+",
    ),
    (
        "dcgan",
        "--samples 64 --iterations 1 --width 4 --output OUT",
        r"iteration 1: discriminator [\d.]+, generator [\d.]+",
    ),
    ("facenet", "--samples 300 --iterations 60", r"after training: 9\d\.\d % of known digits, \d\d\.\d % of new"),
    ("image_classifier", "--samples 64 --epochs 1 --model resnet18", r"test accuracy: [\d.]+ %"),
    ("ssd", "--samples 64 --iterations 2 --batch-size 2", r"\d+ of \d+ digits found and named"),
    ("unet", "--samples 32 --epochs 1 --output OUT", r"intersection over union of the digits' pixels: 0\.\d+"),
    ("vae", "--samples 64 --epochs 2 --output OUT", r"epoch 2: test images, -log p at most [\d.]+ nats"),
]


@pytest.mark.parametrize("script", sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem != "example_data"))
def test_example_explains_itself(script, monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES)
    for word, status in (("--help", 0), ("nothing/here", 2)):
        monkeypatch.setattr(sys, "argv", [f"{script}.py", word])
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(EXAMPLES / f"{script}.py"), run_name="__main__")
        assert left.value.code == status
    shown = capsys.readouterr()
    assert "usage:" in shown.out
    assert re.search("nothing is at nothing/here|unrecognized arguments", shown.err)


@pytest.mark.parametrize("script, arguments, printed", SCRIPTS, ids=[row[0] for row in SCRIPTS])
def test_example_runs(script, arguments, printed, tmp_path, monkeypatch, capsys):
    text = tmp_path / "text.txt"
    text.write_text("To be, or not to be, that is the question:\n" * 40)
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / name).write_text("a fine film\t1\na dull film , and long\t0\n" * 4)
    images, labels = np.zeros((64, 28, 28), np.uint8), np.arange(64) % 10
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    paths = {
        "TEXT": str(text),
        "SENTENCES": str(tmp_path),
        "MNIST": str(tmp_path / "mnist.npz"),
        "OUT": str(tmp_path / "out"),
    }
    argv = [paths.get(word, word) for word in arguments.split()]
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *argv])
    monkeypatch.syspath_prepend(EXAMPLES)
    runpy.run_path(str(EXAMPLES / f"{script}.py"), run_name="__main__")
    assert re.search(printed, capsys.readouterr().out)
