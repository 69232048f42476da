import dataclasses
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, RestoreOptions
from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.errors import ConfigError, JpegFormatError, ModelError
from keras_jpeg_gan.jpeg import emulator, encoder
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import floating
from keras_jpeg_gan.jpeg.sampling import Sampling
from tests.files import jpeg

UNPROJECTED = RestoreOptions(projection="none")


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_an_exact_restoration_recompresses_to_the_files_levels(decoder, subsampling):
    restored = decoder.restore(jpeg(61, 83, subsampling=subsampling))
    file = restored.file
    levels = encoder.recompress(restored.pixels, file.quantized).levels
    assert all(map(np.array_equal, levels, file.quantized.levels))
    assert restored.certificate.exact
    assert restored.pixels.shape == (61, 83, 3)
    assert not np.array_equal(restored.pixels, file.pixels)


def test_gray_stays_gray_and_exact(decoder):
    restored = decoder.restore(jpeg(33, 47, gray=True))
    assert restored.pixels.shape == (33, 47)
    assert restored.certificate.exact


def test_a_path_and_its_bytes_give_the_same(decoder, tmp_path):
    content = jpeg()
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for source in (path, str(path)):
        assert np.array_equal(
            decoder.restore(source).pixels, decoder.restore(content, seed=5).pixels
        )


@pytest.mark.parametrize("projection", ["exact", "none"])
def test_the_certificate_is_libjpegs_whatever_the_projection(decoder, projection):
    restored = decoder.restore(jpeg(), options=RestoreOptions(projection=projection))
    file = restored.file
    pairs = zip(
        encoder.recompress(restored.pixels, file.quantized).levels,
        file.quantized.levels,
        strict=True,
    )
    equal = sum(np.count_nonzero(a == b) for a, b in pairs)
    assert restored.projection == projection
    assert restored.certificate.levels_equal == equal


def test_blend_goes_from_libjpegs_decode_to_the_network(decoder):
    content = jpeg()
    none, half, whole = (
        decoder.restore(content, options=RestoreOptions(projection="none", blend=blend))
        for blend in (0, 0.5, 1)
    )
    decoded = none.file.pixels.astype(int)
    assert np.array_equal(none.pixels, decoded)
    expected = (decoded + whole.pixels) / 2
    assert np.abs(half.pixels - expected).max() <= 1
    assert not np.array_equal(whole.pixels, decoded)
    assert decoder.restore(content, options=RestoreOptions(blend=0.5)).certificate.exact


def test_a_network_whose_output_is_not_finite_gives_no_image(decoder, monkeypatch):
    monkeypatch.setattr(decoder.runtime, "restore", lambda image, tables, noise: image * np.nan)
    with pytest.raises(ModelError, match="finite"):
        decoder.restore(jpeg())


def test_a_regression_draws_no_samples(decoder):
    with pytest.raises(ModelError, match="draws no samples"):
        decoder.samples(jpeg(), count=4)


def test_what_cannot_be_restored_is_refused(decoder):
    with pytest.raises(JpegFormatError):
        decoder.restore(b"no JPEG")
    with pytest.raises(ModelError, match="no model"):
        Decoder("best")
    with pytest.raises(ConfigError, match="quality"):
        decoder.read(jpeg(), RestoreOptions(earlier_save="101"))


def test_a_sampling_that_libjpeg_cannot_write_is_restored_without_a_certificate(decoder):
    file = decoder.read(jpeg(48, 48, subsampling=0))
    sampling = Sampling.parse("4x4,1x1,1x1")
    levels = emulator.emulate(file.pixels, file.tables, sampling)
    odd = dataclasses.replace(file, quantized=Quantized(levels, file.tables, sampling))
    restored = decoder.restore(odd)
    assert restored.certificate is None
    assert restored.projection == "float"
    assert floating.violations(restored.pixels, odd.quantized).mean() < 0.4
    (warning,) = restored.warnings
    assert "4x4,1x1,1x1: no certificate, projection float instead of exact" in warning
    assert decoder.restore(odd, options=RestoreOptions(projection="none")).projection == "none"


