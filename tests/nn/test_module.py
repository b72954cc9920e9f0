"""The module tree: names, state, modes, hooks, errors, printing."""

import copy
import pickle

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn


class Net(nn.Module):
    def __init__(self):
        self.first = nn.Linear(3, 4)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2))])
        self.norm = nn.BatchNorm1d(2)
        self.scale = nn.Parameter(fg.ones(1))

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) * self.scale


NAMES = [
    "scale",
    "first.weight",
    "first.bias",
    "blocks.0.weight",
    "blocks.0.bias",
    "blocks.1.1.weight",
    "blocks.1.1.bias",
    "norm.weight",
    "norm.bias",
]


def test_named_parameters_are_pytorchs():
    assert [name for name, _ in Net().named_parameters()] == NAMES
    assert [name for name, _ in Net().named_buffers()] == [
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    ]


def test_state_dict_holds_parameters_and_buffers():
    names = list(Net().state_dict())
    assert names == [*NAMES, "norm.running_mean", "norm.running_var", "norm.num_batches_tracked"]


def test_named_modules_parents_first():
    paths = [path for path, _ in Net().named_modules()]
    assert paths == ["", "first", "blocks", "blocks.0", "blocks.1", "blocks.1.0", "blocks.1.1", "norm"]


def test_state_dict_is_a_snapshot():
    layer = nn.Linear(2, 2)
    before = layer.state_dict()["weight"]
    values = before.tolist()
    nn.init.zeros_(layer.weight)
    assert before.tolist() == values
    assert layer.weight.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_load_state_dict_round_trip():
    a, b = Net(), Net()
    x = fg.testing.make_tensor(5, 3)
    assert not np.allclose(a.eval()(x).numpy(), b.eval()(x).numpy())
    weight = b.first.weight
    assert b.load_state_dict(a.state_dict()) == ([], [])
    assert b.first.weight is weight
    np.testing.assert_array_equal(a(x).numpy(), b(x).numpy())


def test_load_state_dict_lists_every_problem_and_changes_nothing():
    net, state = Net(), Net().state_dict()
    before = {name: value.tolist() for name, value in net.state_dict().items()}
    del state["scale"]
    state["extra"] = fg.zeros(1)
    state["first.bias"] = fg.zeros(7)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    message = str(caught.value)
    assert "missing: scale" in message
    assert "unexpected: extra" in message
    assert "first.bias: shape mismatch, expected (4,), got (7,)" in message
    assert {name: value.tolist() for name, value in net.state_dict().items()} == before


def test_load_state_dict_not_strict_reports_keys():
    net, state = Net(), Net().state_dict()
    del state["scale"]
    state["extra"] = fg.zeros(1)
    keys = net.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["scale"]
    assert keys.unexpected_keys == ["extra"]
    assert net.first.weight.tolist() == state["first.weight"].tolist()


def test_load_state_dict_casts_to_the_parameters_dtype():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": fg.ones((1, 2), dtype=fg.float64), "bias": fg.ones(1, dtype=fg.float64)})
    assert layer.weight.dtype == fg.float32


def test_shared_parameters_come_once_but_are_saved_under_each_name():
    net = nn.Module()
    net.embed = nn.Embedding(5, 3)
    net.head = nn.Linear(3, 5, bias=False)
    net.head.weight = net.embed.weight
    assert [name for name, _ in net.named_parameters()] == ["embed.weight"]
    assert list(net.state_dict()) == ["embed.weight", "head.weight"]


def test_train_and_eval_reach_every_module():
    net = Net()
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert all(module.training for module in net.modules())


def test_apply_visits_children_first():
    order = []
    Net().apply(lambda module: order.append(type(module).__name__))
    assert order == ["Linear", "Linear", "ReLU", "Linear", "Sequential", "ModuleList", "BatchNorm1d", "Net"]


