"""What all generators share: their inputs and result, and the sizes of their noise."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_jpeg_gan.models.costs import Convolution

BLOCK_SIZE = 8


class BaseGenerator(keras.Model):
    """A restored image from the compressed image, the tables and noise.

    Under a mixed policy the body computes in half precision. Images, tables and noise stay
    float32 until a layer of the body sees them, and the last convolution is float32: bfloat16 has
    eight bits, and an image's 256 levels need nine near white.

    Args:
        config: the constructor's arguments, as `get_config` returns them.
    """

    def __init__(self, config: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.config = config

    @property
    def alignment(self) -> int:
        """Height and width of an image must be multiples of this."""
        raise NotImplementedError

    @property
    def noise_strides(self) -> tuple[int, ...]:
        """Image pixels from one position of each noise field to the next, in order of use."""
        raise NotImplementedError

    def convolutions(self) -> list[Convolution]:
        """All convolutions, in the order in which they are applied."""
        raise NotImplementedError

    def call(self, image: Any, tables: Any, noise: Sequence[Any] | None = None) -> Any:
        """Restore.

        Args:
            image: [B, H, W, 3] in [0, 1], the 8-bit decode; H and W multiples of `alignment`.
            tables: [B, 2, 8, 8] float32 in steps, luma and chroma (`jpeg.tables.network_tables`).
            noise: standard normal fields of the sizes that `noise_sizes` gives, each
                [B, h, w, 1], or none, which equals zeros.

        Returns:
            [B, H, W, 3], not clipped.
        """
        raise NotImplementedError

    def noise_sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Height and width of each noise field for an image of that size, in order of use."""
        return [(height // stride, width // stride) for stride in self.noise_strides]

    def compute_output_shape(
        self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None
    ) -> tuple:
        """The image's shape."""
        return image_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), **self.config}


def of_layer(layer: Any, stride: int) -> Convolution:
    """A built layer's convolution, which has a position every `stride` image pixels."""
    return Convolution(tuple(layer.kernel.shape), stride)
