"""The limits of what a file may ask for."""

import pytest

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.limits import FileLimits


def test_limits_include_their_own_values() -> None:
    limits = FileLimits(max_megapixels=0.06, max_file_mb=0.001)
    limits.check_image_size(300, 200)
    limits.check_file_size(1000)
    with pytest.raises(JpegFormatError, match=r"300x201 is more than --max_megapixels=0.06"):
        limits.check_image_size(300, 201)
    with pytest.raises(JpegFormatError, match=r"0.00101 MB are more than --max_file_mb=0.001"):
        limits.check_file_size(1010)
