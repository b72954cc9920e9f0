"""Datasets, batching, shuffling and background loading."""

from ferrograd.data.collate import default_collate
from ferrograd.data.dataset import Dataset, Subset, TensorDataset, random_split
from ferrograd.data.loader import DataLoader

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split"]
