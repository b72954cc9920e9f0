"""Data for the examples: MNIST from a file, or the handwritten digits that ship with the package; and pictures."""

import argparse
import struct
import zlib
from pathlib import Path

import numpy as np

import ferrograd as fg
from ferrograd.nn import functional as F


def existing(path):
    """A path of the command line, for `type=`: says so if nothing is there, instead of showing a traceback."""
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"nothing is at {path}")
    return Path(path)


def image_parser(description):
    """The arguments that all examples with images take: the file, how much of it, the seed."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    source = "MNIST as Keras's mnist.npz; without it the digits that ship with the package, enlarged, are used"
    parser.add_argument("path", nargs="?", type=existing, help=source)
    parser.add_argument("--samples", type=int, help="train on the first N images only")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def load_images(arguments, size=28, channels_last=False):
    """(x_train, y_train), (x_test, y_test): float32 images in 0 ... 1, one channel, and int64 labels."""
    fg.manual_seed(arguments.seed)
    sets = fg.datasets.load_mnist(arguments.path) if arguments.path else fg.datasets.load_digits()
    return tuple(_arrays(part, size, channels_last, arguments.samples) for part in sets)


def _arrays(part, size, channels_last, samples):
    images, labels = (tensor[:samples] for tensor in part.tensors)
    if images.shape[-1] != size:
        images = F.interpolate(images, size=(size, size), mode="bilinear")
    pixels = images.numpy()
    return np.moveaxis(pixels, 1, -1) if channels_last else pixels, labels.numpy()


def save_picture(path, images, columns=10, zoom=2):
    """Write images (N, 1, H, W) of 0 ... 1 as a PNG file, `columns` side by side."""
    images = np.asarray(images)
    rows = -(-len(images) // columns)
    height, width = images.shape[2:]
    sheet = np.zeros((rows * columns, height + 2, width + 2))
    sheet[: len(images), 1:-1, 1:-1] = np.clip(images[:, 0], 0, 1)
    grid = sheet.reshape(rows, columns, height + 2, width + 2).transpose(0, 2, 1, 3)
    pixels = (255 * grid.reshape(rows * (height + 2), -1)).astype(np.uint8).repeat(zoom, 0).repeat(zoom, 1)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)  # each line begins with its filter, none
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    print(f"wrote {path}")
