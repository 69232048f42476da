"""Work in threads whose results come in the order of a plain loop.

NumPy, LiteRT and the image libraries let other threads run while they compute.
"""

import collections
import queue
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield the same items, each made in a thread while the one before it is being used.

    An error is raised where its item would come. Close it (`contextlib.closing`) when stopping
    early; that waits for the item in progress.
    """
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item


def in_order(
    tasks: Iterable[tuple[float, Iterator[T]]],
    budget: float,
    most: int,
    stopped: threading.Event,
) -> Generator[T, None, None]:
    """Yield what tasks yield, one task after the other, while the next ones already run.

    An error of a task is raised in its place. Close it (`contextlib.closing`) when stopping
    early; that waits for the steps in progress.

    Args:
        tasks: the cost and the steps of each; one thread takes all steps of a task. Tasks are
            asked for in order, in the caller's thread, one ahead of those that are running.
        budget: the most that the costs of running tasks may add up to. A task that costs more, or
            infinity, runs alone and in the caller's thread.
        most: the most tasks that may run at once.
        stopped: set at the end, so that long steps can end early.
    """
    budget = min(budget, sys.float_info.max)
    at_work: collections.deque[tuple[float, _Steps[T]]] = collections.deque()
    with ThreadPoolExecutor(most) as pool:
        try:
            for cost, steps in tasks:
                while at_work and (
                    len(at_work) == most or cost + sum(other for other, _ in at_work) > budget
                ):
                    # Its cost counts until it has ended, since the loop goes on only then.
                    yield from at_work.popleft()[1]
                if most == 1 or cost > budget:
                    yield from steps
                    continue
                task = _Steps(steps, stopped)
                pool.submit(task.run)
                at_work.append((cost, task))
            while at_work:
                yield from at_work.popleft()[1]
        finally:
            stopped.set()


class _Steps(Iterable[T]):
    """The steps of a task, taken in another thread."""

    def __init__(self, steps: Iterator[T], stopped: threading.Event) -> None:
        self._steps = steps
        self._stopped = stopped
        self._taken: queue.SimpleQueue[tuple[T] | BaseException | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Take them all."""
        try:
            if self._stopped.is_set():
                return
            for step in self._steps:
                self._taken.put((step,))
                if self._stopped.is_set():
                    return
            self._taken.put(None)
        except BaseException as error:
            self._taken.put(error)

    def __iter__(self) -> Iterator[T]:
        while (taken := self._taken.get()) is not None:
            if isinstance(taken, BaseException):
                raise taken
            yield taken[0]
