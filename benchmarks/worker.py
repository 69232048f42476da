"""The process of one contender: it takes requests as lines of JSON, and answers likewise."""

import importlib
import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.inputs import Settings

_TURN_SECONDS = 0.05


def main() -> None:
    """Prepare, then answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print there too
    module, settings = sys.argv[1], Settings(**json.loads(sys.argv[2]))

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    try:
        contender = importlib.import_module(f"benchmarks.{module}")
        tasks = contender.prepare(settings)
    except ImportError as error:
        answer(missing=str(error))
        return
    answer(facts=contender.facts(), tasks=list(tasks))
    for line in sys.stdin:
        request = json.loads(line)
        if "peak" in request:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            answer(peak_mb=peak * 1024 / 1e6)
            continue
        task = tasks[request["task"]]
        if "save" in request:
            np.save(request["save"], flattened(task()))
            answer()
        else:
            answer(seconds=fastest(task))


def fastest(task: Callable[[], Any]) -> float:
    """The fastest time of a task in one turn, which lasts `_TURN_SECONDS` or one call.

    The first call after a pause takes a millisecond longer, while the process wakes up and its
    code and data return to the caches: a lot, compared with a JPEG operation.
    """
    least, end = math.inf, time.perf_counter() + _TURN_SECONDS
    while True:
        start = time.perf_counter()
        task()
        now = time.perf_counter()
        least = min(least, now - start)
        if now >= end:
            return least


def flattened(found: Any) -> np.ndarray:
    """All numbers of arrays in lists, in a row."""
    if isinstance(found, list | tuple):
        return np.concatenate([flattened(part) for part in found])
    return np.asarray(found, np.float64).ravel()


if __name__ == "__main__":
    main()
