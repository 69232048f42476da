"""A generator that works at several resolutions: the bundled networks.

Residual blocks stand at 1/2, 1/4, 1/8, ... of the image, as in a U-Net (Ronneberger et al.,
2015) whose skips are added. Every block has FiLM from the tables and its own noise, so that
what varies between samples can be coherent at each scale. Without noise, the same network is
the regression.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.layers import (
    Modulation,
    ResidualBlock,
    TablesEmbedding,
    pixel_shuffle,
    pixel_unshuffle,
    upsample_nearest,
)

BLOCK_SIZE = 8
UNSHUFFLE = 2


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class MultiscaleGenerator(keras.Model):
    """Restored image from the compressed image, the tables and noise.

    Args:
        widths: channels at each resolution, from 1/2 of the image downward.
        depths: residual blocks at each resolution on the way down, at the coarsest, and on
            the way up again: 2 len(widths) - 1 numbers.
        table_width: width of the tables' embedding.

    Raises:
        ConfigError: the number of depths does not fit the number of widths.
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 48, 64),
        depths: Sequence[int] = (3, 1, 2, 1, 3),
        table_width: int = 64,
        **kwargs: Any,
    ) -> None:
        # Images, tables and noise stay float32 until a layer of the body sees them: bfloat16 has
        # eight bits, and an image's 256 levels near white need nine.
        super().__init__(autocast=False, **kwargs)
        if len(depths) != 2 * len(widths) - 1:
            raise ConfigError(
                f"depths {tuple(depths)}: widths {tuple(widths)} need {2 * len(widths) - 1} numbers"
            )
        self.config: dict[str, Any] = {
            "widths": tuple(widths),
            "depths": tuple(depths),
            "table_width": table_width,
        }
        self.levels = [*range(len(widths)), *reversed(range(len(widths) - 1))]
        self.embedding = TablesEmbedding(table_width, name="embedding")
        self.first = keras.layers.Conv2D(widths[0], 3, padding="same", name="first")
        self.stages = [
            [ResidualBlock(name=f"block_{i}_{j}") for j in range(depth)]
            for i, depth in enumerate(depths)
        ]
        self.modulations = [
            [Modulation(name=f"modulation_{i}_{j}") for j in range(depth)]
            for i, depth in enumerate(depths)
        ]
        self.downsamplings = [
            keras.layers.Conv2D(width, 2, strides=2, name=f"downsampling_{i}")
            for i, width in enumerate(widths[1:])
        ]
        self.upsamplings = [
            keras.layers.Conv2D(width, 1, name=f"upsampling_{i}")
            for i, width in enumerate(reversed(widths[:-1]))
        ]
        # In float32, as its result is the image's.
        self.last = keras.layers.Conv2D(
            3 * UNSHUFFLE**2, 3, padding="same", dtype="float32", name="last"
        )

    @property
    def alignment(self) -> int:
        """Height and width of an image must be multiples of this."""
        return max(BLOCK_SIZE, UNSHUFFLE << (len(self.config["widths"]) - 1))

    def build(self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None) -> None:
        """Make all weights; their paths depend on the configuration alone."""
        widths = self.config["widths"]
        embedded = (None, self.config["table_width"])
        self.embedding.build((None, 2, BLOCK_SIZE, BLOCK_SIZE))
        self.first.build((None, None, None, 3 * UNSHUFFLE**2))
        period = BLOCK_SIZE // UNSHUFFLE
        self.grid_bias = self.add_weight(
            name="grid_bias", shape=(period, period, widths[0]), initializer="zeros"
        )
        for level, blocks, modulations in zip(
            self.levels, self.stages, self.modulations, strict=True
        ):
            shape = (None, None, None, widths[level])
            for block, modulation in zip(blocks, modulations, strict=True):
                block.build(shape)
                modulation.build(shape, embedded)
        for conv, width in zip(self.downsamplings, widths, strict=False):
            conv.build((None, None, None, width))
        for conv, width in zip(self.upsamplings, reversed(widths), strict=False):
            conv.build((None, None, None, width))
        self.last.build((None, None, None, widths[0]))
        self.last.kernel.assign(self.last.kernel * 0.1)  # nearly the identity at the start

    def call(self, image: Any, tables: Any, noise: Sequence[Any] | None = None) -> Any:
        """Restore.

        Args:
            image: [B, H, W, 3] in [0, 1], the 8-bit decode; H and W multiples of `alignment`.
            tables: [B, 2, 8, 8] float32 in steps, luma and chroma (`jpeg.tables.network_tables`).
            noise: standard normal fields with the sizes of `noise_sizes`, each [B, h, w, 1],
                or none, which equals zeros.

        Returns:
            [B, H, W, 3], not clipped.
        """
        fields = iter(noise or ())
        embedding = self.embedding(tables)
        features = self.first(pixel_unshuffle(image, UNSHUFFLE))
        height, width = ops.shape(features)[1:3]
        period = BLOCK_SIZE // UNSHUFFLE
        bias = ops.tile(self.grid_bias[None], (1, height // period, width // period, 1))
        features = features + ops.cast(bias, features.dtype)
        skips: list[Any] = []
        coarsest = len(self.downsamplings)
        for i, (blocks, modulations) in enumerate(zip(self.stages, self.modulations, strict=True)):
            if i > coarsest:
                features = upsample_nearest(self.upsamplings[i - coarsest - 1](features))
                features = features + skips.pop()
            for block, modulation in zip(blocks, modulations, strict=True):
                own = None if noise is None else [next(fields)]
                features = modulation(block(features, own), embedding)
            if i < coarsest:
                skips.append(features)
                features = self.downsamplings[i](features)
        return image + pixel_shuffle(self.last(features), UNSHUFFLE)

    def noise_sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Height and width of each noise field for an image of that size, in order of use."""
        sizes = []
        for level, depth in zip(self.levels, self.config["depths"], strict=True):
            stride = UNSHUFFLE << level
            sizes += [(height // stride, width // stride)] * depth
        return sizes

    def compute_output_shape(
        self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None
    ) -> tuple:
        """The image's shape."""
        return image_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), **self.config}
