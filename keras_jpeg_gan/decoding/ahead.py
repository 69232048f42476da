"""Work in threads, whose results come in the order of a plain loop: NumPy, LiteRT and the image
libraries let other threads run while they compute."""

import collections
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items, each made in a thread while the one before it is worked on.

    An error of theirs is raised where the item would come. To be closed (`contextlib.closing`)
    when it is left early, which waits for the item that is being made.
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
    """What tasks yield, one task after the other, while the next ones already run in threads.

    An error of a task is raised in its place. To be closed (`contextlib.closing`) when it is
    left early, which waits for the steps that are being taken.

    Args:
        tasks: a cost and the steps of each, which one thread takes. They are asked for in order
            and in the caller's thread, one ahead of those at work.
        budget: what the costs of the tasks at work may sum up to; one that costs more runs alone
            and in the caller's thread.
        most: tasks at work.
        stopped: is set when this is left, so that long steps may end early.
    """
    at_work: collections.deque[tuple[float, _Steps[T]]] = collections.deque()
    with ThreadPoolExecutor(most) as pool:
        try:
            for cost, steps in tasks:
                while at_work and (
                    len(at_work) == most or cost + sum(other for other, _ in at_work) > budget
                ):
                    # It counts until it has ended: only then the loop goes on.
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
    """The steps of a task that another thread takes."""

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
