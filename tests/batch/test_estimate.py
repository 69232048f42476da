import dataclasses

import numpy as np
import pytest

from keras_jpeg_gan.batch.estimate import estimate
from keras_jpeg_gan.batch.sources import find_sources
from tests.files import jpeg

pytestmark = pytest.mark.usefixtures("stand_in")


def test_a_sample_gives_an_estimate_for_all(job, photos):
    sources = find_sources(str(photos))
    found = estimate(job, sources, np.arange(len(sources.table)))
    assert (found.sampled, found.refused, found.calibrated) == (13, 1, 11)
    assert found.megapixels == pytest.approx(12 * 24 * 32 / 1e6)
    assert found.largest == pytest.approx(24 * 32 / 1e6)
    assert 0 < found.core_seconds < 10_000
    assert found.core_hours == pytest.approx(found.megapixels * found.core_seconds / 3600)


def test_a_large_file_counts_and_is_not_restored(job, photos):
    (photos / "0large.jpg").write_bytes(jpeg(2048, 2049, quality=5))
    sources = find_sources(str(photos / "0large.jpg"))
    found = estimate(dataclasses.replace(job, source=sources.root), sources, np.arange(1))
    assert found.megapixels == pytest.approx(2048 * 2049 / 1e6)
    assert found.calibrated == 0
    assert np.isnan(found.core_seconds)
