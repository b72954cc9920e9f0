"""The Lazy names are the layers themselves, with the input's size found at the first call."""

import copy
import pickle

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn

IMAGE = {1: (2, 4, 6), 2: (2, 4, 6, 5), 3: (2, 4, 4, 4, 4)}
ROWS = {"Linear": ((3,), (2, 4))}
for n, shape in IMAGE.items():
    ROWS |= {f"{kind}{n}d": ((3, 2), shape) for kind in ("Conv", "ConvTranspose")}
    ROWS |= {f"{kind}{n}d": ((), shape) for kind in ("BatchNorm", "InstanceNorm")}


def test_every_name_is_tried():
    assert {f"Lazy{name}" for name in ROWS} == {name for name in nn.__all__ if name.startswith("Lazy")}


@pytest.mark.parametrize("name", ROWS)
def test_lazy_layer_is_its_twin(name):
    arguments, shape = ROWS[name]
    settings = {"affine": True} if "Instance" in name else {}
    x = fg.testing.make_tensor(*shape, seed=1)
    lazy = getattr(nn, f"Lazy{name}")(*arguments, **settings)
    assert isinstance(lazy, getattr(nn, name))
    with pytest.raises(RuntimeError, match="call the model once"):
        list(lazy.parameters())
    fg.manual_seed(0)
    expected = getattr(nn, name)(4, *arguments, **settings)(x).detach().numpy()
    for layer in (copy.deepcopy(lazy), pickle.loads(pickle.dumps(lazy)), lazy):
        fg.manual_seed(0)
        np.testing.assert_array_equal(layer(x).detach().numpy(), expected)
        assert repr(layer).startswith(f"Lazy{name}(")


def test_a_checkpoint_gives_the_sizes():
    trained, lazy = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), nn.Sequential(nn.LazyLinear(3), nn.LazyLinear(2))
    lazy.load_state_dict(trained.state_dict())
    x = fg.testing.make_tensor(5, 4)
    np.testing.assert_array_equal(lazy(x).detach().numpy(), trained(x).detach().numpy())
