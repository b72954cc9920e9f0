"""VGG: stacks of 3 x 3 convolutions (Simonyan & Zisserman 2015), with torchvision's parameter names."""

from __future__ import annotations

from ferrograd import nn
from ferrograd._core import Tensor

# Output channels of the convolutions of each stage; a stage ends in max pooling. Keys are the numbers of layers.
STAGES = {
    11: ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    13: ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    16: ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    19: ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512, 512, 512)),
}


class VGG(nn.Module):
    """Five stages of convolutions, three linear layers: (N, C, H, W) -> (N, num_classes), H and W from 32.

    Args:
        layers: 11, 13, 16 or 19, the number of layers with weights.
        batch_norm: whether each convolution is followed by batch normalisation.
        num_classes: outputs.
        dropout: before the last two linear layers.
        in_channels: C.
        width: factor of all hidden sizes; 1 is the published network.

    >>> import ferrograd as fg
    >>> fg.models.VGG(11, num_classes=10, width=1 / 32)(fg.zeros((1, 3, 32, 32))).shape
    (1, 10)
    """

    def __init__(
        self,
        layers: int,
        batch_norm: bool = False,
        num_classes: int = 1000,
        dropout: float = 0.5,
        in_channels: int = 3,
        width: float = 1.0,
    ) -> None:
        if layers not in STAGES:
            raise ValueError(f"VGG: expected 11, 13, 16 or 19 layers, got {layers}")
        features: list[nn.Module] = []
        channels = in_channels
        for stage in STAGES[layers]:
            for size in stage:
                wide = max(1, round(size * width))
                features.append(nn.Conv2d(channels, wide, kernel_size=3, padding=1))
                features += [nn.BatchNorm2d(wide), nn.ReLU()] if batch_norm else [nn.ReLU()]
                channels = wide
            features.append(nn.MaxPool2d(2))
        hidden = max(1, round(4096 * width))
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(channels * 7 * 7, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))
