"""DataLoader: batches in order or shuffled, prepared ahead by a background thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ferrograd import _core
from ferrograd._core import Generator
from ferrograd.data.collate import default_collate


class DataLoader:
    """Iterates over a dataset in batches; every `iter(loader)` is one epoch.

    Args:
        dataset: anything with `len` and `[index]`; if it has `__getitems__(indices)`, whole batches are fetched.
        batch_size: samples per batch.
        shuffle: whether each epoch has a new random order.
        drop_last: whether a smaller last batch is left out.
        collate_fn: makes a batch of a list of samples; by default `default_collate`.
        generator: source of the shuffling; None uses the global one (`fg.manual_seed`).
        prefetch_factor: batches prepared ahead by one background thread; 0 prepares them in the caller's thread.

    The order of an epoch is drawn when its iteration begins, so it does not depend on timing. An exception in the
    dataset is raised at the batch where it happened; leaving the loop early stops the thread.

    >>> import ferrograd as fg
    >>> data = fg.data.TensorDataset(fg.arange(5))
    >>> [batch.tolist() for (batch,) in fg.data.DataLoader(data, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: Generator | None = None,
        prefetch_factor: int = 2,
    ) -> None:
        for name, value, least in (("batch_size", batch_size, 1), ("prefetch_factor", prefetch_factor, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"DataLoader: {name} must be an integer >= {least}, got {value!r}")
        self.dataset, self.batch_size = dataset, batch_size
        self.shuffle, self.drop_last = shuffle, drop_last
        self.collate_fn, self.generator = collate_fn, generator
        self.prefetch_factor = prefetch_factor

    def __len__(self) -> int:
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        size = len(self.dataset)
        order = _core.randperm(size, generator=self.generator).tolist() if self.shuffle else range(size)
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        batches = (self._fetch(order[start : start + self.batch_size]) for start in starts)
        return _prefetch(batches, self.prefetch_factor) if self.prefetch_factor else batches

    def _fetch(self, indices: Sequence[int]) -> Any:
        fetch_all = getattr(self.dataset, "__getitems__", None)
        if fetch_all is not None and self.collate_fn is None:
            return fetch_all(indices)
        return (self.collate_fn or default_collate)([self.dataset[index] for index in indices])


_END = object()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _prefetch(batches: Iterator[Any], ahead: int) -> Iterator[Any]:
    """The same batches, taken from the iterator by a thread that stays at most `ahead` in front."""
    ready: queue.Queue[Any] = queue.Queue(ahead)
    stop = threading.Event()
    # Not a daemon: those are killed inside compiled code at exit. It ends with the thread that it works for.
    consumer = threading.current_thread()

    def put(item: Any) -> bool:
        while not stop.is_set() and consumer.is_alive():
            try:
                ready.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(_END)
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
            put(_Failure(error))

    worker = threading.Thread(target=work, name="ferrograd-loader", daemon=False)
    worker.start()
    try:
        while True:
            try:
                item = ready.get(timeout=1.0)
            except queue.Empty:
                if worker.is_alive():
                    continue
                raise RuntimeError("DataLoader: the thread that began this iteration has ended") from None
            if item is _END:
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stop.set()
        if threading.current_thread() is not worker:  # the garbage collector may close us anywhere
            worker.join()
