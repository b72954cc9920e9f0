"""WaveNet and its mu-law code."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.models import WaveNet
from ferrograd.models.wavenet import mu_law_decode, mu_law_encode
from harness.learning import assert_learns


def small():
    return WaveNet(classes=16, channels=6, skip_channels=8, layers=3, stacks=2)


def test_wavenet_learns():
    model, audio = small(), fg.randint(0, 16, (3, 24))
    assert_learns(model, lambda: model.loss(audio))


def test_a_sample_sees_its_receptive_field_and_no_more():
    model, audio = small(), fg.randint(0, 16, (1, 30))
    assert model.receptive_field == 15
    before = model(audio)
    for changed in (3, 17):
        other = fg.concat(
            [audio[:, :changed], (audio[:, changed : changed + 1] + 1) % 16, audio[:, changed + 1 :]], axis=1
        )
        differs = (before != model(other)).numpy().any(axis=(0, 1)).nonzero()[0]
        assert differs.min() == changed
        assert differs.max() == min(changed + model.receptive_field - 1, 29)


def test_generate_needs_only_the_receptive_field():
    model, audio = small(), fg.randint(0, 16, (2, 20))
    longer = model.generate(audio, 6, temperature=0.0)
    assert longer.shape == (2, 26)
    for step in range(20, 26):
        assert longer[:, step].tolist() == fg.argmax(model(longer[:, :step])[:, :, -1], axis=-1).tolist()


@pytest.mark.parametrize("classes", [16, 256])
def test_mu_law_is_inverted_up_to_a_step(classes):
    codes = fg.arange(classes)
    assert mu_law_encode(mu_law_decode(codes, classes), classes).tolist() == codes.tolist()
    x = fg.linspace(-1, 1, 101)
    error = np.abs(mu_law_decode(mu_law_encode(x)).numpy() - x.numpy())
    assert error.max() < 0.025
    assert error[45:56].max() < 0.002
    assert mu_law_encode(fg.tensor([-7.0, 7.0]), classes).tolist() == [0, classes - 1]
