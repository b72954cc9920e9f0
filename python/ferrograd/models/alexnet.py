"""AlexNet (Krizhevsky et al. 2012) in the form of Krizhevsky 2014, with torchvision's parameter names."""

from __future__ import annotations

from ferrograd import nn
from ferrograd._core import Tensor


class AlexNet(nn.Module):
    """Five convolutions, three linear layers: (N, C, H, W) -> (N, num_classes), H and W from 63.

    Args:
        num_classes: outputs.
        dropout: before the first two linear layers.
        in_channels: C.
        width: factor of all hidden sizes; 1 is the published network with its 61 million parameters.

    >>> import ferrograd as fg
    >>> fg.models.AlexNet(10, width=1 / 16)(fg.zeros((1, 3, 64, 64))).shape
    (1, 10)
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5, in_channels: int = 3, width: float = 1.0) -> None:
        a, b, c, d, hidden = (max(1, round(size * width)) for size in (64, 192, 384, 256, 4096))
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, a, kernel_size=11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(a, b, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(b, c, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(c, d, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(d, d, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(d * 6 * 6, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))
