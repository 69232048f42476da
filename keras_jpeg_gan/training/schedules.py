"""Schedules: by cosine from a first to a last value, after a linear warm-up."""

import math
from typing import Any


def cosine(first: float, last: float, step: int, steps: int, periods: int = 1) -> float:
    """first + (last - first) (1 - cos(pi t / T)) / 2, constant after the last step T.

    Several periods, each of T = steps / periods, restart from the first value (Loshchilov and
    Hutter, "SGDR", 2017).
    """
    progress = periods * min(max(step / steps, 0.0), 1.0)
    progress = progress % 1 if step < steps else 1.0
    return first + (last - first) * (1 - math.cos(math.pi * progress)) / 2


def warm_up(step: int, steps: int) -> float:
    """The share of a rate that step `step` (from 0) has: rises to 1 in `steps` equal parts."""
    return min(1.0, (step + 1) / steps) if steps else 1.0


def scheduled(config: Any, name: str, step: int) -> float:
    """Setting NAME at a step: by cosine from config.NAME to config.final_NAME.

    Learning rates have config.learning_rate_periods and config.warm_up_steps; weights have one
    period and no warm-up.
    """
    first, last = config[name], config[f"final_{name}"]
    if not name.endswith("learning_rate"):
        return cosine(first, last, step, config.steps)
    rate = cosine(first, last, step, config.steps, config.learning_rate_periods)
    return warm_up(step, config.warm_up_steps) * rate
