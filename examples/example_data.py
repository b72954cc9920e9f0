"""Images for the examples: MNIST from a file, or the handwritten digits that ship with the package."""

import argparse

import numpy as np

import ferrograd as fg
from ferrograd.nn import functional as F


def load_images(size: int = 28, channels_last: bool = True, seed: int = 0):
    """(x_train, y_train), (x_test, y_test): float32 images in 0 ... 1, one channel, and int64 labels.

    The command line of the example says which: `[PATH/mnist.npz] [--samples N]`.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("path", nargs="?", help="an MNIST .npz file; without it the shipped digits, enlarged, are used")
    parser.add_argument("--samples", type=int, help="train on the first N images only")
    arguments = parser.parse_args()
    fg.manual_seed(seed)
    sets = fg.datasets.load_mnist(arguments.path) if arguments.path else fg.datasets.load_digits()
    return tuple(_arrays(part, size, channels_last, arguments.samples) for part in sets)


def _arrays(part, size, channels_last, samples):
    images, labels = (tensor[:samples] for tensor in part.tensors)
    if images.shape[-1] != size:
        images = F.interpolate(images, size=(size, size), mode="bilinear")
    pixels = images.numpy()
    return np.moveaxis(pixels, 1, -1) if channels_last else pixels, labels.numpy()
