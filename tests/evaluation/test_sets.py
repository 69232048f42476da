"""Statistics of sets: no distance from itself, batches over images, and saved states."""

import numpy as np
import pytest

from keras_jpeg_gan.evaluation.sets import SET_METRICS, Reference, SetStatistics
from keras_jpeg_gan.metrics import Gaussian
from tests.evaluation.stubs import Colours

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (5, width, 3), np.uint8) for width in (40, 7, 90, 64, 3)]


def of(*images: np.ndarray) -> SetStatistics:
    statistics = SetStatistics(Colours())
    for image in images:
        statistics.add(image)
    return statistics


def columns(images: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([image.mean(axis=0) for image in images])


def test_a_set_is_no_distance_from_itself() -> None:
    reference = of(*IMAGES).reference()
    scores = of(*IMAGES).scores(reference, SET_METRICS)
    assert scores["distance"] == pytest.approx(0, abs=1e-6)
    assert scores["precision"] == scores["recall"] == 1
    assert scores["distance_name"] == "FD Colours"
    assert (scores["images"], scores["vectors"]) == (5, 204)
    brighter = [np.minimum(image, 100) for image in IMAGES]
    assert of(*brighter).scores(reference, SET_METRICS)["distance"] > 50


def test_all_features_count_and_batches_run_over_images() -> None:
    sizes = []

    class Watched(Colours):
        def features(self, inputs: np.ndarray) -> np.ndarray:
            sizes.append(len(inputs))
            return super().features(inputs)

    statistics = SetStatistics(Watched())
    for image in IMAGES:
        statistics.add(image)
    assert statistics.vectors == 204
    gaussian = statistics.reference().gaussian
    assert sizes == [64, 64, 64, 12]
    np.testing.assert_allclose(gaussian.mean, columns(IMAGES).mean(0))
    np.testing.assert_allclose(gaussian.covariance, np.cov(columns(IMAGES).T))


def test_a_saved_state_goes_on_as_before() -> None:
    reference = of(IMAGES[2]).reference()
    whole, part = of(*IMAGES), of(*IMAGES[:3])
    resumed = SetStatistics.from_state(Colours(), part.state())
    for image in IMAGES[3:]:
        resumed.add(image)
    assert resumed.scores(reference, SET_METRICS) == whole.scores(reference, SET_METRICS)


def test_only_what_is_wanted_and_what_moments_allow() -> None:
    statistics, reference = of(*IMAGES), of(IMAGES[2]).reference()
    assert "kid" not in statistics.scores(reference, ["distance"])
    assert "distance" not in statistics.scores(reference, ["kid"])
    moments_alone = Reference(Gaussian(np.zeros(3), np.eye(3)))
    scores = statistics.scores(moments_alone, SET_METRICS)
    assert scores["distance"] > 0
    assert "precision" not in scores
