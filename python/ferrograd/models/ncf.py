"""NCF: neural collaborative filtering, the fused model NeuMF (He et al. 2017)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor


class NCF(nn.Module):
    """How much a user likes an item: a generalised matrix factorisation and an MLP, joined in the last layer.

    Args:
        num_users, num_items: sizes of the two tables.
        num_factors: length of the vectors whose product is taken.
        layer_sizes: widths of the MLP; the first is that of a user's and an item's vector together.
        dropout: in the MLP.

    Maps users (N,) and items (N,) to logits (N,); train them with `F.binary_cross_entropy_with_logits`.
    Raises ValueError for an odd first layer.

    >>> import ferrograd as fg
    >>> model = fg.models.NCF(num_users=5, num_items=7)
    >>> model(fg.tensor([0, 4]), fg.tensor([6, 1])).shape
    (2,)
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        num_factors: int = 8,
        layer_sizes: Sequence[int] = (32, 16, 8),
        dropout: float = 0.0,
    ) -> None:
        if layer_sizes[0] % 2:
            raise ValueError(f"NCF: the first of layer_sizes must be even, got {tuple(layer_sizes)}")
        self.gmf_user = nn.Embedding(num_users, num_factors)
        self.gmf_item = nn.Embedding(num_items, num_factors)
        self.mlp_user = nn.Embedding(num_users, layer_sizes[0] // 2)
        self.mlp_item = nn.Embedding(num_items, layer_sizes[0] // 2)
        layers: list[nn.Module] = []
        for width, following in itertools.pairwise(layer_sizes):
            layers += [nn.Linear(width, following), nn.ReLU(), nn.Dropout(dropout)]
        self.mlp = nn.Sequential(*layers)
        self.predict = nn.Linear(num_factors + layer_sizes[-1], 1)
        for table in (self.gmf_user, self.gmf_item, self.mlp_user, self.mlp_item):
            nn.init.normal_(table.weight, std=0.01)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        product = self.gmf_user(users) * self.gmf_item(items)
        deep = self.mlp(fg.concat([self.mlp_user(users), self.mlp_item(items)], axis=-1))
        return self.predict(fg.concat([product, deep], axis=-1))[..., 0]
