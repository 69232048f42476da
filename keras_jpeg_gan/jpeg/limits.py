"""What a file may ask for; anything more is refused before memory is allocated for it."""

from dataclasses import dataclass

from keras_jpeg_gan.errors import JpegFormatError


@dataclass(frozen=True)
class FileLimits:
    """The largest files that are read.

    Attributes:
        max_megapixels: width times height.
        max_scans: number of scans.
        max_file_mb: size of the file.
        max_pixels_per_byte: a block's DC level takes at least one bit, so that Huffman-coded
            files have at most 512 pixels per byte.
        max_scanned_megapixels: megapixels times scans. An ordinary progressive file of 500
            megapixels has 5000, which take libjpeg some ten seconds.
    """

    max_megapixels: float = 500
    max_scans: int = 500
    max_file_mb: float = 500
    max_pixels_per_byte: float = 1000
    max_scanned_megapixels: float = 20_000

    def check_file_size(self, size: int) -> None:
        """Refuse a file of too many bytes.

        Raises:
            JpegFormatError: there are more than the limit.
        """
        if size > self.max_file_mb * 1e6:
            raise JpegFormatError(
                f"{size / 1e6:.3g} MB are more than --max_file_mb={self.max_file_mb:g}"
            )

    def check_image_size(self, width: int, height: int, channels: int = 3) -> None:
        """Refuse an image of too many pixels; here, of any number of channels.

        Raises:
            JpegFormatError: there are more than the limit.
        """
        if width * height > self.max_megapixels * 1e6:
            raise JpegFormatError(
                f"{width}x{height} is more than --max_megapixels={self.max_megapixels:g}"
            )
