"""ResNet: blocks that add to their input (He et al. 2016), with torchvision's parameter names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ferrograd import nn
from ferrograd._core import Tensor


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut: (N, in_planes, H, W) -> (N, planes, H / stride, W / stride)."""

    expansion: ClassVar[int] = 1

    def __init__(self, in_planes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.bn1(self.conv1(x), relu=True)
        return self.bn2(self.conv2(y), residual=shortcut, relu=True)


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between 1 x 1 ones, beside a shortcut; four times as many channels come out.

    The stride is that of the 3 x 3 convolution ("ResNet 1.5"), as in torchvision.
    """

    expansion: ClassVar[int] = 4

    def __init__(self, in_planes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None) -> None:
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.bn1(self.conv1(x), relu=True)
        y = self.bn2(self.conv2(y), relu=True)
        return self.bn3(self.conv3(y), residual=shortcut, relu=True)


class ResNet(nn.Module):
    """A stem, four stages of blocks, the mean over the image, a linear layer: (N, C, H, W) -> (N, num_classes).

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: number of blocks in each of the four stages.
        num_classes: outputs.
        in_channels: C.
        width: channels of the stem and of the first stage, 64 in the published networks.

    >>> import ferrograd as fg
    >>> model = fg.models.resnet18(num_classes=10, width=4)
    >>> model(fg.zeros((2, 3, 32, 32))).shape, list(model.state_dict())[0]
    ((2, 10), 'conv1.weight')
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        in_channels: int = 3,
        width: int = 64,
    ) -> None:
        self.conv1 = nn.Conv2d(in_channels, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        planes = width
        for stage, count in enumerate(layers):
            blocks = []
            for index in range(count):
                wide, stride = width * 2**stage, 2 if stage and not index else 1
                blocks.append(block(planes, wide, stride, _shortcut(planes, wide * block.expansion, stride)))
                planes = wide * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(planes, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, x: Tensor) -> list[Tensor]:
        """Outputs of the stem and of the four stages, each half the size of the one before, but for the first two."""
        maps = [self.maxpool(self.bn1(self.conv1(x), relu=True))]
        for stage in ("layer1", "layer2", "layer3", "layer4"):
            maps.append(getattr(self, stage)(maps[-1]))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.features(x)[-1]).flatten(1))


def _shortcut(in_planes: int, out_planes: int, stride: int) -> nn.Sequential | None:
    """What brings a block's input to the size of its output; None if it has that already."""
    if stride == 1 and in_planes == out_planes:
        return None
    return nn.Sequential(
        nn.Conv2d(in_planes, out_planes, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(out_planes)
    )


def resnet18(**settings: Any) -> ResNet:
    """ResNet-18; settings as in `ResNet`."""
    return ResNet(BasicBlock, (2, 2, 2, 2), **settings)


def resnet34(**settings: Any) -> ResNet:
    """ResNet-34; settings as in `ResNet`."""
    return ResNet(BasicBlock, (3, 4, 6, 3), **settings)


def resnet50(**settings: Any) -> ResNet:
    """ResNet-50; settings as in `ResNet`."""
    return ResNet(Bottleneck, (3, 4, 6, 3), **settings)


def resnet101(**settings: Any) -> ResNet:
    """ResNet-101; settings as in `ResNet`."""
    return ResNet(Bottleneck, (3, 4, 23, 3), **settings)
