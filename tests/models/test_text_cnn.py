"""TextCNN."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.models import TextCNN
from ferrograd.nn import functional as F
from harness.learning import assert_learns


def small(**settings):
    return TextCNN(20, 3, **{"embedding_dim": 8, "num_filters": 6, "dropout": 0.0, **settings})


def test_text_cnn_learns():
    model, texts = small(), fg.randint(0, 20, (8, 9))
    classes = fg.randint(0, 3, (8,))
    assert_learns(model, lambda: F.cross_entropy(model(texts), classes))


@pytest.mark.parametrize("length", [1, 2, 6])
def test_texts_may_be_shorter_than_a_filter(length):
    assert small()(fg.ones((2, length), dtype=fg.int64)).shape == (2, 3)


def test_more_padding_changes_nothing():
    model = small()
    text = fg.randint(1, 20, (1, 5))
    longer = fg.pad(text, (0, 10))
    shorter = fg.pad(text, (0, 5))
    assert np.allclose(model(longer).numpy(), model(shorter).numpy(), atol=1e-6)


def test_a_known_ngram_is_found_wherever_it_stands():
    model = small(kernel_sizes=(2,))
    text = fg.tensor([[0, 0, 5, 7, 0, 0, 0, 0]])
    assert np.allclose(model(text).numpy(), model(fg.roll(text, 3, axis=1)).numpy(), atol=1e-6)