def test_each_seed_is_another_exact_image_and_one_seed_the_same(drawing):
    content = jpeg(40, 96)
    again, *samples = [drawing.restore(content, seed=seed) for seed in (0, 0, 1, 1 << 63)]
    assert np.array_equal(again.pixels, samples[0].pixels)
    assert all(sample.certificate.exact for sample in samples)
    for other in samples[1:]:
        differs = np.any(other.pixels != samples[0].pixels, axis=(0, 2))
        assert differs[48:].mean() > 0.9
    with pytest.raises(ConfigError, match="seed"):
        drawing.restore(content, seed=1 << 64)


def test_the_kth_sample_has_seed_plus_k(drawing):
    content = jpeg(24, 48)
    samples = list(drawing.samples(content, count=3, seed=(1 << 64) - 1, options=UNPROJECTED))
    assert [sample.seed for sample in samples] == [(1 << 64) - 1, 0, 1]
    one = drawing.restore(content, seed=1, options=UNPROJECTED)
    assert np.array_equal(samples[2].pixels, one.pixels)


def test_samples_as_of_an_earlier_save_are_not_certified(drawing):
    content = jpeg(24, 48, quality=90)
    options = RestoreOptions(earlier_save="30@3,5")
    samples = list(drawing.samples(content, 2, options=options))
    expected = drawing.restore(content, options=options)
    assert (samples[0].certificate, samples[0].projection) == (None, "float")
    assert np.array_equal(samples[0].pixels, expected.pixels)
    mean = drawing.mean(samples)
    assert mean.pixels.shape == (24, 48, 3)
    assert (mean.certificate, mean.agreement.total) == (None, expected.agreement.total)


def test_temperature_scales_the_noise(drawing, decoder):
    content = jpeg(24, 48)
    none, half, whole = (
        drawing.restore(
            content, options=RestoreOptions(projection="none", temperature=temperature)
        ).pixels.astype(int)
        for temperature in (0, 0.5, 1)
    )
    assert np.array_equal(none, decoder.restore(content, options=UNPROJECTED).pixels)
    right = np.s_[:, 24:]
    assert np.abs((whole - none)[right] / 2 - (half - none)[right]).max() <= 1
    assert np.abs(whole - none)[right].max() > 4


def test_the_mean_is_the_mean_and_exact(drawing):
    content = jpeg(32, 48)
    options = {"count": 6, "seed": 5}
    plain = [s.pixels for s in drawing.samples(content, options=UNPROJECTED, **options)]
    mean = drawing.mean(drawing.samples(content, options=UNPROJECTED, **options))
    np.testing.assert_allclose(mean.pixels, np.mean(plain, axis=0), atol=0.51)
    exact = drawing.mean(drawing.samples(content, **options))
    assert exact.certificate.exact
    assert (exact.seed, exact.count) == (5, 6)
    assert (exact.work.seed, exact.work.samples) == (5, 6)
    with pytest.raises(ConfigError, match="no samples"):
        drawing.mean([])


def test_16_bits_are_the_float_projection_unrounded(untrained):
    decoder = Decoder(untrained)
    content = jpeg(40, 56, quality=90)
    eight = decoder.restore(content, options=RestoreOptions(projection="float"))
    sixteen = decoder.restore(content, options=RestoreOptions(bits=16))
    assert sixteen.pixels.dtype == np.uint16
    assert np.abs(sixteen.pixels / 257 - eight.pixels).max() <= 0.5 + 1 / 257
    assert len(np.unique(sixteen.pixels)) > 2 * 256
    assert (sixteen.projection, sixteen.certificate) == ("float", None)
    assert sixteen.violation.share_over_half == 0
    assert sixteen.violation.largest < 0.5
    assert not eight.certificate.exact  # rounding loses what 16 bits keep
    assert "0 % of coefficients outside their cells" in sixteen.summary
    assert decoder.restore(jpeg(gray=True), options=RestoreOptions(bits=16)).pixels.shape == (
        40,
        56,
    )
    with pytest.raises(ConfigError, match="of 8 bits"):
        decoder.mean([sixteen])


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_png_is_restored_as_of_the_save_it_went_through(decoder):
    content = jpeg(64, 88, quality=20)
    whole = JpegFile.read(content)
    options = RestoreOptions(earlier_save="20@5,2", projection="none")
    cut = decoder.restore(png(whole.pixels[6:, 3:]), options=options)
    plain = decoder.restore(content, options=UNPROJECTED)
    assert cut.pixels.shape == (58, 85, 3)
    # The network saw the same, but for the first blocks and the network's reach beyond them.
    inner = np.s_[2:, 5:]
    difference = cut.pixels[inner].astype(int) - plain.pixels[8:, 8:]
    assert np.abs(difference)[1:, 1:].max() <= 1
    assert (cut.file.quality, cut.file.quantized, cut.certificate) == (20, None, None)
    float_ = decoder.restore(
        png(whole.pixels[6:, 3:]), options=RestoreOptions(earlier_save="20@5,2")
    )
    assert float_.projection == "float"
    assert float_.agreement.share == 1
    assert float_.summary.startswith(
        "restored as of an earlier save with quality 20 on a grid shifted by (5, 2): "
    )
    assert "exact" not in float_.summary
    assert float_.details({})["earlier_save"]["offset"] == [5, 2]


