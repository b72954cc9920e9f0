"""PyTorch's name of the room of averaged models: `from ferrograd.optim.swa_utils import AveragedModel`."""

from ferrograd.optim.ema import AveragedModel, get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn
from ferrograd.optim.schedule import SWALR

__all__ = ["SWALR", "AveragedModel", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "update_bn"]
