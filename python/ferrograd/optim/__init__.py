"""Optimizers, learning-rate schedules and gradient clipping, under PyTorch's names."""

from ferrograd.optim.adam import Adam, AdamW
from ferrograd.optim.clip import clip_factor, clip_grad_norm_, clip_grad_value_, get_total_norm
from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.schedule import (
    ConstantLR,
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    StepLR,
    WarmupLR,
)
from ferrograd.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "ConstantLR",
    "CosineAnnealingLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "Optimizer",
    "StepLR",
    "WarmupLR",
    "clip_factor",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
]
