"""The command line: the demo learns, saves, reloads and draws."""

import re
import subprocess
import sys

import pytest

from ferrograd.cli import main


def test_demo(tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path / "demo")]) == 0
    captured = capsys.readouterr()
    accuracy = float(re.search(r"test accuracy: ([\d.]+) %", captured.out)[1])
    assert accuracy >= 98.0
    assert float(re.search(r"trained 10 epochs in ([\d.]+) s", captured.out)[1]) < 60
    assert len(re.findall(r"predicted (\d), is \1", captured.out)) >= 4
    assert "@@" in captured.out
    assert (tmp_path / "demo").is_dir()


def test_info(capsys):
    assert main(["info"]) == 0
    assert "threads" in capsys.readouterr().out


def test_wrong_options(capsys):
    assert main(["demo", "--epochs", "0"]) == 2
    assert "--epochs must be at least 1" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["nothing"])


def test_python_dash_m():
    done = subprocess.run(
        [sys.executable, "-m", "ferrograd", "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "demo" in done.stdout
