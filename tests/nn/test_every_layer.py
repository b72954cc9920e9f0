"""Every public layer: gradients reach inputs and parameters, and copies, pickles and loaded states are its equals."""

import copy
import pickle
import re

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import nn
from harness.layers import check_gradients, check_round_trip, data

F64 = {"dtype": fg.float64}
INDEX = fg.tensor([[0, 2, 1], [4, 4, 3]])
FLAT, OTHER, IMAGE, LONG, SHORT = data(4, 6), data(4, 6, seed=1), data(2, 4, 6, 6), data(4, 2, 6), data(3, 2, 6)
SHAPES = {1: (2, 4, 6), 2: (2, 4, 6, 4), 3: (1, 4, 4, 4, 4)}
# Losses, recurrent and lazy layers have their own tables; these have no forward or no fixed one.
ELSEWHERE = re.compile(r".*Loss|Lazy.*|.*(RNN|LSTM|GRU).*|Module(List|Dict)?|Parameter(List|Dict)?")

# Name -> (what it is made with, what it is called with).
ROWS = {
    name: ((), {}, (FLAT,))
    for name in (
        *("ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid", "Tanh"),
        *("Tanhshrink", "Softplus", "Softsign", "Softshrink", "Hardshrink", "Hardtanh", "Hardsigmoid", "Hardswish"),
        *("RReLU", "GLU", "Softmax", "Softmin", "LogSoftmax", "Identity", "Dropout", "AlphaDropout", "Flatten"),
    )
}
for n, shape in SHAPES.items():
    x = data(*shape)
    ROWS |= {f"{name}{n}d": ((4, 6, 3), {"padding": 1, "groups": 2, **F64}, (x,)) for name in ("Conv", "ConvTranspose")}
    ROWS |= {f"{name}{n}d": ((4,), {"affine": True, **F64}, (x,)) for name in ("BatchNorm", "InstanceNorm")}
    for name in ("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool"):
        ROWS[f"{name}{n}d"] = ((2,), {}, (x,))
    for name in ("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"):
        ROWS[f"{name}{n}d"] = ((1,), {}, (x,))
    ROWS |= {f"{name}{n}d": ((), {}, (x,)) for name in ("Dropout", "GlobalAvgPool", "GlobalMaxPool")}
    ROWS[f"ConstantPad{n}d"] = ((1, 0.5), {}, (x,))
    ROWS[f"LPPool{n}d"] = ((2, 2), {}, (x,))
    ROWS[f"MaxUnpool{n}d"] = ((2,), {}, getattr(nn, f"MaxPool{n}d")(2, return_indices=True)(x))
ROWS |= {
    "Linear": ((6, 3), F64, (FLAT,)),
    "Bilinear": ((6, 6, 3), F64, (FLAT, OTHER)),
    "Sequential": ((nn.Linear(6, 3, **F64), nn.Tanh(), nn.Linear(3, 2, **F64)), {}, (FLAT,)),
    "DepthwiseConv2d": ((4, 3), F64, (IMAGE,)),
    "SeparableConv2d": ((4, 2, 3), F64, (IMAGE,)),
    "LayerNorm": ((6,), F64, (FLAT,)),
    "RMSNorm": ((6,), F64, (FLAT,)),
    "GroupNorm": ((2, 4), F64, (IMAGE,)),
    "LocalResponseNorm": ((3,), {}, (IMAGE,)),
    "PReLU": ((6,), F64, (FLAT,)),
    "Threshold": ((0.2, -1.0), {}, (FLAT,)),
    "Softmax2d": ((), {}, (IMAGE,)),
    "FeatureAlphaDropout": ((), {}, (IMAGE,)),
    "Unflatten": ((1, (2, 3)), {}, (FLAT,)),
    "Unfold": ((2,), {}, (IMAGE,)),
    "Fold": (((3, 3), 2), {}, (data(2, 4, 4),)),
    "PixelShuffle": ((2,), {}, (IMAGE,)),
    "PixelUnshuffle": ((2,), {}, (IMAGE,)),
    "ChannelShuffle": ((2,), {}, (IMAGE,)),
    "Upsample": ((), {"scale_factor": 2, "mode": "bicubic"}, (IMAGE,)),
    "UpsamplingNearest2d": ((), {"scale_factor": 2}, (IMAGE,)),
    "UpsamplingBilinear2d": ((), {"scale_factor": 2}, (IMAGE,)),
    "CosineSimilarity": ((), {}, (FLAT, OTHER)),
    "PairwiseDistance": ((), {}, (FLAT, OTHER)),
    "Embedding": ((5, 3), F64, (INDEX,)),
    "EmbeddingBag": ((5, 3), F64, (INDEX,)),
    "SinusoidalPositionalEncoding": ((6,), F64, (LONG,)),
    "LearnedPositionalEncoding": ((6, 9), F64, (LONG,)),
    "RotaryEmbedding": ((6,), {}, (LONG,)),
    "MultiheadAttention": ((6, 2), F64, (SHORT, LONG, LONG)),
    "TransformerEncoderLayer": ((6, 2, 8), F64, (LONG,)),
    "TransformerDecoderLayer": ((6, 2, 8), F64, (SHORT, LONG)),
    "TransformerEncoder": ((nn.TransformerEncoderLayer(6, 2, 8, **F64), 2), {}, (LONG,)),
    "TransformerDecoder": ((nn.TransformerDecoderLayer(6, 2, 8, **F64), 2), {}, (SHORT, LONG)),
    "Transformer": ((6, 2, 1, 1, 8), F64, (LONG, SHORT)),
}


def make(name):
    """The layer in eval mode: dropout and random slopes would be others at each call."""
    arguments, settings, _ = ROWS[name]
    return getattr(nn, name)(*copy.deepcopy(arguments), **settings).eval()


def first(output):
    return output[0] if isinstance(output, tuple) else output


def test_every_layer_has_a_row():
    public = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    assert {name for name in public if not ELSEWHERE.fullmatch(name)} == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_gradients(name):
    layer, inputs = make(name), ROWS[name][2]
    if list(layer.parameters()):
        check_gradients(layer, lambda: first(layer(*inputs)))
    # The first input as if it were a parameter, where it is no index.
    if inputs[0].dtype == fg.float64:
        given = nn.ParameterList([inputs[0]])
        check_gradients(given, lambda: first(layer(given[0], *inputs[1:])))


@pytest.mark.parametrize("name", ROWS)
def test_copies_and_states(name):
    layer, inputs = make(name), ROWS[name][2]
    check_round_trip(layer, lambda made: first(made(*inputs)), lambda: make(name))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(first(other(*inputs)).detach().numpy(), first(layer(*inputs)).detach().numpy())
    assert repr(layer).startswith(f"{name}(")
