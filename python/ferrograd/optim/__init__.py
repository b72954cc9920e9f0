"""Optimizers, learning-rate schedules, averaged models and gradient clipping, under PyTorch's names."""

from ferrograd.optim import lr_scheduler, swa_utils
from ferrograd.optim.adafactor import Adafactor
from ferrograd.optim.adagrad import Adadelta, Adagrad, RMSprop
from ferrograd.optim.adam import Adam, Adamax, AdamW, SparseAdam
from ferrograd.optim.clip import clip_factor, clip_grad_norm_, clip_grad_value_, get_total_norm
from ferrograd.optim.ema import EMA, AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn
from ferrograd.optim.groups import param_groups
from ferrograd.optim.lamb import LAMB
from ferrograd.optim.lbfgs import LBFGS
from ferrograd.optim.muon import Muon, orthogonalize
from ferrograd.optim.nadam import NAdam, RAdam
from ferrograd.optim.optimizer import Optimizer
from ferrograd.optim.sam import SAM
from ferrograd.optim.schedule import (
    SWALR,
    WSDLR,
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    InverseSqrtLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    NoamLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
    WarmupLR,
)
from ferrograd.optim.sgd import SGD
from ferrograd.optim.sign import Lion, Rprop

__all__ = [
    "EMA",
    "LAMB",
    "LBFGS",
    "SAM",
    "SGD",
    "SWALR",
    "WSDLR",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AveragedModel",
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
    "Lion",
    "MultiStepLR",
    "MultiplicativeLR",
    "Muon",
    "NAdam",
    "NoamLR",
    "OneCycleLR",
    "Optimizer",
    "PolynomialLR",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "Rprop",
    "SequentialLR",
    "SparseAdam",
    "StepLR",
    "WarmupLR",
    "clip_factor",
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_ema_multi_avg_fn",
    "get_swa_multi_avg_fn",
    "get_total_norm",
    "lr_scheduler",
    "orthogonalize",
    "param_groups",
    "swa_utils",
    "update_bn",
]
