"""Char-LSTM, the recurrent text classifiers and Deep Speech."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.models import CharLSTM, DeepSpeech, GRUClassifier, LSTMClassifier
from ferrograd.models.deepspeech import greedy_decode
from ferrograd.nn import functional as F
from harness.learning import assert_learns


def test_char_lstm_learns():
    model, text = CharLSTM(17, embedding_dim=8, hidden_size=12), fg.randint(0, 17, (4, 9))
    assert_learns(model, lambda: model.loss(text[:, :-1], text[:, 1:]), steps=20)


def test_char_lstm_goes_on_from_its_state():
    model, text = CharLSTM(17, embedding_dim=8, hidden_size=12), fg.randint(0, 17, (2, 9))
    whole, _ = model(text)
    first, state = model(text[:, :4])
    second, _ = model(text[:, 4:], state)
    assert np.allclose(whole.numpy(), fg.concat([first, second], axis=1).numpy(), atol=1e-6)


def test_char_lstm_generates():
    model, start = CharLSTM(17, embedding_dim=8, hidden_size=12), fg.randint(0, 17, (2, 3))
    text = model.generate(start, 4, temperature=0.0)
    assert text.shape == (2, 7)
    for step in range(3, 7):
        assert text[:, step].tolist() == fg.argmax(model(text[:, :step])[0][:, -1], axis=-1).tolist()
    assert model.generate(start, 0).tolist() == start.tolist()


@pytest.mark.parametrize("model_of", [LSTMClassifier, GRUClassifier])
def test_classifier_learns(model_of):
    model = model_of(20, 3, embedding_dim=8, hidden_size=8, num_layers=2, dropout=0.0)
    texts, classes = fg.randint(1, 20, (8, 6)), fg.arange(8) % 3
    assert_learns(model, lambda: F.cross_entropy(model(texts), classes), steps=20)


@pytest.mark.parametrize("model_of", [LSTMClassifier, GRUClassifier])
def test_classifier_never_reads_padding(model_of):
    model = model_of(20, 3, embedding_dim=8, hidden_size=8).eval()
    short = fg.tensor([[3, 7, 2]])
    padded = fg.tensor([[3, 7, 2, 0, 0, 0], [5, 4, 9, 1, 2, 8]])
    assert np.allclose(model(padded)[:1].numpy(), model(short).numpy(), atol=1e-6)


def speech():
    return DeepSpeech(num_features=12, num_classes=4, channels=3, hidden_size=8, num_layers=1)


def test_deepspeech_learns():
    model, lengths = speech(), fg.tensor([20, 17, 13])
    sounds, labels = fg.rand((3, 12, 20)), fg.tensor([[1, 2, 3], [3, 3, 0], [2, 0, 0]])
    assert_learns(model, lambda: model.loss(sounds, lengths, labels, fg.tensor([3, 2, 1])))


def test_deepspeech_halves_time():
    log_probs, lengths = speech()(fg.rand((2, 12, 19)), fg.tensor([19, 6]))
    assert log_probs.shape == (10, 2, 4)
    assert lengths.tolist() == [10, 3]
    assert np.allclose(np.exp(log_probs.numpy()).sum(axis=-1), 1.0, atol=1e-5)


def test_greedy_decoding_merges_then_drops_blanks():
    paths = [[0, 1, 1, 0, 1, 2, 2], [3, 0, 0, 3, 3, 1, 1]]
    log_probs = fg.one_hot(fg.tensor(paths).T, 4).astype(fg.float32)
    assert greedy_decode(log_probs, fg.tensor([7, 5])) == [[1, 1, 2], [3, 3]]
    assert greedy_decode(log_probs, fg.tensor([0, 1]), blank=3) == [[], []]


def test_deepspeech_transcribes_what_it_was_taught():
    model, lengths = speech(), fg.tensor([24, 24])
    sounds = fg.rand((2, 12, 24))
    labels, counts = fg.tensor([[1, 2, 1], [3, 2, 0]]), fg.tensor([3, 2])
    optimizer = fg.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        model.loss(sounds, lengths, labels, counts).backward()
        optimizer.step()
    assert model.transcribe(sounds, lengths) == [[1, 2, 1], [3, 2]]
