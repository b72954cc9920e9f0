"""Metrics of text."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any

from ferrograd import _core
from ferrograd._core import Tensor
from ferrograd.metrics.base import Metric


class Perplexity(Metric):
    """exp of the mean negative log-likelihood of the target tokens.

    Args:
        ignore_index: targets of this value (padding) count for nothing.
        axis: of the vocabulary: -1 for logits (N, T, V), 1 for (N, V, T).

    Logits and targets (N, T); the mean is over all tokens, not over batches.

    >>> import ferrograd as fg
    >>> perplexity = fg.metrics.Perplexity()
    >>> perplexity.update(fg.zeros((1, 3, 8)), fg.tensor([[0, 5, 7]]))
    >>> round(perplexity.compute(), 4)
    8.0
    """

    name = "perplexity"

    def __init__(self, ignore_index: int = -100, axis: int = -1) -> None:
        self.ignore_index, self.axis = ignore_index, axis
        self.reset()

    def reset(self) -> None:
        self._total, self._tokens = 0.0, 0

    def update(self, output: Tensor, target: Tensor) -> None:
        logits = _core.moveaxis(output.detach(), self.axis, -1)
        tokens = target.reshape((-1,))
        losses = _core.cross_entropy(
            logits.reshape((-1, logits.shape[-1])), tokens, ignore_index=self.ignore_index, reduction="none"
        )
        self._total += float(losses.sum(dtype=_core.float64))
        self._tokens += int(_core.count_nonzero(tokens != self.ignore_index))

    def compute(self) -> float:
        if not self._tokens:
            return float("nan")
        mean = self._total / self._tokens
        return math.exp(mean) if mean < 700 else float("inf")


class BLEU(Metric):
    """Corpus BLEU from 0 to 100, as sacrebleu computes it (Papineni et al. 2002; Post 2018).

    Args:
        lowercase: whether case is ignored.
        tokenize: sacrebleu's tokenizer, by default "13a".

    `update(output, target)` takes a list of sentences and, for each, a reference or a list of references. Needs
    sacrebleu; raises ImportError that says how to install it.
    """

    name = "bleu"

    def __init__(self, lowercase: bool = False, tokenize: str | None = None) -> None:
        self._metric = _extra("BLEU", "sacrebleu").BLEU(lowercase=lowercase, tokenize=tokenize)
        self.reset()

    def reset(self) -> None:
        self._sentences: list[str] = []
        self._references: list[list[str]] = []

    def update(self, output: Sequence[str], target: Sequence[str | Sequence[str]]) -> None:
        pairs = _sentences("BLEU", output, target)
        self._sentences += [sentence for sentence, _ in pairs]
        self._references += [references for _, references in pairs]

    def compute(self) -> float:
        if not self._sentences:
            return float("nan")
        most = max(map(len, self._references))
        # sacrebleu takes one stream per reference, with None where a sentence has fewer.
        streams = [[one[i] if i < len(one) else None for one in self._references] for i in range(most)]
        return float(self._metric.corpus_score(self._sentences, streams).score)


class ROUGE(Metric):
    """Mean ROUGE F1 from 0 to 1 over the sentences, as rouge-score computes it (Lin 2004).

    Args:
        kind: "rouge1", "rouge2", ... for n-grams, "rougeL" for the longest common subsequence, "rougeLsum" by lines.
        use_stemmer: whether English endings are cut off first.

    `update(output, target)` as in `BLEU`; of several references the best counts. Needs rouge-score; raises ImportError
    that says how to install it.
    """

    def __init__(self, kind: str = "rougeL", use_stemmer: bool = False) -> None:
        scorer = _extra("ROUGE", "rouge_score.rouge_scorer").RougeScorer
        self.kind, self.name = kind, kind.lower()
        self._scorer = scorer([kind], use_stemmer=use_stemmer)
        self.reset()

    def reset(self) -> None:
        self._total, self._count = 0.0, 0

    def update(self, output: Sequence[str], target: Sequence[str | Sequence[str]]) -> None:
        for sentence, references in _sentences("ROUGE", output, target):
            scores = [self._scorer.score(reference, sentence)[self.kind].fmeasure for reference in references]
            self._total += max(scores)
            self._count += 1

    def compute(self) -> float:
        return self._total / self._count if self._count else float("nan")


def _sentences(
    metric: str, output: Sequence[str], target: Sequence[str | Sequence[str]]
) -> list[tuple[str, list[str]]]:
    """Each sentence with its references."""
    if isinstance(output, str) or isinstance(target, str) or len(output) != len(target):
        raise ValueError(f"{metric}: expected a list of sentences and as many references, got {output!r}, {target!r}")
    pairs = [(o, [t] if isinstance(t, str) else list(t)) for o, t in zip(output, target, strict=True)]
    if not all(references for _, references in pairs):
        raise ValueError(f"{metric}: expected at least one reference per sentence, got none for one of them")
    return pairs


def _extra(metric: str, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise ImportError(
            f"ferrograd.metrics.{metric} needs {package}, install it with: pip install 'ferrograd[metrics]'"
        ) from error
