"""Perplexity, BLEU and ROUGE."""

import itertools
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import ferrograd as fg
from ferrograd import metrics

RNG = np.random.default_rng(0)


def test_perplexity_is_the_mean_over_tokens():
    logits, tokens = RNG.normal(size=(6, 5, 7)), RNG.integers(0, 7, (6, 5))
    tokens[0, 1:] = tokens[4] = -100
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    picked = np.take_along_axis(log_p, np.maximum(tokens, 0)[..., None], -1)[..., 0]
    expected = np.exp(-picked[tokens >= 0].mean())
    for cuts in ((), (1, 4), range(1, 6)):
        metric = metrics.Perplexity()
        for x, y in zip(np.split(logits, cuts), np.split(tokens, cuts), strict=True):
            metric.update(fg.asarray(x), fg.asarray(y))
        assert metric.compute() == pytest.approx(expected, rel=1e-10)
    metric = metrics.Perplexity(axis=1)
    metric.update(fg.asarray(np.moveaxis(logits, -1, 1)), fg.asarray(tokens))
    assert metric.compute() == pytest.approx(expected, rel=1e-10)
    metric.reset()
    assert np.isnan(metric.compute())
    metric.update(fg.tensor([[0.0, -1e4]]), fg.tensor([1]))
    assert metric.compute() == float("inf")


FOUND = ["the cat sat on the mat", "a dog barks", "hello there world"]
GIVEN = [["the cat is on the mat", "there is a cat on the mat"], "the dog barks loudly", ["hello world"]]


def compute(metric, cuts=()):
    ends = [0, *cuts, len(FOUND)]
    for start, end in itertools.pairwise(ends):
        metric.update(FOUND[start:end], GIVEN[start:end])
    return metric.compute()


def test_bleu_is_sacrebleus():
    sacrebleu = pytest.importorskip("sacrebleu", reason="needs the extra 'metrics'")
    streams = [
        ["the cat is on the mat", "the dog barks loudly", "hello world"],
        ["there is a cat on the mat", None, None],
    ]
    expected = sacrebleu.corpus_bleu(FOUND, streams).score
    for cuts in ((), (1,), (1, 2)):
        assert compute(metrics.BLEU(), cuts) == expected
    assert metrics.BLEU().name == "bleu"


def test_rouge_is_rouge_scores():
    scorer = pytest.importorskip("rouge_score.rouge_scorer", reason="needs the extra 'metrics'")
    reference = scorer.RougeScorer(["rouge1"])
    best = [
        max(
            reference.score(given, found)["rouge1"].fmeasure for given in ([given] if isinstance(given, str) else given)
        )
        for found, given in zip(FOUND, GIVEN, strict=True)
    ]
    for cuts in ((), (1,), (1, 2)):
        assert compute(metrics.ROUGE("rouge1"), cuts) == pytest.approx(np.mean(best), rel=1e-12)
    assert metrics.ROUGE("rougeL").name == "rougel"


class Joined:
    """Stands for sacrebleu.BLEU: scores by how many streams and sentences it is given."""

    def __init__(self, **settings):
        self.settings = settings

    def corpus_score(self, sentences, streams):
        assert all(len(stream) == len(sentences) for stream in streams)
        return SimpleNamespace(score=100.0 * len(streams) + len(sentences))


def test_bleu_hands_over_all_sentences_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", SimpleNamespace(BLEU=Joined))
    assert compute(metrics.BLEU(lowercase=True), (1,)) == 203.0
    assert np.isnan(metrics.BLEU().compute())


@pytest.mark.parametrize(
    "kind, module, package",
    [(metrics.BLEU, "sacrebleu", "sacrebleu"), (metrics.ROUGE, "rouge_score.rouge_scorer", "rouge-score")],
)
def test_missing_library_is_named(monkeypatch, kind, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"{package}, install it with: pip install 'ferrograd\[metrics\]'"):
        kind()


def test_sentences_and_references_must_pair_up(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", SimpleNamespace(BLEU=Joined))
    for output, target in ((["a"], []), ("abc", "abc"), (["a", "b"], "ab")):
        with pytest.raises(ValueError, match="BLEU: expected a list of sentences"):
            metrics.BLEU().update(output, target)
    with pytest.raises(ValueError, match="at least one reference"):
        metrics.BLEU().update(["a"], [[]])
