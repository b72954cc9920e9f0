"""The data that ships with the package, and readers."""

import numpy as np
import pytest

import ferrograd as fg


def test_digits():
    train, test = fg.datasets.load_digits()
    (images, labels), (test_images, test_labels) = train.tensors, test.tensors
    assert (images.shape, test_images.shape) == ((1437, 1, 8, 8), (360, 1, 8, 8))
    assert (images.dtype, labels.dtype) == (fg.float32, fg.int64)
    assert (images.min().item(), images.max().item()) == (0.0, 1.0)
    counts = np.bincount(np.concatenate([labels.numpy(), test_labels.numpy()]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_mnist(tmp_path):
    path = tmp_path / "mnist.npz"
    images = np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28)
    labels = np.array([3, 9], np.uint8)
    np.savez(path, x_train=images, y_train=labels, x_test=images[:1], y_test=labels[:1])
    train, test = fg.datasets.load_mnist(path)
    assert (len(train), len(test)) == (2, 1)
    image, label = train[1]
    np.testing.assert_allclose(image.numpy(), images[1:2] / 255, rtol=1e-6)
    assert (label.item(), label.dtype) == (9, fg.int64)


def test_mnist_of_other_files(tmp_path):
    path = tmp_path / "mnist.npz"
    with pytest.raises(FileNotFoundError):
        fg.datasets.load_mnist(path)
    path.write_bytes(b"PK\x03\x04 and then nothing sensible")
    with pytest.raises(fg.FormatError, match=r"no \.npz file"):
        fg.datasets.load_mnist(path)
    np.savez(path, x_train=np.zeros(3))
    with pytest.raises(fg.FormatError, match=r"no \.npz file"):
        fg.datasets.load_mnist(path)
    wrong = np.zeros((2, 28, 28), np.float32)
    np.savez(path, x_train=wrong, y_train=np.zeros(2, int), x_test=wrong, y_test=np.zeros(2, int))
    with pytest.raises(fg.FormatError, match="expected uint8 images"):
        fg.datasets.load_mnist(path)
