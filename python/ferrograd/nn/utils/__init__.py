"""Helpers for layers and models, under PyTorch's names."""

from ferrograd.nn.utils import parametrizations, parametrize, rnn
from ferrograd.nn.utils.spectral_norm import remove_spectral_norm, spectral_norm
from ferrograd.nn.utils.vector import parameters_to_vector, vector_to_parameters
from ferrograd.nn.utils.weight_norm import remove_weight_norm, weight_norm
from ferrograd.optim.clip import clip_grad_norm_, clip_grad_value_, get_total_norm

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]
