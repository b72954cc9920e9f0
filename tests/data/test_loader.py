"""The loader: order, batches, exceptions, threads."""

import subprocess
import sys
import threading
import time

import pytest

import ferrograd as fg
from ferrograd.data import DataLoader, TensorDataset

TEN = TensorDataset(fg.arange(10))


def values(loader):
    return [batch[0].tolist() for batch in loader]


def loader_threads():
    return [t for t in threading.enumerate() if t.name == "ferrograd-loader"]


@pytest.mark.parametrize("prefetch", [0, 1, 4])
def test_batches_in_order(prefetch):
    loader = DataLoader(TEN, batch_size=4, prefetch_factor=prefetch)
    assert len(loader) == 3
    assert values(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert values(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert loader_threads() == []


def test_drop_last():
    loader = DataLoader(TEN, batch_size=4, drop_last=True)
    assert (len(loader), values(loader)) == (2, [[0, 1, 2, 3], [4, 5, 6, 7]])
    assert values(DataLoader(TEN, batch_size=11, drop_last=True)) == []


def test_shuffling_is_seeded_and_new_each_epoch():
    def epochs():
        loader = DataLoader(TEN, batch_size=3, shuffle=True, generator=fg.Generator(1))
        return [[value for batch in values(loader) for value in batch] for _ in range(3)]

    first = epochs()
    assert all(sorted(epoch) == list(range(10)) for epoch in first)
    assert first[0] != first[1]
    assert first == epochs()


def test_shuffling_follows_the_global_seed():
    loader = DataLoader(TEN, batch_size=10, shuffle=True)
    fg.manual_seed(3)
    first = values(loader)
    fg.manual_seed(3)
    assert values(loader) == first


def test_items_are_collated_or_given_to_collate_fn():
    class Squares(fg.data.Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return {"x": index, "square": index**2}

    batches = list(DataLoader(Squares(), batch_size=2))
    assert [b["square"].tolist() for b in batches] == [[0, 1], [4]]
    assert list(DataLoader(Squares(), batch_size=3, collate_fn=len)) == [3]


class Failing(fg.data.Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 3:
            raise RuntimeError("sample 3 is broken")
        return index


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_exception_arrives_at_its_batch(prefetch):
    iterator = iter(DataLoader(Failing(), prefetch_factor=prefetch))
    assert [next(iterator).item() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="sample 3 is broken"):
        next(iterator)
    assert loader_threads() == []


def test_leaving_early_stops_the_thread():
    for batch in DataLoader(TEN):
        assert batch[0].tolist() == [0]
        break
    assert loader_threads() == []


def test_an_iterator_that_is_dropped_stops_the_thread():
    iterator = iter(DataLoader(TEN))
    next(iterator)
    assert len(loader_threads()) == 1
    del iterator
    assert loader_threads() == []


def test_an_error_in_the_loop_stops_the_thread():
    def loop():
        for _ in DataLoader(TEN):
            raise KeyError("in the loop")

    with pytest.raises(KeyError):
        loop()
    assert loader_threads() == []


def test_batches_are_prepared_ahead_but_not_more_than_asked():
    fetched = []

    class Slow(fg.data.Dataset):
        def __len__(self):
            return 20

        def __getitem__(self, index):
            fetched.append(index)
            return index

    iterator = iter(DataLoader(Slow(), prefetch_factor=3))
    next(iterator)
    deadline = time.monotonic() + 5
    while len(fetched) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    # One delivered, three waiting, one in the thread's hand.
    assert fetched == [0, 1, 2, 3, 4]
    iterator.close()


def test_exit_does_not_hang_in_the_middle_of_an_epoch():
    script = "import ferrograd as fg; it = iter(fg.data.DataLoader(range(100))); print(next(it).item())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


@pytest.mark.parametrize("settings", [{"batch_size": 0}, {"batch_size": 1.5}, {"prefetch_factor": -1}])
def test_wrong_settings(settings):
    with pytest.raises(ValueError, match="must be an integer"):
        DataLoader(TEN, **settings)