def test_requires_grad_and_zero_grad():
    net = Net()
    net(fg.testing.make_tensor(4, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_to_dtype_casts_floats_only_and_keeps_identity():
    net = Net()
    weight = net.first.weight
    assert net.to(fg.float64) is net
    assert net.first.weight is weight
    assert weight.dtype == fg.float64
    assert weight.requires_grad
    assert net.norm.running_mean.dtype == fg.float64
    assert net.norm.num_batches_tracked.dtype == fg.int64
    assert net(fg.testing.make_tensor(4, 3, dtype=fg.float64)).dtype == fg.float64


def test_hooks_see_and_replace_and_can_be_removed():
    layer = nn.Linear(2, 2)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    seen = []
    first = layer.register_forward_hook(lambda module, args, output: seen.append((args[0].shape, output.shape)))
    double = layer.register_forward_hook(lambda module, args, output: output * 2)
    add = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
    assert layer(fg.zeros((1, 2))).tolist() == [[2.0, 2.0]]
    assert seen == [((1, 2), (1, 2))]
    for handle in (first, double, add, add):
        handle.remove()
    assert layer(fg.zeros((1, 2))).tolist() == [[0.0, 0.0]]


def test_hooks_with_keywords_and_in_front():
    class Scale(nn.Module):
        def forward(self, x, *, by=1.0):
            return x * by

    layer, order = Scale(), []
    layer.register_forward_pre_hook(lambda module, args: order.append("second"))
    layer.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"by": kwargs["by"] + 1}), prepend=True, with_kwargs=True
    )
    layer.register_forward_hook(lambda module, args, kwargs, output: order.append(kwargs["by"]), with_kwargs=True)
    layer.register_forward_hook(lambda module, args, output: order.append("first"), prepend=True)
    assert layer(fg.ones(1), by=2.0).tolist() == [3.0]
    assert order == ["second", "first", 3.0]


def test_backward_hooks_see_the_gradients_on_both_sides():
    layer, seen = nn.Linear(3, 2), []
    layer.register_full_backward_hook(lambda module, inner, outer: seen.append((inner[0].tolist(), outer[0].tolist())))
    x = fg.ones((1, 3))
    x.requires_grad = True
    (layer(x) * fg.tensor([1.0, 2.0])).sum().backward()
    expected = (layer.weight.detach().numpy() * [[1.0], [2.0]]).sum(0)
    assert seen[0][1] == [[1.0, 2.0]]
    fg.testing.assert_close(fg.tensor(seen[0][0]), expected[None])
    fg.testing.assert_close(x.grad, expected[None])
    assert layer.bias.grad.tolist() == [1.0, 2.0]


def test_backward_hooks_replace_gradients():
    layer = nn.Linear(2, 2)
    handles = [
        layer.register_full_backward_pre_hook(lambda module, outer: (outer[0] * 10,)),
        layer.register_full_backward_hook(lambda module, inner, outer: (inner[0] * 0 + 7.0,)),
    ]
    x = fg.ones((1, 2))
    x.requires_grad = True
    layer(x).sum().backward()
    assert x.grad.tolist() == [[7.0, 7.0]]
    assert layer.bias.grad.tolist() == [10.0, 10.0]
    for handle in handles:
        handle.remove()
    x.grad = None
    layer(x).sum().backward()
    fg.testing.assert_close(x.grad, layer.weight.detach().numpy().sum(0, keepdims=True))


def test_backward_hooks_of_several_tensors_and_of_inputs_without_gradient():
    layer, seen = nn.MultiheadAttention(4, 2), []
    layer.register_full_backward_hook(lambda module, inner, outer: seen.append((inner, outer)))
    x, y = fg.rand((3, 1, 4)), fg.rand((2, 1, 4))
    y.requires_grad = True
    output, weights = layer(x, y, y)
    (output.sum() + weights.sum()).backward()
    ((inner, outer),) = seen
    assert [grad is None for grad in inner] == [True, False, False]
    assert [tuple(grad.shape) for grad in outer] == [(3, 1, 4), (1, 3, 2)]
    fg.testing.assert_close(y.grad, inner[1] + inner[2])
    output, _ = layer(x, x, x)
    output.sum().backward()
    assert seen[1][0] == (None, None, None)
    layer.register_full_backward_hook(lambda module, inner, outer: inner[:1])
    with pytest.raises(ValueError, match="MultiheadAttention: expected 3 gradients from a backward hook, got 1"):
        layer(x, x, x)[0].sum().backward()


def test_errors_carry_the_layers_path():
    net = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(4, 3), nn.Linear(7, 2)))
    with pytest.raises(fg.ShapeError, match=r"\[in layer 1\.1 \(Linear\) of Sequential\]$"):
        net(fg.zeros((2, 2, 2)))


