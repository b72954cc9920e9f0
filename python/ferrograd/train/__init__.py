"""Training: the loop, its metrics, callbacks and checkpoints."""

from ferrograd.train.callbacks import Callback
from ferrograd.train.checkpoint import list_checkpoints, load_checkpoint, save_checkpoint
from ferrograd.train.metrics import Accuracy, Metric
from ferrograd.train.trainer import Trainer

__all__ = ["Accuracy", "Callback", "Metric", "Trainer", "list_checkpoints", "load_checkpoint", "save_checkpoint"]
