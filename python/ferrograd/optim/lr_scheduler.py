"""PyTorch's name of the room of schedules: `from ferrograd.optim.lr_scheduler import StepLR`."""

from ferrograd.optim.schedule import *  # noqa: F403
from ferrograd.optim.schedule import __all__ as __all__
