"""What has to be refused is refused: the exception's class, and a message that says what is wrong."""

from __future__ import annotations

import builtins
import re

import pytest

import ferrograd as fg
from harness import calls
from harness.floors import count
from op_table import ROWS
from op_table.row import Refusal, Row

REFUSALS = [
    pytest.param(row, refusal, id=f"{name}-{index}")
    for name, row in ROWS.items()
    for index, refusal in enumerate(row.refusals)
]

TREE = {
    "ShapeError": ValueError,
    "DTypeError": TypeError,
    "DeviceError": RuntimeError,
    "GradError": RuntimeError,
    "OutOfMemoryError": MemoryError,
    "FormatError": ValueError,
}


@pytest.mark.parametrize("row, refusal", REFUSALS)
def test_is_refused(row: Row, refusal: Refusal) -> None:
    arguments = calls.for_op(fg, refusal.call, "float64")
    kinds = tuple(getattr(fg, name, None) or getattr(builtins, name) for name in refusal.exception.split("|"))
    with pytest.raises(kinds) as caught:
        row.function(fg)(*arguments.args, **arguments.kwargs)
    message = str(caught.value)
    assert re.search(refusal.match, message), message
    assert len(message) > 12, message
    count("errors")


@pytest.mark.parametrize("name", TREE)
def test_exceptions_are_what_python_programs_catch(name: str) -> None:
    kind = getattr(fg, name)
    assert issubclass(kind, TREE[name])
    assert kind.__module__ == "ferrograd"
    assert kind.__doc__


def test_message_names_the_op_the_shapes_and_what_was_expected() -> None:
    with pytest.raises(fg.ShapeError) as caught:
        fg.matmul(fg.ones((2, 3)), fg.ones((4, 5)))
    assert str(caught.value).startswith("matmul: ")
    assert re.search(r"2, ?3.*4, ?5", str(caught.value))


def test_tensors_of_two_devices_are_refused() -> None:
    if not fg.gpu.is_available():
        pytest.skip("no GPU adapter found")
    with pytest.raises(fg.DeviceError, match="add"):
        fg.ones(2) + fg.ones(2).to("gpu")


def test_messages_name_the_op_that_the_user_called() -> None:
    with pytest.raises(ValueError, match=r"^clip: "):
        fg.clip(fg.ones(2, dtype=fg.int8), 300)
    with pytest.raises(TypeError, match=r"^where: missing argument"):
        fg.where(fg.ones(2, dtype=fg.bool))


@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss", "hinge_embedding_loss"])
def test_a_loss_refuses_to_cut_a_gradient_silently(loss: str) -> None:
    function = getattr(fg.nn.functional, loss)
    scores, constant = fg.ones((2, 2)), fg.tensor([1.0, 2.0], requires_grad=True)
    if loss == "hinge_embedding_loss":
        arguments: dict[str, fg.Tensor] = {"target": constant + fg.zeros((2, 2))}
    else:
        arguments = {"target": fg.asarray([0, 1]), "weight": constant}
    with pytest.raises(fg.GradError, match=f"^{loss}: no gradient flows to"):
        function(scores, **arguments)
    with fg.no_grad():
        function(scores, **arguments)


def test_matmul_precision_has_three_names() -> None:
    assert fg.get_float32_matmul_precision() == "highest"
    fg.set_float32_matmul_precision("high")
    assert fg.get_float32_matmul_precision() == "high"
    fg.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="unknown precision, expected 'highest'"):
        fg.set_float32_matmul_precision("low")


def test_numbers_that_no_machine_type_holds_still_name_a_diagonal() -> None:
    assert fg.eye(2, k=2**63).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert fg.tril(fg.ones((2, 2)), k=-(2**70)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert fg.linalg.pinv(fg.ones((1, 1), dtype=fg.complex64), rtol=0.0).tolist() == [[1 + 0j]]
