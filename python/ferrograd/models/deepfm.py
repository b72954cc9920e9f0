"""DeepFM: a factorisation machine and a deep network over the same embeddings (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor


class DeepFM(nn.Module):
    """Predicts clicks from categorical fields, with all pairs of fields interacting.

    Args:
        field_sizes: how many values each field can have.
        embedding_dim: length of the vector of a value.
        hidden_sizes: widths of the deep network.
        dropout: in the deep network.

    Maps values (N, fields), counted from 0 in each field, to logits (N,):
    b + sum w_i + sum over pairs <v_i, v_j> + deep(v). Raises IndexError for a value outside its field.

    >>> import ferrograd as fg
    >>> model = fg.models.DeepFM(field_sizes=[10, 5, 3])
    >>> model(fg.tensor([[9, 4, 2], [0, 0, 0]])).shape
    (2,)
    """

    offsets: Tensor
    sizes: Tensor

    def __init__(
        self,
        field_sizes: Sequence[int],
        embedding_dim: int = 8,
        hidden_sizes: Sequence[int] = (64, 32),
        dropout: float = 0.0,
    ) -> None:
        self.field_sizes = tuple(field_sizes)
        starts = [sum(self.field_sizes[:field]) for field in range(len(self.field_sizes))]
        self.register_buffer("offsets", fg.tensor(starts), persistent=False)
        self.register_buffer("sizes", fg.tensor(self.field_sizes), persistent=False)
        self.linear = nn.Embedding(sum(self.field_sizes), 1)
        self.embedding = nn.Embedding(sum(self.field_sizes), embedding_dim)
        nn.init.zeros_(self.linear.weight)
        nn.init.normal_(self.embedding.weight, std=0.01)
        layers: list[nn.Module] = []
        width = len(self.field_sizes) * embedding_dim
        for following in hidden_sizes:
            layers += [nn.Linear(width, following), nn.ReLU(), nn.Dropout(dropout)]
            width = following
        self.deep = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, values: Tensor) -> Tensor:
        # In the joint table a value too large would silently be another field's.
        if bool(fg.any((values < 0) | (values >= self.sizes))):
            raise IndexError(f"DeepFM: a value is outside its field, expected values below {self.field_sizes}")
        ids = values + self.offsets
        first_order = self.linear(ids)[..., 0].sum(axis=1)
        v = self.embedding(ids)  # (N, fields, embedding_dim)
        # All pairs at once: (sum v)^2 holds every product twice and the squares besides (Rendle 2010).
        second_order = 0.5 * (fg.square(v.sum(axis=1)) - fg.square(v).sum(axis=1)).sum(axis=1)
        return first_order + second_order + self.deep(v.flatten(1))[:, 0]
