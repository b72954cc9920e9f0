"""The sequence-to-sequence Transformer."""

import numpy as np

import ferrograd as fg
from ferrograd.models import Seq2SeqTransformer
from harness.learning import assert_learns


def small():
    return Seq2SeqTransformer(11, 9, d_model=16, nhead=2, dim_feedforward=32, dropout=0.0)


def pair():
    return fg.randint(1, 11, (4, 6)), fg.randint(1, 9, (4, 5))


def test_seq2seq_learns():
    model, (src, tgt) = small(), pair()
    assert_learns(model, lambda: model.loss(src, tgt))


def test_padding_changes_nothing():
    model, (src, tgt) = small(), pair()
    longer = fg.pad(src, (0, 3))
    assert np.allclose(model(src, tgt).numpy(), model(longer, tgt).numpy(), atol=1e-5)
    assert np.isclose(model.loss(src, tgt).item(), model.loss(longer, fg.pad(tgt, (0, 2))).item(), atol=1e-5)


def test_the_decoder_sees_nothing_later():
    model, (src, tgt) = small(), pair()
    changed = fg.concat([tgt[:, :3], tgt[:, 3:] % 8 + 1], axis=1)
    before, after = model(src, tgt).numpy(), model(src, changed).numpy()
    assert np.allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_translate_learns_to_copy_and_to_stop():
    model = Seq2SeqTransformer(8, 8, d_model=32, nhead=2, dim_feedforward=64, dropout=0.0)
    src = fg.tensor([[2, 5, 3, 0], [6, 4, 2, 7]])
    tgt = fg.tensor([[1, 2, 5, 3, 1, 0], [1, 6, 4, 2, 7, 1]])
    optimizer = fg.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(src, tgt).backward()
        optimizer.step()
    assert model.translate(src, start=1, end=1).tolist() == [[2, 5, 3, 1, 0], [6, 4, 2, 7, 1]]
    assert model.translate(src, start=1, end=1, max_new_tokens=2).shape == (2, 2)