def test_what_does_not_show_in_the_pixels_is_said(decoder):
    rng = np.random.default_rng(0)
    noise = png(rng.integers(60, 200, (64, 80, 3)).astype(np.uint8))
    restored = decoder.restore(noise, options=RestoreOptions(earlier_save="10"))
    assert (restored.projection, restored.agreement) == ("none", None)
    assert restored.summary == "no certificate"
    (warning,) = restored.warnings
    assert "no save with quality 10 shows in its pixels" in warning
    assert "nothing is certified" in warning


def test_an_estimate_as_of_an_earlier_save_is_finished_as_restored(decoder):
    content, options = jpeg(61, 83, quality=85), RestoreOptions(earlier_save="40@3,5")
    restored = decoder.restore(content, options=options)
    estimate = decoder.estimate(restored.file, options=options)
    assert estimate.shape == restored.pixels.shape == (61, 83, 3)
    again = decoder.finish(estimate, restored.file, options=options)
    # The margin is not part of the estimate, and its edge is repeated instead.
    assert np.array_equal(again.pixels[5:, 3:], restored.pixels[5:, 3:])


def test_16_bits_as_of_an_earlier_save(decoder):
    content = jpeg(61, 83, quality=85)
    eight, sixteen = (
        decoder.restore(content, options=RestoreOptions(earlier_save="40@3,5", bits=bits))
        for bits in (8, 16)
    )
    assert sixteen.pixels.dtype == np.uint16
    assert np.abs(sixteen.pixels / 257 - eight.pixels).max() <= 0.5 + 1 / 257
    assert sixteen.agreement.share == 1
    assert (sixteen.certificate, sixteen.violation) == (None, None)


def test_bands_as_of_an_earlier_save_are_as_the_whole(in_bands, sampler):
    content, options = jpeg(**LARGE), RestoreOptions(earlier_save="30@4,4", temperature=0)
    seen = []
    file = Decoder(sampler).read(content, options)
    parts = in_bands.restore(file, options=options, progress=seen.append)
    whole = Decoder(sampler).restore(file, options=options)
    difference = np.abs(parts.pixels.astype(int) - whole.pixels)
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 1e-3  # sums of floats, in another order
    assert len(seen) > 1
    assert sum(seen) == LARGE["height"] * LARGE["width"]


def test_a_file_that_was_saved_before_is_restored_from_that(decoder, kodak):
    buffer, cut = io.BytesIO(), io.BytesIO()
    with Image.open(kodak[0]) as image:
        image.crop((0, 0, 384, 256)).save(buffer, "JPEG", quality=30)
    once = decoder.restore(buffer.getvalue())
    assert (once.file.warnings, once.file.earlier, once.certificate.exact) == ((), None, True)
    with Image.open(buffer) as decoded:
        decoded.crop((5, 3, *decoded.size)).save(cut, "JPEG", quality=95)
    found = decoder.restore(cut.getvalue())
    assert "with quality 30 on a grid shifted by (3, 5)" in found.summary
    (warning,) = found.warnings
    assert "--earlier_save=off" in warning
    given = decoder.restore(cut.getvalue(), options=RestoreOptions(earlier_save="30@3,5"))
    assert np.array_equal(given.pixels, found.pixels)
    assert given.warnings == ()
    off = decoder.restore(cut.getvalue(), options=RestoreOptions(earlier_save="off"))
    assert (off.certificate.exact, off.warnings, off.agreement) == (True, (), None)
    shown = decoder.restore(png(JpegFile.read(buffer.getvalue()).pixels[2:, 1:]))
    assert "with quality 30 on a grid shifted by (7, 6)" in shown.summary
    assert shown.warnings == ()


