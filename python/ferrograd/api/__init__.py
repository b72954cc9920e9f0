"""The front end of the field's textbooks: ModelBuilder and Trainer, Keras's Sequential, layers called one by one.

Thin names over `ferrograd.nn`, `ferrograd.optim` and `ferrograd.train`; every string is looked up in
`ferrograd.plugins`. Layers take channels last (N, H, W, C) unless they are told otherwise.
"""

from ferrograd.api import activations, initializers, layers, losses, optimizers
from ferrograd.api.backprop import Backpropagation, Gradients, compute_loss
from ferrograd.api.builder import ModelBuilder
from ferrograd.api.data import DataLoader, to_categorical
from ferrograd.api.layers import *  # noqa: F403
from ferrograd.api.layers import __all__ as _layers
from ferrograd.api.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from ferrograd.api.sequential import History, Sequential
from ferrograd.api.training import Evaluator, Trainer
from ferrograd.train import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)

__all__ = [
    *_layers,
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Backpropagation",
    "CSVLogger",
    "DataLoader",
    "EarlyStopping",
    "Evaluator",
    "Gradients",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelBuilder",
    "ModelCheckpoint",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "Sequential",
    "TerminateOnNaN",
    "Trainer",
    "activations",
    "compute_loss",
    "initializers",
    "layers",
    "losses",
    "optimizers",
    "to_categorical",
]
