"""Drawing the next token from logits."""

from __future__ import annotations

import ferrograd as fg
from ferrograd._core import Generator, Tensor


def sample(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, generator: Generator | None = None
) -> Tensor:
    """One index per row, drawn with the probabilities softmax(logits / temperature).

    Args:
        logits: (*, C).
        temperature: below 1 sharpens the distribution; 0 takes the largest logit.
        top_k: only the k largest logits can be drawn; None allows all.
        generator: source of the random numbers; None uses the global one.

    Returns int64 (*). Raises ValueError for a negative temperature or top_k below 1.

    >>> import ferrograd as fg
    >>> sample(fg.tensor([[0.0, 2.0, 1.0]]), temperature=0).tolist()
    [1]
    """
    if not temperature >= 0.0:
        raise ValueError(f"sample: temperature must not be negative, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"sample: top_k must be at least 1, got {top_k}")
    if temperature == 0.0:
        return fg.argmax(logits, axis=-1)
    logits = logits / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        values, _ = fg.topk(logits, top_k, axis=-1)
        logits = fg.masked_fill(logits, logits < values[..., -1:], float("-inf"))
    # The largest of logits with Gumbel noise is a draw from their softmax (Gumbel 1954).
    uniform = fg.rand(logits.shape, dtype=logits.dtype, device=logits.device, generator=generator)
    return fg.argmax(logits - fg.log(-fg.log(uniform)), axis=-1)
