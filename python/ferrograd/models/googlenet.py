"""GoogLeNet: Inception modules (Szegedy et al. 2015) with batch normalisation, with torchvision's parameter names."""

from __future__ import annotations

import ferrograd as fg
from ferrograd import nn
from ferrograd._core import Tensor

# Module -> channels of: the 1 x 1 branch, the 3 x 3 branch (inside, out), its sister (inside, out), the pooled branch.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class BasicConv2d(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0
    ) -> None:
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x), relu=True)


class Inception(nn.Module):
    """Four branches over the same input, side by side in the output's channels.

    The paper's 5 x 5 convolution is 3 x 3, as in torchvision, whose weights fit.
    """

    def __init__(
        self, in_channels: int, one: int, inside: int, three: int, inside2: int, five: int, pooled: int
    ) -> None:
        self.branch1 = BasicConv2d(in_channels, one, 1)
        self.branch2 = nn.Sequential(BasicConv2d(in_channels, inside, 1), BasicConv2d(inside, three, 3, padding=1))
        self.branch3 = nn.Sequential(BasicConv2d(in_channels, inside2, 1), BasicConv2d(inside2, five, 3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), BasicConv2d(in_channels, pooled, 1))
        self.out_channels = one + three + five + pooled

    def forward(self, x: Tensor) -> Tensor:
        return fg.concat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], axis=1)


class AuxiliaryHead(nn.Module):
    """A classifier on a map in the middle of the network, which sends a gradient there while training."""

    def __init__(self, in_channels: int, num_classes: int, channels: int, hidden: int) -> None:
        self.conv = BasicConv2d(in_channels, channels, 1)
        self.fc1 = nn.Linear(channels * 16, hidden)
        self.fc2 = nn.Linear(hidden, num_classes)
        self.dropout = nn.Dropout(0.7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(nn.functional.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        return self.fc2(self.dropout(self.fc1(x).relu()))


class GoogLeNet(nn.Module):
    """22 layers of Inception modules: (N, C, H, W) -> (N, num_classes).

    Args:
        num_classes: outputs.
        aux_logits: whether there are two auxiliary heads; while training, `forward` then returns
            (logits, aux2 logits, aux1 logits), see `loss`.
        dropout: before the last layer.
        in_channels: C.
        width: factor of all hidden sizes; 1 is the published network.

    >>> import ferrograd as fg
    >>> fg.models.GoogLeNet(10, width=1 / 16).eval()(fg.zeros((1, 3, 64, 64))).shape
    (1, 10)
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        dropout: float = 0.2,
        in_channels: int = 3,
        width: float = 1.0,
    ) -> None:
        def wide(size: int) -> int:
            return max(1, round(size * width))

        self.conv1 = BasicConv2d(in_channels, wide(64), 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(wide(64), wide(64), 1)
        self.conv3 = BasicConv2d(wide(64), wide(192), 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels, middle = wide(192), []
        for name, sizes in INCEPTIONS.items():
            inception = Inception(channels, *map(wide, sizes))
            setattr(self, f"inception{name}", inception)
            channels = inception.out_channels
            middle += [channels] if name in ("4a", "4d") else []
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.aux1, self.aux2 = (
            AuxiliaryHead(size, num_classes, wide(128), wide(1024)) if aux_logits else None for size in middle
        )
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=0.01, a=-2, b=2)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        middle = []
        for name in INCEPTIONS:
            x = getattr(self, f"inception{name}")(x)
            if name in ("4a", "4d"):
                middle.append(x)
            if name in ("3b", "4e"):
                x = (self.maxpool3 if name == "3b" else self.maxpool4)(x)
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if not self.training or self.aux1 is None or self.aux2 is None:
            return logits
        return logits, self.aux2(middle[1]), self.aux1(middle[0])

    @staticmethod
    def loss(outputs: Tensor | tuple[Tensor, ...], targets: Tensor) -> Tensor:
        """Cross-entropy; auxiliary heads count 0.3 each, as in the paper."""
        if isinstance(outputs, Tensor):
            return nn.functional.cross_entropy(outputs, targets)
        main, *others = (nn.functional.cross_entropy(logits, targets) for logits in outputs)
        return main + 0.3 * sum(others, fg.zeros(()))
