"""Training: the loop, its losses, metrics, callbacks and checkpoints."""

from ferrograd.metrics import Accuracy, Metric
from ferrograd.train import losses
from ferrograd.train.callbacks import Callback, CSVLogger, LambdaCallback, LearningRateScheduler, TerminateOnNaN
from ferrograd.train.checkpoint import list_checkpoints, load_checkpoint, save_checkpoint
from ferrograd.train.monitor import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
from ferrograd.train.trainer import Trainer

__all__ = [
    "Accuracy",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "Metric",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
    "Trainer",
    "list_checkpoints",
    "load_checkpoint",
    "losses",
    "save_checkpoint",
]
