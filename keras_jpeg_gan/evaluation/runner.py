"""Measures models on photographs compressed at given qualities and samplings."""

import dataclasses
import io
import pathlib
import time
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from keras_jpeg_gan.data.degradation import SUBSAMPLING
from keras_jpeg_gan.data.sources import read_image
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.jpeg.encoder import certify
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics import consistency_rmse, psnr

LIBJPEG = "libjpeg"


@dataclasses.dataclass(frozen=True)
class Row:
    """One image, compressed once, restored by one model.

    Attributes:
        psnr: dB over RGB; consistency: RMSE of `metrics.consistency_rmse`.
        levels_equal, levels_total, largest_violation: the certificate.
        seconds: processor time, over all cores, of the restoration; megapixels: of the image.
    """

    image: str
    quality: int
    sampling: str
    model: str
    psnr: float
    consistency: float
    levels_equal: int
    levels_total: int
    largest_violation: float
    seconds: float
    megapixels: float


def compress(original: np.ndarray, quality: int, sampling: str) -> bytes:
    """An original [H, W, 3] uint8 as a JPEG file by Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(original).save(
        buffer, "JPEG", quality=quality, subsampling=SUBSAMPLING[sampling]
    )
    return buffer.getvalue()


def measure(
    path: pathlib.Path,
    qualities: Sequence[int],
    samplings: Sequence[str],
    decoders: dict[str, Decoder | None],
    projection: str,
) -> Iterator[Row]:
    """All rows of one image.

    Args:
        path: the original.
        qualities: IJG; samplings: keys of `SUBSAMPLING`.
        decoders: by name; None is libjpeg's own decode.
        projection: of `decoder.PROJECTIONS`.

    Raises:
        ConfigError: the original cannot be read. JpegGanError: a restoration fails.
    """
    original = read_image(path)
    for sampling in samplings:
        for quality in qualities:
            file = JpegFile.read(compress(original, quality, sampling))
            for name, decoder in decoders.items():
                pixels, certificate, seconds = file.pixels, None, 0.0
                if decoder is not None:
                    decoder.runtime  # noqa: B018  (loading it is not part of an image's time)
                    start = time.process_time()
                    restored = decoder.restore(file, projection=projection)
                    seconds = time.process_time() - start
                    pixels, certificate = restored.pixels, restored.certificate
                certificate = certificate or certify(
                    pixels, file.levels, file.tables, file.sampling
                )
                yield Row(
                    image=path.name,
                    quality=quality,
                    sampling=sampling,
                    model=name,
                    psnr=psnr(pixels, original),
                    consistency=consistency_rmse(pixels, file.pixels, file.tables, file.sampling),
                    levels_equal=certificate.levels_equal,
                    levels_total=certificate.levels_total,
                    largest_violation=certificate.largest_violation,
                    seconds=seconds,
                    megapixels=original.shape[0] * original.shape[1] / 1e6,
                )
