"""The generator x^ = G(z, y): an RRDB network with injected noise, modulated by the tables.

Man, Ohayon, Adrai, Elad, "High-Perceptual Quality JPEG Decoding via Posterior Sampling"
(arXiv 2211.11827); the network is Real-ESRGAN's, at half resolution. Without noise, the same
network is the regression.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.layers import (
    RRDB,
    Modulation,
    NoisyConv2D,
    ResidualBlock,
    TablesEmbedding,
    pixel_shuffle,
    pixel_unshuffle,
    scaled_noise,
    upsample_nearest,
)
from keras_jpeg_gan.layers.rrdb import NEGATIVE_SLOPE

BLOCK_SIZE = 8

# Named architectures: arguments of `Generator`, with multiply-accumulates a pixel.
PRESETS: dict[str, dict[str, Any]] = {
    # The paper's: 4.25 million.
    "paper": {},
    # At most 0.25 million.
    "compact": {
        "features": 64,
        "blocks": 13,
        "block": "residual",
        "head": "shuffle",
        "body_skip": False,
        "image_skip": True,
        "grid_bias": True,
    },
    # At most 0.05 million.
    "mobile": {
        "features": 32,
        "blocks": 10,
        "block": "residual",
        "head": "shuffle",
        "body_skip": False,
        "image_skip": True,
        "grid_bias": True,
    },
}


def _uniform() -> keras.initializers.Initializer:
    """Uniform in +-1 / sqrt(fan-in)."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _conv(filters: int, name: str) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=_uniform(), name=name)


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class Upsampling(keras.layers.Layer):
    """Nearest upsampling by 2, a convolution that sees noise, LeakyReLU, modulation."""

    def build(
        self, features_shape: tuple, embedding_shape: tuple, noise_shape: tuple | None = None
    ) -> None:
        """Make the convolution, the noise's scalar and the modulation."""
        self.conv = NoisyConv2D(features_shape[-1], _uniform(), name="conv")
        self.conv.build(features_shape)
        self.noise_scale = self.add_weight(name="noise_scale", shape=(), initializer="ones")
        self.modulation = Modulation(name="modulation")
        self.modulation.build(features_shape, embedding_shape)

    def call(self, features: Any, embedding: Any, noise: Any = None) -> Any:
        """features [B, H, W, C], embedding [B, E], noise [B, 2 H, 2 W, 1] or none."""
        field = scaled_noise(self.noise_scale, noise)
        features = ops.leaky_relu(self.conv(upsample_nearest(features), field), NEGATIVE_SLOPE)
        return self.modulation(features, embedding)

    def compute_output_shape(
        self, features_shape: tuple, embedding_shape: tuple, noise_shape: tuple | None = None
    ) -> tuple:
        """[B, H, W, C] -> [B, 2 H, 2 W, C]."""
        batch, height, width, channels = features_shape
        return (batch, height and 2 * height, width and 2 * width, channels)


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class Generator(keras.Model):
    """Restored image from the compressed image, the tables and noise. Defaults: the paper's.

    Args:
        features: channels of the body.
        blocks: how many blocks the body has.
        block: "rrdb" or "residual" (two convolutions, for small networks).
        growth: channels that each convolution of a dense block adds (rrdb only).
        unshuffle: 2 or 4, how many pixels of a side go into one position of the body.
        head: "nearest" (the paper's: nearest upsampling and convolution) or "shuffle" (one
            convolution and a depth-to-space).
        body_skip: a convolution after the body and a skip around both (the paper's).
        image_skip: add the compressed image to the result.
        grid_bias: a learned bias for each position within the 8x8 blocks, added to the first
            convolution's features; sizes must then be multiples of 8.
        table_width: width of the tables' embedding.

    Raises:
        ConfigError: an unknown block or head, or an unshuffle that is not 2 or 4.
    """

    def __init__(
        self,
        features: int = 64,
        blocks: int = 23,
        block: Literal["rrdb", "residual"] = "rrdb",
        growth: int = 32,
        unshuffle: int = 2,
        head: Literal["nearest", "shuffle"] = "nearest",
        body_skip: bool = True,
        image_skip: bool = False,
        grid_bias: bool = False,
        table_width: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if block not in ("rrdb", "residual") or head not in ("nearest", "shuffle"):
            raise ConfigError(f"unknown block {block!r} or head {head!r}")
        if unshuffle not in (2, 4):
            raise ConfigError(f"unshuffle {unshuffle}: 2 or 4")
        self.config = {
            "features": features,
            "blocks": blocks,
            "block": block,
            "growth": growth,
            "unshuffle": unshuffle,
            "head": head,
            "body_skip": body_skip,
            "image_skip": image_skip,
            "grid_bias": grid_bias,
            "table_width": table_width,
        }
        self.unshuffle = unshuffle
        self.image_skip = image_skip
        self.embedding = TablesEmbedding(table_width, name="embedding")
        self.first = _conv(features, "first")
        make_block = (
            (lambda name: RRDB(growth, name=name))
            if block == "rrdb"
            else (lambda name: ResidualBlock(name=name))
        )
        self.body = [make_block(f"block_{i}") for i in range(blocks)]
        self.modulations = [Modulation(name=f"modulation_{i}") for i in range(blocks)]
        self.body_end = _conv(features, "body_end") if body_skip else None
        if head == "nearest":
            count = int(math.log2(unshuffle))
            self.upsamplings = [Upsampling(name=f"upsampling_{i}") for i in range(count)]
            self.head_hidden = _conv(features, "head_hidden")
            self.last = _conv(3, "last")
        else:
            self.upsamplings = []
            self.head_hidden = None
            self.last = _conv(3 * unshuffle**2, "last")
        self.grid_bias: Any = None

    def build(self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None) -> None:
        """Make all weights; their paths depend on the configuration alone."""
        features, table_width = self.config["features"], self.config["table_width"]
        shape, embedded = (None, None, None, features), (None, table_width)
        self.embedding.build((None, 2, BLOCK_SIZE, BLOCK_SIZE))
        self.first.build((None, None, None, 3 * self.unshuffle**2))
        if self.config["grid_bias"]:
            period = BLOCK_SIZE // self.unshuffle
            self.grid_bias = self.add_weight(
                name="grid_bias", shape=(period, period, features), initializer="zeros"
            )
        for block, modulation in zip(self.body, self.modulations, strict=True):
            block.build(shape)
            modulation.build(shape, embedded)
        for upsampling in self.upsamplings:
            upsampling.build(shape, embedded)
        for conv in (self.body_end, self.head_hidden, self.last):
            if conv is not None:
                conv.build(shape)
        if self.image_skip:  # the network starts as the identity, nearly
            self.last.kernel.assign(self.last.kernel * 0.1)

    def call(self, image: Any, tables: Any, noise: Sequence[Any] | None = None) -> Any:
        """Restore.

        Args:
            image: [B, H, W, 3] in [0, 1], the 8-bit decode; H and W multiples of `unshuffle`.
            tables: [B, 2, 8, 8] float32 in steps, luma and chroma (`jpeg.tables.network_tables`).
            noise: standard normal fields with the sizes of `noise_sizes`, each [B, h, w, 1],
                or none, which equals zeros.

        Returns:
            [B, H, W, 3], not clipped.
        """
        fields = None if noise is None else list(noise)
        embedding = self.embedding(tables)
        features = self.first(pixel_unshuffle(image, self.unshuffle))
        if self.grid_bias is not None:
            features = features + self._tiled_grid_bias(features)
        result = features
        for block, modulation in zip(self.body, self.modulations, strict=True):
            own = None
            if fields is not None:
                own, fields = fields[: block.noise_fields], fields[block.noise_fields :]
            result = modulation(block(result, own), embedding)
        if self.body_end is not None:
            result = features + self.body_end(result)
        for i, upsampling in enumerate(self.upsamplings):
            result = upsampling(result, embedding, None if fields is None else fields[i])
        if self.head_hidden is not None:
            result = self.last(ops.leaky_relu(self.head_hidden(result), NEGATIVE_SLOPE))
        else:
            result = pixel_shuffle(self.last(result), self.unshuffle)
        return image + result if self.image_skip else result

    def _tiled_grid_bias(self, features: Any) -> Any:
        height, width = ops.shape(features)[1:3]
        period = BLOCK_SIZE // self.unshuffle
        return ops.tile(self.grid_bias[None], (1, height // period, width // period, 1))

    def noise_sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Height and width of each noise field for an image of that size, in order of use."""
        inner = (height // self.unshuffle, width // self.unshuffle)
        sizes = [inner] * sum(block.noise_fields for block in self.body)
        for i in range(len(self.upsamplings)):
            sizes.append((inner[0] << (i + 1), inner[1] << (i + 1)))
        return sizes

    def macs_per_pixel(self) -> float:
        """Multiply-accumulates of the convolutions an input pixel, modulation left out."""
        outer = [u.conv for u in self.upsamplings]
        sides = [self.unshuffle >> (i + 1) for i in range(len(outer))]
        if self.head_hidden is not None:
            outer += [self.head_hidden, self.last]
            sides += [1, 1]
        total = sum(
            math.prod(conv.kernel.shape) / side**2 for conv, side in zip(outer, sides, strict=True)
        )
        done = {id(conv.kernel) for conv in outer}
        inner = [
            math.prod(weight.shape)
            for weight in self.trainable_variables
            if len(weight.shape) == 4 and id(weight) not in done
        ]
        return total + sum(inner) / self.unshuffle**2

    def compute_output_shape(
        self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None
    ) -> tuple:
        """The image's shape."""
        return image_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), **self.config}

    @classmethod
    def from_preset(cls, name: str) -> "Generator":
        """An untrained generator of a named architecture, built.

        Raises:
            ConfigError: no preset has that name.
        """
        if name not in PRESETS:
            raise ConfigError(f"no preset {name!r}: there are {', '.join(PRESETS)}")
        generator = cls(**PRESETS[name], name=name)
        generator.build((None, None, None, 3), (None, 2, BLOCK_SIZE, BLOCK_SIZE))
        return generator
