"""LeNet-5: the convolutional network that read handwritten digits on cheques (LeCun et al. 1998)."""

from __future__ import annotations

from ferrograd import nn
from ferrograd._core import Tensor


class LeNet5(nn.Module):
    """Two convolutions with tanh and mean pooling, three linear layers: (N, C, 28, 28) -> (N, num_classes).

    Args:
        num_classes: outputs.
        in_channels: C.

    >>> import ferrograd as fg
    >>> fg.models.LeNet5()(fg.zeros((2, 1, 28, 28))).shape
    (2, 10)
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, kernel_size=5, padding=2),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, kernel_size=5),
            nn.Tanh(),
            nn.AvgPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))
