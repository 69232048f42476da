"""What a training reports."""

import json
import pathlib

import numpy as np

from keras_jpeg_gan.training.monitor import Monitor, time_words


class Board:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.scalars_seen: dict[int, dict[str, float]] = {}
        self.pictures: list[int] = []

    def scalars(self, step: int, values: dict[str, float]) -> None:
        self.scalars_seen[step] = values

    def picture(self, step: int, pixels: np.ndarray) -> None:
        self.pictures.append(step)


def test_numbers_and_pictures_go_to_files_and_board(tmp_path: pathlib.Path) -> None:
    board = Board()
    monitor = Monitor(tmp_path, 10, 40, batch=4, board=board)
    monitor.report(20, {"loss": 0.5})
    monitor.validation(30, {"gain_q10": 1.25})
    monitor.picture(30, np.zeros((4, 6, 3), np.uint8))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert (lines[0]["step"], lines[0]["loss"]) == (20, 0.5)
    assert lines[0]["patches_per_second"] > 0
    assert lines[1] == {"step": 30, "gain_q10": 1.25}
    assert (tmp_path / "pictures" / "step_00000030.png").is_file()
    assert board.scalars_seen[30] == {"validation/gain_q10": 1.25}
    assert board.scalars_seen[20]["training/loss"] == 0.5
    assert board.pictures == [30]


def test_time_words() -> None:
    assert time_words(7503) == "2 h 05 min"
    assert time_words(200) == "3 min 20 s"
