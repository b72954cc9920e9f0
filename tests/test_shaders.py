"""Every shader file through wgpu-py against its NumPy reference."""

from __future__ import annotations

import pytest

from ferrograd import shaders

wgpu = pytest.importorskip("wgpu", reason="wgpu-py is not installed (pip install 'ferrograd[shaders]')")


@pytest.fixture(scope="module", autouse=True)
def adapter() -> None:
    try:
        wgpu.gpu.request_adapter_sync()
    except Exception as error:  # noqa: BLE001 - wgpu-py raises a type of its own per backend
        pytest.skip(f"no GPU adapter found: {error}")


@pytest.mark.parametrize("case", shaders.CASES, ids=lambda case: case.entry)
def test_shader_matches_reference(case: shaders.Case) -> None:
    shaders.check(case)


def test_every_shader_with_an_entry_point_has_a_case() -> None:
    entries = {
        (name, line.removeprefix("fn ").split("(")[0])
        for name, text in shaders.sources().items()
        for before, line in zip(text.splitlines(), text.splitlines()[1:], strict=False)
        if before.startswith("@compute")
    }
    assert entries == {(case.shader, case.entry) for case in shaders.CASES}


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert shaders.main(["run", "softmax"]) == 0
    assert "softmax_rows_backward" in capsys.readouterr().out
    assert shaders.main(["list"]) == 0
    assert "library" in capsys.readouterr().out
