"""What an evaluation has measured so far, in one file, so that it can be resumed."""

import dataclasses
import io
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.measures import Row
from keras_jpeg_gan.evaluation.sets import Score, SetStatistics
from keras_jpeg_gan.metrics.extractors import FeatureExtractor
from keras_jpeg_gan.system import read_npz, write_atomically

NAME = "progress.npz"


@dataclasses.dataclass
class Progress:
    """The results so far.

    Attributes:
        settings: what was asked for, in types that JSON has.
        seed, index: where to go on: a pass is all images with one seed.
        rows, scores: results of the images and passes that are done.
        failures: why an image was left out, by its name.
        statistics: of the features in this pass, by case, contender and network.
    """

    settings: dict[str, Any]
    seed: int = 0
    index: int = 0
    rows: list[Row] = dataclasses.field(default_factory=list)
    scores: list[Score] = dataclasses.field(default_factory=list)
    failures: dict[str, str] = dataclasses.field(default_factory=dict)
    statistics: dict[str, SetStatistics] = dataclasses.field(default_factory=dict)

    def save(self, folder: pathlib.Path) -> None:
        """Save it in a folder, whole or not at all."""
        known = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("rows", "scores", "statistics")
        }
        known["rows"] = [dataclasses.asdict(row) for row in self.rows]
        known["scores"] = [dataclasses.asdict(score) for score in self.scores]
        arrays = {
            f"{key}|{name}": value
            for key, statistics in self.statistics.items()
            for name, value in statistics.state().items()
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, known=np.array(json.dumps(known)), **arrays)
        write_atomically(folder / NAME, buffer.getvalue())

    @classmethod
    def load(
        cls,
        folder: pathlib.Path,
        settings: dict[str, Any],
        extractor_of: Callable[[str], FeatureExtractor],
    ) -> "Progress":
        """Load what a folder has, or start afresh.

        Args:
            settings: what is asked for now.
            extractor_of: the network that a key of `statistics` names.

        Raises:
            ConfigError: the folder has an evaluation with other settings.
        """
        path = folder / NAME
        if not path.exists():
            return cls(settings)
        try:
            arrays = read_npz(path)
            known = json.loads(str(arrays.pop("known")))
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"{path}: cannot be read ({error}); delete it") from error
        states: dict[str, dict[str, np.ndarray]] = {}
        for name, array in arrays.items():
            key, _, part = name.rpartition("|")
            states.setdefault(key, {})[part] = array
        differing = sorted(
            name for name in settings if known["settings"].get(name) != settings[name]
        )
        if differing:
            raise ConfigError(
                f"{folder}: has an evaluation with another {differing[0]}; give another --output"
            )
        rows = [Row(**row) for row in known.pop("rows")]
        scores = [Score(**score) for score in known.pop("scores")]
        statistics = {
            key: SetStatistics.from_state(extractor_of(key), state) for key, state in states.items()
        }
        return cls(**known, rows=rows, scores=scores, statistics=statistics)
