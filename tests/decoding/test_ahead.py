import contextlib
import functools
import math
import threading
import time

import pytest

from keras_jpeg_gan.decoding.ahead import in_order, one_ahead


def test_one_ahead_gives_the_items_and_their_error_in_its_place():
    def items():
        yield from range(3)
        raise ValueError("no fourth")

    ahead = one_ahead(items())
    assert [next(ahead) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no fourth"):
        next(ahead)
    assert list(one_ahead(iter("abc"))) == ["a", "b", "c"]


def test_one_ahead_makes_the_next_item_and_no_more():
    made = []

    def items():
        for k in range(10):
            made.append(k)
            yield k

    with contextlib.closing(one_ahead(items())) as ahead:
        assert next(ahead) == 0
        time.sleep(0.2)
        assert made == [0, 1]


def steps(name, count=3, fails=False, before=None):
    for k in range(count):
        if before is not None:
            before()
        yield f"{name}{k}"
    if fails:
        raise ValueError(name)


@pytest.mark.parametrize("budget", [0, 1, 2, 10])
@pytest.mark.parametrize("most", [1, 2, 4])
def test_results_come_in_the_order_of_the_tasks(budget, most):
    tasks = [
        (1, steps(name, before=functools.partial(time.sleep, delay)))
        for name, delay in zip("abcdef", (0.05, 0, 0.03, 0, 0.01, 0), strict=True)
    ]
    stopped = threading.Event()
    expected = [f"{name}{k}" for name in "abcdef" for k in range(3)]
    assert list(in_order(tasks, budget, most, stopped)) == expected
    assert stopped.is_set()


@pytest.mark.parametrize(
    ("costs", "budget", "most", "together"),
    [
        ([1] * 8, 100, 3, 3),
        ([1] * 8, 2, 4, 2),
        ([1] * 8, 100, 1, 1),
        ([math.inf] * 4, 100, 4, 1),
        ([math.inf] * 4, math.inf, 4, 1),
        ([5, 5, 5, 5], 9, 4, 1),
    ],
)
def test_no_more_tasks_run_than_the_budget_allows(costs, budget, most, together):
    at_work, seen, lock = 0, [], threading.Lock()

    def task():
        nonlocal at_work
        with lock:
            at_work += 1
            seen.append(at_work)
        time.sleep(0.1)
        with lock:
            at_work -= 1
        yield None

    list(in_order([(cost, task()) for cost in costs], budget, most, threading.Event()))
    assert len(seen) == len(costs)
    assert max(seen) == together


def test_a_task_that_costs_too_much_runs_alone_and_here():
    threads = []

    def task():
        threads.append(threading.current_thread())
        yield None

    list(in_order([(cost, task()) for cost in (1, 9, 1)], 5, 2, threading.Event()))
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [False, True, False]


def test_an_error_comes_in_its_place_and_stops_the_others():
    begun = []

    def tasks():
        for k, name in enumerate("abcdef"):
            begun.append(name)
            yield 1, steps(name, fails=k == 1)

    words = in_order(tasks(), 10, 2, threading.Event())
    assert [next(words) for _ in range(6)] == ["a0", "a1", "a2", "b0", "b1", "b2"]
    with pytest.raises(ValueError, match="b"):
        next(words)
    assert begun == ["a", "b", "c", "d"]


def test_stopping_early_does_not_wait_for_everything():
    stopped, taken = threading.Event(), []

    def endless(name):
        while True:
            time.sleep(0.01)
            taken.append(name)
            yield name

    tasks = [(1, endless(name)) for name in "abc"]
    with contextlib.closing(in_order(tasks, 10, 3, stopped)) as words:
        assert next(words) == "a"
    assert stopped.is_set()
    count = len(taken)
    time.sleep(0.1)
    assert len(taken) == count
