"""A generator that works at several resolutions: the bundled networks.

Residual blocks stand at 1/2, 1/4, 1/8, ... of the image's resolution, as in a U-Net (Ronneberger
et al., 2015) whose skips are added. Every block has FiLM from the tables and its own noise, so
that variation between samples can be coherent at each scale. Without noise, the same network is
the regression.
"""

import itertools
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
from keras_jpeg_gan.models.base import BLOCK_SIZE, BaseGenerator, of_layer
from keras_jpeg_gan.models.costs import Convolution

UNSHUFFLE = 2
# Positions of the finest resolution to a side of an 8x8 block.
_PERIOD = BLOCK_SIZE // UNSHUFFLE


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class MultiscaleGenerator(BaseGenerator):
    """Residual blocks at several resolutions, added to the compressed image.

    A bias is learned for each position within the 8x8 blocks.

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
        if len(depths) != 2 * len(widths) - 1:
            raise ConfigError(
                f"depths {tuple(depths)}: widths {tuple(widths)} need {2 * len(widths) - 1} numbers"
            )
        config = {"widths": tuple(widths), "depths": tuple(depths), "table_width": table_width}
        super().__init__(config, **kwargs)
        self.levels = [*range(len(widths)), *reversed(range(len(widths) - 1))]
        # Weight files address layers by the attributes' names and by this order: keep both.
        self.embedding = TablesEmbedding(table_width, name="embedding")
        self.first = keras.layers.Conv2D(widths[0], 3, padding="same", name="first")
        numbers = [f"{i}_{j}" for i, depth in enumerate(depths) for j in range(depth)]
        self.residual_blocks = [ResidualBlock(name=f"block_{number}") for number in numbers]
        self.modulations = [Modulation(name=f"modulation_{number}") for number in numbers]
        self.downsamplings = [
            keras.layers.Conv2D(width, 2, strides=2, name=f"downsampling_{i}")
            for i, width in enumerate(widths[1:])
        ]
        self.upsamplings = [
            keras.layers.Conv2D(width, 1, name=f"upsampling_{i}")
            for i, width in enumerate(reversed(widths[:-1]))
        ]
        self.last = keras.layers.Conv2D(
            3 * UNSHUFFLE**2, 3, padding="same", dtype="float32", name="last"
        )

    @property
    def alignment(self) -> int:
        """As `BaseGenerator`."""
        return max(BLOCK_SIZE, UNSHUFFLE << (len(self.config["widths"]) - 1))

    def build(self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None) -> None:
        """Make all weights; their paths depend on the configuration alone."""
        widths = self.config["widths"]
        embedded = (None, self.config["table_width"])
        self.embedding.build((None, 2, BLOCK_SIZE, BLOCK_SIZE))
        self.first.build((None, None, None, 3 * UNSHUFFLE**2))
        self.grid_bias = self.add_weight(
            name="grid_bias", shape=(_PERIOD, _PERIOD, widths[0]), initializer="zeros"
        )
        for level, stage in zip(self.levels, self._stages(), strict=True):
            shape = (None, None, None, widths[level])
            for block, modulation in stage:
                block.build(shape)
                modulation.build(shape, embedded)
        for conv, width in zip(self.downsamplings, widths, strict=False):
            conv.build((None, None, None, width))
        for conv, width in zip(self.upsamplings, reversed(widths), strict=False):
            conv.build((None, None, None, width))
        self.last.build((None, None, None, widths[0]))
        self.last.kernel.assign(self.last.kernel * 0.1)  # nearly the identity at the start

    def call(self, image: Any, tables: Any, noise: Sequence[Any] | None = None) -> Any:
        """As `BaseGenerator`."""
        image = ops.cast(image, "float32")
        fields = iter(noise or ())
        embedding = self.embedding(tables)
        features = self.first(pixel_unshuffle(image, UNSHUFFLE))
        height, width = ops.shape(features)[1:3]
        bias = ops.tile(self.grid_bias[None], (1, height // _PERIOD, width // _PERIOD, 1))
        features = features + ops.cast(bias, features.dtype)
        skips: list[Any] = []
        coarsest = len(self.downsamplings)
        for i, stage in enumerate(self._stages()):
            if i > coarsest:
                features = upsample_nearest(self.upsamplings[i - coarsest - 1](features))
                features = features + skips.pop()
            for block, modulation in stage:
                own = None if noise is None else [next(fields)]
                features = modulation(block(features, own), embedding)
            if i < coarsest:
                skips.append(features)
                features = self.downsamplings[i](features)
        return image + pixel_shuffle(self.last(features), UNSHUFFLE)

    def _stages(self) -> list[list[tuple[ResidualBlock, Modulation]]]:
        """The blocks at each level, with their modulations."""
        pairs = iter(zip(self.residual_blocks, self.modulations, strict=True))
        return [list(itertools.islice(pairs, depth)) for depth in self.config["depths"]]

    @property
    def noise_strides(self) -> tuple[int, ...]:
        """As `BaseGenerator`."""
        return tuple(
            UNSHUFFLE << level
            for level, depth in zip(self.levels, self.config["depths"], strict=True)
            for _ in range(depth)
        )

    def convolutions(self) -> list[Convolution]:
        """As `BaseGenerator`."""
        found = [of_layer(self.first, UNSHUFFLE)]
        coarsest = len(self.downsamplings)
        for i, (level, stage) in enumerate(zip(self.levels, self._stages(), strict=True)):
            stride = UNSHUFFLE << level
            if i > coarsest:
                # It stands before the upsampling, at the coarser resolution.
                found.append(of_layer(self.upsamplings[i - coarsest - 1], 2 * stride))
            found += [of_layer(conv, stride) for block, _ in stage for conv in block.convs]
            if i < coarsest:
                found.append(of_layer(self.downsamplings[i], 2 * stride))
        return [*found, of_layer(self.last, UNSHUFFLE)]


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class PlainGenerator(MultiscaleGenerator):
    """The network of the bundled weights: a single resolution.

    It goes away, with the preset `plain`, when weights of `compact` and `mobile` replace these.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.body = self.residual_blocks  # by this name their files address the blocks
