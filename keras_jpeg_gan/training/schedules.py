"""Cosine schedules: from a first to a last value over a training."""

import math
from typing import Any


def cosine(first: float, last: float, step: int, steps: int) -> float:
    """first + (last - first) (1 - cos(pi t / T)) / 2, constant after the last step T."""
    progress = min(max(step / steps, 0.0), 1.0)
    return first + (last - first) * (1 - math.cos(math.pi * progress)) / 2


def scheduled(config: Any, name: str, step: int) -> float:
    """Setting NAME at a step: by cosine from config.NAME to config.final_NAME."""
    return cosine(config[name], config[f"final_{name}"], step, config.steps)
