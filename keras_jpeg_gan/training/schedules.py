"""Cosine schedules: from a first to a last value over a training."""

import math
from typing import Any


def cosine(first: float, last: float, step: int, steps: int, periods: int = 1) -> float:
    """first + (last - first) (1 - cos(pi t / T)) / 2, constant after the last step T.

    Several periods, each of T = steps / periods, start anew from the first value (Loshchilov
    and Hutter, "SGDR", 2017).
    """
    progress = periods * min(max(step / steps, 0.0), 1.0)
    progress = progress % 1 if step < steps else 1.0
    return first + (last - first) * (1 - math.cos(math.pi * progress)) / 2


def scheduled(config: Any, name: str, step: int) -> float:
    """Setting NAME at a step: by cosine from config.NAME to config.final_NAME.

    Learning rates have config.learning_rate_periods, weights one period.
    """
    periods = config.learning_rate_periods if name.endswith("learning_rate") else 1
    return cosine(config[name], config[f"final_{name}"], step, config.steps, periods)
