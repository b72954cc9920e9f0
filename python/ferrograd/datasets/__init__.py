"""Small real data that ships with the package, and readers of common files."""

from ferrograd.datasets.characters import load_characters
from ferrograd.datasets.digits import load_digits
from ferrograd.datasets.mnist import load_mnist

__all__ = ["load_characters", "load_digits", "load_mnist"]
