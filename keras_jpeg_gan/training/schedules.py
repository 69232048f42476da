"""Cosine schedules: from a first to a last value over a training."""

import math


def cosine(first: float, last: float, step: int, steps: int) -> float:
    """first + (last - first) (1 - cos(pi t / T)) / 2, constant after the last step T."""
    progress = min(max(step / steps, 0.0), 1.0)
    return first + (last - first) * (1 - math.cos(math.pi * progress)) / 2
