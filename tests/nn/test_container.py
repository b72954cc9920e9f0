"""Sequential, ModuleList, ModuleDict."""

import pytest

import ferrograd as fg
from ferrograd import nn


def layers(n):
    return [nn.Linear(2, 2) for _ in range(n)]


def test_sequential_runs_in_order():
    double = nn.Linear(1, 1)
    nn.init.constant_(double.weight, 2.0)
    nn.init.constant_(double.bias, -3.0)
    net = nn.Sequential(double, nn.ReLU())
    assert net(fg.tensor([[1.0], [5.0]])).tolist() == [[0.0], [7.0]]


def test_sequential_takes_names():
    net = nn.Sequential({"a": nn.Linear(2, 3), "b": nn.ReLU()})
    assert list(net.state_dict()) == ["a.weight", "a.bias"]
    assert net[0] is net.a


def test_sequential_indexing_and_slices():
    first, second, third = layers(3)
    net = nn.Sequential(first, second, third)
    assert (len(net), net[-1], list(net)) == (3, third, [first, second, third])
    assert list(net[1:]) == [second, third]
    assert isinstance(net[1:], nn.Sequential)
    with pytest.raises(IndexError):
        net[3]


def test_module_list_edits_keep_numbers_dense():
    first, second, third, fourth = layers(4)
    modules = nn.ModuleList([first, second])
    modules.append(third)
    modules.insert(1, fourth)
    assert list(modules) == [first, fourth, second, third]
    del modules[0]
    assert list(modules) == [fourth, second, third]
    modules[-1] = first
    assert list(modules) == [fourth, second, first]
    assert list(modules.state_dict()) == [f"{i}.{kind}" for i in range(3) for kind in ("weight", "bias")]


def test_module_list_keeps_the_same_module_twice():
    layer = nn.Linear(2, 2)
    assert len(nn.ModuleList([layer, layer])) == 2
    assert len(list(nn.ModuleList([layer, layer]).parameters())) == 2


def test_module_dict():
    a, b = layers(2)
    modules = nn.ModuleDict({"a": a})
    modules["b"] = b
    assert (list(modules), list(modules.values()), len(modules)) == (["a", "b"], [a, b], 2)
    assert "a" in modules
    del modules["a"]
    assert "a" not in modules
    with pytest.raises(KeyError):
        modules["a"]
    with pytest.raises(KeyError, match="name of an attribute"):
        modules["forward"] = a


@pytest.mark.parametrize(
    "make", [lambda: nn.Sequential(3), lambda: nn.ModuleList([None]), lambda: nn.ModuleDict({"a": 1})]
)
def test_only_modules_are_taken(make):
    with pytest.raises(TypeError, match="expected a Module"):
        make()


def test_parameter_list():
    rows = nn.ParameterList([fg.ones(2), fg.nn.Parameter(fg.zeros(3))])
    rows.append(fg.full((1,), 5.0)).extend([fg.ones(1)])
    assert [tuple(row.shape) for row in rows] == [(2,), (3,), (1,), (1,)]
    assert list(rows.state_dict()) == ["0", "1", "2", "3"]
    rows[-1] = fg.zeros(4)
    assert rows[3].shape == (4,)
    assert rows[3].requires_grad
    assert [tuple(row.shape) for row in rows[1:3]] == [(3,), (1,)]
    with pytest.raises(TypeError, match="ParameterList: expected a Parameter or a Tensor, got int"):
        rows.append(3)
    with pytest.raises(IndexError):
        rows[9]


def test_parameter_dict():
    scales = nn.ParameterDict({"a": fg.ones(2)})
    scales["b"] = fg.zeros(3)
    assert list(scales) == ["a", "b"]
    assert "b" in scales
    assert "c" not in scales
    assert {name: tuple(value.shape) for name, value in scales.items()} == {"a": (2,), "b": (3,)}
    copy = nn.ParameterDict({"a": fg.zeros(2), "b": fg.ones(3)})
    copy.load_state_dict(scales.state_dict())
    assert copy["a"].tolist() == [1.0, 1.0]
    del scales["a"]
    assert len(scales) == 1
    with pytest.raises(KeyError):
        scales["a"]
    with pytest.raises(KeyError, match="ParameterDict: 'update' is the name of an attribute"):
        scales["update"] = fg.ones(1)
    with pytest.raises(TypeError, match="ParameterDict"):
        scales["c"] = nn.ReLU()