LARGE = {"height": 520, "width": 300}


def test_working_a_band_ahead_gives_the_same_bytes(in_bands, monkeypatch):
    file = JpegFile.read(jpeg(**LARGE))
    ahead = in_bands.restore(file)
    threads = set()
    restore = in_bands.runtime.restore

    def seen(*arguments):
        threads.add(threading.current_thread())
        return restore(*arguments)

    monkeypatch.setattr(in_bands.runtime, "restore", seen)
    in_bands.restore(file)
    assert threading.current_thread() not in threads
    threads.clear()
    monkeypatch.setattr(decoding, "one_ahead", lambda bands: bands)
    serial = in_bands.restore(file)
    assert threads == {threading.current_thread()}
    assert np.array_equal(ahead.pixels, serial.pixels)
    assert ahead.encoded("png") == serial.encoded("png")


def test_a_band_is_projected_while_the_network_works_on_the_next(in_bands, monkeypatch):
    """Each waits for the other to start: one after the other, they would not meet."""
    second_begins, first_is_projected = threading.Event(), threading.Event()
    restore, project = in_bands.runtime.restore, decoding.exact.project
    rows, meetings = [], []

    def network(pixels, tables, noise):
        rows.append(pixels)
        if len(rows) == tiles_a_band + 1:
            second_begins.set()
            meetings.append(first_is_projected.wait(20))
        return restore(pixels, tables, noise)

    def projected(*arguments):
        first_is_projected.set()
        meetings.append(second_begins.wait(20))
        return project(*arguments)

    tiles_a_band = 3  # of 128 pixels across 300
    monkeypatch.setattr(in_bands.runtime, "restore", network)
    monkeypatch.setattr(decoding.exact, "project", projected)
    in_bands.restore(JpegFile.read(jpeg(**LARGE)))
    assert len(meetings) > 2
    assert all(meetings)


def test_progress_adds_up_to_the_image_and_may_end_its_restoration(in_bands):
    file = JpegFile.read(jpeg(**LARGE))
    steps = []
    in_bands.restore(file, progress=steps.append)
    assert sum(steps) == 520 * 300
    assert len(steps) > 10

    def enough(pixels):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        in_bands.restore(file, progress=enough)


def test_a_projection_that_fails_ends_the_network_at_the_next_tile(in_bands, monkeypatch):
    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr(decoding.exact, "project", fail)
    tall = JpegFile.read(jpeg(1300, 300))
    steps = []
    with pytest.raises(MemoryError):
        in_bands.restore(tall, progress=steps.append)
    assert sum(steps) < tall.pixels.shape[0] * tall.pixels.shape[1] / 2
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_seconds_are_those_of_the_stage_alone(in_bands, monkeypatch):
    """Overlapping bands are not counted twice, and time spent waiting is not counted."""
    file = JpegFile.read(jpeg(**LARGE))
    restore, project = in_bands.runtime.restore, decoding.exact.project

    def network(*arguments):
        time.sleep(0.05)
        return restore(*arguments)

    def projected(*arguments):
        time.sleep(0.05)
        return project(*arguments)

    monkeypatch.setattr(in_bands.runtime, "restore", network)
    monkeypatch.setattr(decoding.exact, "project", projected)
    started = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(in_bands.restore, (file, file))
    elapsed = time.perf_counter() - started
    # They take turns at the network: with the waiting it would be nearly twice the time elapsed.
    assert first.seconds["network"] + second.seconds["network"] < 1.4 * elapsed
    for restored in (first, second):
        spent = restored.seconds
        assert list(spent) == ["network", "projection", "certificate"]
        assert spent["network"] > 15 * 0.05  # tiles
        assert spent["projection"] > 5 * 0.05  # bands
    assert np.array_equal(first.pixels, second.pixels)
