"""File formats."""

from ferrograd.io import safetensors

__all__ = ["safetensors"]
