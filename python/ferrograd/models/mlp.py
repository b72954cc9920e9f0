"""MLP: linear layers with a nonlinearity between them (Rumelhart et al. 1986)."""

from __future__ import annotations

from collections.abc import Sequence

from ferrograd import nn
from ferrograd._core import Tensor


class MLP(nn.Module):
    """Flattens its input and passes it through hidden layers with ReLU: (N, ...) -> (N, num_classes).

    Args:
        in_features: values of one sample; None finds it at the first call.
        hidden_features: sizes of the hidden layers.
        num_classes: outputs.
        dropout: after each hidden layer.

    >>> import ferrograd as fg
    >>> fg.models.MLP(784, (32, 16))(fg.zeros((2, 1, 28, 28))).shape
    (2, 10)
    """

    def __init__(
        self,
        in_features: int | None = None,
        hidden_features: Sequence[int] = (256, 128),
        num_classes: int = 10,
        dropout: float = 0.0,
    ) -> None:
        sizes = [in_features, *hidden_features]
        self.hidden = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(narrow, wide), nn.ReLU(), nn.Dropout(dropout))
                for narrow, wide in zip(sizes, hidden_features, strict=False)
            )
        )
        self.output = nn.Linear(sizes[-1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.hidden(x.reshape((len(x), -1))))
