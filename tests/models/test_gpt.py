"""GPT and the sampling that language models share."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.models import GPT, GPTConfig
from ferrograd.models.sampling import sample
from harness.learning import assert_learns


def small(**settings):
    return GPT(GPTConfig(**{"block_size": 12, "vocab_size": 17, "n_layer": 2, "n_head": 2, "n_embd": 16, **settings}))


def tokens(*shape):
    return fg.randint(0, 17, shape)


@pytest.mark.parametrize("bias", [True, False])
def test_gpt_learns(bias):
    model, text = small(bias=bias), tokens(4, 13)
    assert_learns(model, lambda: model.loss(text[:, :-1], text[:, 1:]))


def test_names_are_nanogpts():
    names = [name for name, _ in small(n_layer=1).named_parameters()]
    block = ["ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"]
    inside = [f"transformer.h.0.{layer}.{part}" for layer in block for part in ("weight", "bias")]
    ends = ["transformer.ln_f.weight", "transformer.ln_f.bias"]
    assert names == ["transformer.wte.weight", "transformer.wpe.weight", *inside, *ends]


def test_head_is_tied_and_stays_so():
    model = small()
    model.load_state_dict(small().state_dict())
    assert model.lm_head.weight is model.transformer.wte.weight


def test_positions_see_nothing_later():
    model, text = small(), tokens(1, 10)
    changed = fg.concat([text[:, :6], (text[:, 6:] + 1) % 17], axis=1)
    before, after = model(text), model(changed)
    assert np.array_equal(before[:, :6].numpy(), after[:, :6].numpy())
    assert not np.allclose(before[:, 6:].numpy(), after[:, 6:].numpy())


def test_decay_is_for_matrices_only():
    groups = small().configure_optimizers(0.1, 1e-3, (0.9, 0.99)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert [{p.ndim for p in group["params"]} for group in groups] == [{2}, {1}]


def test_generate_continues_past_the_block():
    model, start = small(), tokens(2, 3)
    text = model.generate(start, 15, top_k=5, generator=fg.Generator(1))
    assert text.shape == (2, 18)
    assert np.array_equal(text[:, :3].numpy(), start.numpy())
    assert text.tolist() == model.generate(start, 15, top_k=5, generator=fg.Generator(1)).tolist()
    assert text.tolist() != model.generate(start, 15, top_k=5, generator=fg.Generator(2)).tolist()
    greedy = model.generate(start, 4, temperature=0.0)
    assert greedy[:, 3].tolist() == fg.argmax(model(start)[:, -1], axis=-1).tolist()


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="n_head must divide n_embd 16, got 3"):
        small(n_head=3)
    with pytest.raises(ValueError, match="at most block_size 12 tokens, got 13"):
        small()(tokens(1, 13))


def test_sample_follows_the_softmax():
    logits = fg.tensor([0.0, 1.0, 2.0, -1.0])
    drawn = sample(fg.broadcast_to(logits, (20_000, 4)), temperature=0.5, generator=fg.Generator(3)).numpy()
    expected = np.exp(2 * logits.numpy())
    expected /= expected.sum()
    assert np.allclose(np.bincount(drawn, minlength=4) / 20_000, expected, atol=0.015)


def test_sample_keeps_the_top_k():
    logits = fg.broadcast_to(fg.tensor([0.0, 3.0, 2.9, -1.0]), (500, 4))
    assert set(sample(logits, temperature=5.0, top_k=2, generator=fg.Generator(0)).tolist()) == {1, 2}
    assert set(sample(logits, temperature=0).tolist()) == {1}


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"temperature": float("nan")}, {"top_k": 0}])
def test_sample_rejects_settings_without_sense(wrong):
    with pytest.raises(ValueError, match=f"sample: {next(iter(wrong))}"):
        sample(fg.zeros((1, 3)), **wrong)