def test_errors_of_other_kinds_pass_unchanged():
    class Failing(nn.Module):
        def forward(self):
            raise KeyError("x")

    with pytest.raises(KeyError, match=r"^'x'$"):
        Failing()()


def test_unknown_sizes_are_found_at_the_first_call():
    net = nn.Sequential(nn.Conv2d(None, 4, 3), nn.BatchNorm2d(), nn.Flatten(), nn.Linear(out_features=2))
    with pytest.raises(RuntimeError, match=r"'0\.weight' has no shape yet"):
        list(net.parameters())
    assert net(fg.testing.make_tensor(2, 3, 5, 5)).shape == (2, 2)
    assert (net[0].in_channels, net[1].num_features, net[3].in_features) == (3, 4, 36)
    assert len(list(net.parameters())) == 6


def test_unknown_sizes_are_found_in_a_checkpoint():
    unsized, sized = nn.Linear(out_features=2), nn.Linear(3, 2)
    unsized.load_state_dict(sized.state_dict())
    assert unsized.in_features == 3
    assert unsized.weight.tolist() == sized.weight.tolist()
    with pytest.raises(RuntimeError, match=r"weight: shape mismatch, expected \(2, None\), got \(5, 3\)"):
        nn.Linear(out_features=2).load_state_dict({"weight": fg.zeros((5, 3)), "bias": fg.zeros(2)})


def test_deepcopy_and_pickle_are_by_value():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert isinstance(other.first.weight, nn.Parameter)
        assert other.first.weight.tolist() == net.first.weight.tolist()
        assert other.first.weight.requires_grad
        nn.init.zeros_(other.first.weight)
        assert net.first.weight.tolist() != other.first.weight.tolist()


def test_repr_shows_the_tree():
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Dropout(0.25)))
    assert repr(net) == (
        "Sequential(\n"
        "  (0): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (1): Sequential(\n"
        "    (0): Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "    (1): Dropout(p=0.25)\n"
        "  )\n"
        ")"
    )


def test_deep_trees_need_no_recursion():
    root = module = nn.Module()
    for _ in range(20_000):
        module.child = nn.Module()
        module = module.child
    module.weight = nn.Parameter(fg.zeros(1))
    assert sum(1 for _ in root.modules()) == 20_001
    assert len(list(root.parameters())) == 1
    root.eval()
    assert not module.training
    assert repr(root).endswith("...")
    while hasattr(root, "child"):  # taken apart here: Python itself would free it by recursion
        root = root.child


def test_a_module_inside_itself_is_an_error():
    module = nn.Module()
    module.child = nn.Sequential(module)
    with pytest.raises(ValueError, match="contains itself"):
        module.state_dict()


def test_forward_must_be_defined():
    with pytest.raises(NotImplementedError, match="Module: the class defines no forward"):
        nn.Module()()


def test_conversions():
    net = Net().double()
    assert {p.dtype for p in net.parameters()} == {fg.float64}
    assert [getattr(net, name)().first.weight.dtype for name in ("half", "bfloat16", "float", "cpu")] == [
        fg.float16,
        fg.bfloat16,
        fg.float32,
        fg.float32,
    ]


def test_get_parameter_and_buffer():
    net = Net()
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_buffer("norm.running_mean") is net.norm.running_mean
    with pytest.raises(KeyError, match=r"has no parameter 'first\.slope'"):
        net.get_parameter("first.slope")
    with pytest.raises(KeyError, match="has no buffer"):
        net.get_buffer("norm.weight")


def test_get_submodule():
    net = Net()
    assert net.get_submodule("blocks.1.1") is net.blocks[1][1]
    assert net.get_submodule("") is net
    with pytest.raises(KeyError, match="has no layer 'nothing'"):
        net.get_submodule("blocks.nothing")


def test_torch_spellings_of_state_and_gradients():
    layer = nn.Linear(2, 1)
    assert list(layer.state_dict(prefix="head.")) == ["head.weight", "head.bias"]
    layer(fg.ones((1, 2))).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0.0, 0.0]]
    layer.zero_grad(set_to_none=True)
    assert layer.weight.grad is None
