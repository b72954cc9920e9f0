"""Datasets, subsets and splits."""

import numpy as np
import pytest

import ferrograd as fg
from ferrograd.data import Subset, TensorDataset, default_collate, random_split


def test_tensor_dataset_takes_tensors_arrays_and_lists():
    data = TensorDataset(fg.arange(3), np.ones((3, 2), np.float32), [[1], [2], [3]])
    assert len(data) == 3
    a, b, c = data[2]
    assert (a.item(), b.tolist(), c.tolist()) == (2, [1.0, 1.0], [3])
    batch = data.__getitems__([2, 0])
    assert [t.tolist() for t in batch] == [[2, 0], [[1.0, 1.0]] * 2, [[3], [1]]]


def test_tensor_dataset_checks_lengths():
    with pytest.raises(fg.ShapeError, match="common first dimension"):
        TensorDataset(fg.zeros(3), fg.zeros(4))
    with pytest.raises(fg.ShapeError):
        TensorDataset(fg.zeros(()))


def test_subset_of_a_subset():
    data = TensorDataset(fg.arange(10) * 10)
    subset = Subset(Subset(data, [9, 3, 5, 1]), [2, 0])
    assert [item[0].item() for item in subset] == [50, 90]
    assert subset.__getitems__([1, 0])[0].tolist() == [90, 50]
    with pytest.raises(IndexError, match="got 10"):
        Subset(data, [10])


def test_random_split_covers_everything_once():
    parts = random_split(range(100), [70, 20, 10], fg.Generator(5))
    assert [len(part) for part in parts] == [70, 20, 10]
    assert sorted(item for part in parts for item in part) == list(range(100))
    again = random_split(range(100), [70, 20, 10], fg.Generator(5))
    assert [list(part) for part in parts] == [list(part) for part in again]
    assert list(parts[0]) != list(range(70))


def test_random_split_by_fractions_gives_away_the_rest():
    assert [len(part) for part in random_split(range(10), [1 / 3, 1 / 3, 1 / 3])] == [4, 3, 3]


@pytest.mark.parametrize("lengths", [[5, 4], [0.5, 0.4], [11], [12, -2]])
def test_random_split_wrong_lengths(lengths):
    with pytest.raises(ValueError, match="random_split"):
        random_split(range(10), lengths)


def test_collate_keeps_the_structure():
    samples = [{"x": np.float32([i, i]), "y": (i, f"name {i}"), "z": fg.full((2,), i)} for i in range(2)]
    batch = default_collate(samples)
    assert batch["x"].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert batch["x"].dtype == fg.float32
    assert batch["y"][0].tolist() == [0, 1]
    assert batch["y"][1] == ["name 0", "name 1"]
    assert batch["z"].tolist() == [[0, 0], [1, 1]]


def test_collate_refuses_what_does_not_stack():
    with pytest.raises(TypeError, match="got object"):
        default_collate([object()])
    with pytest.raises(ValueError, match="one number of entries"):
        default_collate([(1, 2), (1,)])
    with pytest.raises(fg.ShapeError):
        default_collate([fg.zeros(2), fg.zeros(3)])
