"""PyTorch's names for layers that find the size of their input at the first call, or in a checkpoint.

Every layer of ferrograd does so when that size is left out or None; these leave it out.
"""

from __future__ import annotations

from typing import Any

from ferrograd.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ferrograd.nn.linear import Linear
from ferrograd.nn.norm import BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d


class _WithoutSize:
    """Leaves out the first argument of the layer that follows it among the bases."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)  # type: ignore[call-arg]


class LazyLinear(_WithoutSize, Linear):
    """`Linear` without in_features: LazyLinear(out_features, bias=True, ...).

    Optimizers take its parameters once it has seen an input; before, `parameters()` raises RuntimeError.

    >>> import ferrograd as fg
    >>> layer = fg.nn.LazyLinear(2)
    >>> layer(fg.zeros((5, 3))).shape, layer.weight.shape
    ((5, 2), (2, 3))
    """


class LazyConv1d(_WithoutSize, Conv1d):
    """`Conv1d` without in_channels: LazyConv1d(out_channels, kernel_size, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyConv1d(4, 3)(fg.zeros((1, 2, 8))).shape
    (1, 4, 6)
    """


class LazyConv2d(_WithoutSize, Conv2d):
    """`Conv2d` without in_channels: LazyConv2d(out_channels, kernel_size, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyConv2d(4, 3, padding=1)(fg.zeros((1, 2, 8, 8))).shape
    (1, 4, 8, 8)
    """


class LazyConv3d(_WithoutSize, Conv3d):
    """`Conv3d` without in_channels: LazyConv3d(out_channels, kernel_size, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyConv3d(4, 3)(fg.zeros((1, 2, 4, 4, 4))).shape
    (1, 4, 2, 2, 2)
    """


class LazyConvTranspose1d(_WithoutSize, ConvTranspose1d):
    """`ConvTranspose1d` without in_channels: LazyConvTranspose1d(out_channels, kernel_size, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyConvTranspose1d(4, 2, stride=2)(fg.zeros((1, 2, 8))).shape
    (1, 4, 16)
    """


class LazyConvTranspose2d(_WithoutSize, ConvTranspose2d):
    """`ConvTranspose2d` without in_channels: LazyConvTranspose2d(out_channels, kernel_size, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyConvTranspose2d(4, 2, stride=2)(fg.zeros((1, 2, 4, 4))).shape
    (1, 4, 8, 8)
    """


class LazyConvTranspose3d(_WithoutSize, ConvTranspose3d):
    """`ConvTranspose3d` without in_channels: LazyConvTranspose3d(out_channels, kernel_size, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyConvTranspose3d(4, 2, stride=2)(fg.zeros((1, 2, 2, 2, 2))).shape
    (1, 4, 4, 4, 4)
    """


class LazyBatchNorm1d(_WithoutSize, BatchNorm1d):
    """`BatchNorm1d` without num_features: LazyBatchNorm1d(eps=1e-5, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyBatchNorm1d()(fg.rand((4, 3))).shape
    (4, 3)
    """


class LazyBatchNorm2d(_WithoutSize, BatchNorm2d):
    """`BatchNorm2d` without num_features: LazyBatchNorm2d(eps=1e-5, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyBatchNorm2d()(fg.rand((4, 3, 2, 2))).shape
    (4, 3, 2, 2)
    """


class LazyBatchNorm3d(_WithoutSize, BatchNorm3d):
    """`BatchNorm3d` without num_features: LazyBatchNorm3d(eps=1e-5, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyBatchNorm3d()(fg.rand((4, 3, 2, 2, 2))).shape
    (4, 3, 2, 2, 2)
    """


class LazyInstanceNorm1d(_WithoutSize, InstanceNorm1d):
    """`InstanceNorm1d` without num_features: LazyInstanceNorm1d(eps=1e-5, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyInstanceNorm1d(affine=True)(fg.rand((4, 3, 8))).shape
    (4, 3, 8)
    """


class LazyInstanceNorm2d(_WithoutSize, InstanceNorm2d):
    """`InstanceNorm2d` without num_features: LazyInstanceNorm2d(eps=1e-5, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyInstanceNorm2d(affine=True)(fg.rand((4, 3, 2, 2))).shape
    (4, 3, 2, 2)
    """


class LazyInstanceNorm3d(_WithoutSize, InstanceNorm3d):
    """`InstanceNorm3d` without num_features: LazyInstanceNorm3d(eps=1e-5, ...).

    >>> import ferrograd as fg
    >>> fg.nn.LazyInstanceNorm3d(affine=True)(fg.rand((4, 3, 2, 2, 2))).shape
    (4, 3, 2, 2, 2)
    """
