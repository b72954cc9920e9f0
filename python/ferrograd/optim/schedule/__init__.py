"""Learning-rate schedules with the interface of PyTorch's LRScheduler.

Every schedule but ReduceLROnPlateau is a closed formula of the step number, so a resumed run meets the same rates to
the last bit, and `plot` can draw them ahead of time.
"""

from ferrograd.optim.schedule.base import LRScheduler
from ferrograd.optim.schedule.compose import ChainedScheduler, SequentialLR, WarmupLR
from ferrograd.optim.schedule.cosine import WSDLR, CosineAnnealingLR, CosineAnnealingWarmRestarts
from ferrograd.optim.schedule.cyclic import CyclicLR, OneCycleLR
from ferrograd.optim.schedule.factor import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from ferrograd.optim.schedule.inverse import InverseSqrtLR, NoamLR
from ferrograd.optim.schedule.plateau import ReduceLROnPlateau
from ferrograd.optim.schedule.swa import SWALR

__all__ = [
    "SWALR",
    "WSDLR",
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "NoamLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "WarmupLR",
]
