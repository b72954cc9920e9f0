"""Parameter groups made for a model."""

import pytest

import ferrograd as fg
from ferrograd import nn
from ferrograd.optim import AdamW, param_groups


class Net(nn.Module):
    def __init__(self):
        self.embedding = nn.Embedding(5, 4)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)) for _ in range(3)])
        self.head = nn.Linear(4, 2)


def names(model, group):
    of = {id(p): name for name, p in model.named_parameters()}
    return {of[id(p)] for p in group["params"]}


def test_biases_and_norms_are_not_decayed():
    model = Net()
    decayed, spared = param_groups(model, weight_decay=0.1, no_decay=["embedding.*"])[::-1]
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert names(model, decayed) == {"head.weight", *(f"blocks.{i}.0.weight" for i in range(3))}
    assert "embedding.weight" in names(model, spared)
    assert "lr" not in decayed


def test_rates_fall_with_depth():
    model = Net()
    groups = param_groups(model, lr=1.0, layer_decay=0.5)
    rates = {name: group["lr"] for group in groups for name in names(model, group)}
    assert rates["head.weight"] == rates["head.bias"] == 1.0
    assert [rates[f"blocks.{i}.0.weight"] for i in range(3)] == [0.125, 0.25, 0.5]
    assert rates["embedding.weight"] == 0.0625
    optimizer = AdamW(groups, lr=1.0)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(model.parameters()))


def test_layers_may_be_named():
    model = Net()
    groups = param_groups(model, lr=1.0, layer_decay=0.1, layer_of=lambda name: int(name.startswith("head")))
    assert {group["lr"] for group in groups} == {1.0, 0.1}


def test_frozen_parameters_are_left_out():
    model = Net()
    model.embedding.requires_grad_(False)
    assert all("embedding.weight" not in names(model, group) for group in param_groups(model))


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match="pass lr"):
        param_groups(Net(), layer_decay=0.5)
    with pytest.raises(ValueError, match="no parameters"):
        param_groups(nn.ReLU())
    assert fg.optim.param_groups is param_groups
