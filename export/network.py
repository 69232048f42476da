"""A generator as functions of tensors: what the SavedModel and the TFLite files share."""

import dataclasses
import pathlib
from typing import Any

import tensorflow as tf

from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.cards import ModelCard
from keras_jpeg_gan.models.saving import load_model


@dataclasses.dataclass(frozen=True)
class Network:
    """A generator whose noise fields are named inputs.

    Attributes:
        generator: the generator, with its weights.
        card: its card.
    """

    generator: BaseGenerator
    card: ModelCard

    @classmethod
    def load(cls, model: str | pathlib.Path) -> "Network":
        """Load a model by name or path.

        Raises:
            ModelError: as `saving.load_model`.
        """
        return cls(*load_model(model))

    @property
    def noise_strides(self) -> tuple[int, ...]:
        """Pixels per position along a side, for each noise field; empty for a regression."""
        if not self.card.draws_samples:
            return ()
        return self.generator.noise_strides

    def specs(self, tile: int | None, as_bytes: bool) -> dict[str, tf.TensorSpec]:
        """The inputs of `restore`, by name.

        Args:
            tile: side in pixels, or None for any size.
            as_bytes: pixels are uint8 instead of float32.
        """
        kind = tf.uint8 if as_bytes else tf.float32
        sides = [None if tile is None else tile // stride for stride in self.noise_strides]
        return {
            "pixels": tf.TensorSpec((1, tile, tile, 3), kind, "pixels"),
            "tables": tf.TensorSpec((1, 2, 8, 8), tf.float32, "tables"),
            **{
                f"noise_{i}": tf.TensorSpec((1, side, side, 1), tf.float32, f"noise_{i}")
                for i, side in enumerate(sides)
            },
        }

    def restore(self, pixels: Any, tables: Any, **noise: Any) -> dict[str, Any]:
        """Restore pixels, 0 to 255; the result has their type, and float32 is not clipped.

        Args:
            pixels: [B, H, W, 3] uint8 or float32.
            tables: [B, 2, 8, 8] float32 steps, luma and chroma, natural order.
            noise: `noise_0`, ...: [B, H / stride, W / stride, 1] float32, standard normal.

        Returns:
            `restored`: [B, H, W, 3].
        """
        fields = [noise[f"noise_{i}"] for i in range(len(noise))] or None
        image = tf.cast(pixels, tf.float32) / 255
        restored = 255 * self.generator(image, tables, fields)
        if pixels.dtype == tf.uint8:
            restored = tf.cast(tf.clip_by_value(tf.round(restored), 0, 255), tf.uint8)
        return {"restored": restored}
