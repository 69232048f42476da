"""Critics: how real an image looks, as logits that the generator learns to raise.

A critic sees one image at a time, an original or a sample. It embeds the image, then scores the
embedding; only the scoring is learned, so the gradient penalty is taken at the embedding.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_jpeg_gan.jpeg.tensors.color import rgb_to_ycbcr
from keras_jpeg_gan.layers import pixel_unshuffle
from keras_jpeg_gan.models.costs import Convolution
from keras_jpeg_gan.models.features import FeatureNetwork

STAGES = (3, 4, 6, 3)
_NEGATIVE_SLOPE = 0.2
# Root mean square of VGG16's relu1_2, relu2_2 and relu3_3 over photographs.
_TAP_RMS = (2.0, 4.0, 7.0)


def _conv(filters: int, size: int, stride: int, name: str, scale: float = 2.0) -> Any:
    """A convolution with zero padding and, by default, Kaiming initialization."""
    return keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same",
        kernel_initializer=keras.initializers.VarianceScaling(scale, "fan_in"),
        name=name,
    )


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class BasicBlock(keras.layers.Layer):
    """ResNet's block of two 3x3 convolutions, without normalization (He et al. 2016)."""

    def __init__(self, filters: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.stride = stride

    def build(self, features_shape: tuple) -> None:
        """Make the convolutions, and a 1x1 one for the shortcut where the shape changes."""
        self.conv_0 = _conv(self.filters, 3, self.stride, "conv_0")
        # Without normalization each block adds its variance. Kept small, the 16 blocks together
        # add two.
        self.conv_1 = _conv(self.filters, 3, 1, "conv_1", scale=2 / sum(STAGES))
        self.conv_0.build(features_shape)
        self.conv_1.build((*features_shape[:-1], self.filters))
        self.shortcut = None
        if self.stride > 1 or features_shape[-1] != self.filters:
            self.shortcut = _conv(self.filters, 1, self.stride, "shortcut", scale=1.0)
            self.shortcut.build(features_shape)

    def call(self, features: Any) -> Any:
        """[B, H, W, C] -> [B, H / stride, W / stride, filters]."""
        beside = features if self.shortcut is None else self.shortcut(features)
        return ops.relu(beside + self.conv_1(ops.relu(self.conv_0(features))))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class Critic(keras.Model):
    """The paper's critic: a plain ResNet34, biases instead of batch normalization, one logit.

    21,276,673 parameters at width 1; images of at least 32 x 32.

    Args:
        width: scales the number of channels; 1 for ResNet34's 64 to 512.
    """

    def __init__(self, width: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        channels = [max(round(width * 64 * 2**stage), 1) for stage in range(len(STAGES))]
        self.first = _conv(channels[0], 7, 2, "first")
        self.blocks = [
            BasicBlock(channels[stage], 2 if stage and not i else 1, name=f"block_{stage}_{i}")
            for stage, count in enumerate(STAGES)
            for i in range(count)
        ]
        self.logit = keras.layers.Dense(1, dtype="float32", name="logit")

    def build(self, image_shape: tuple) -> None:
        """Make all weights."""
        shape: tuple = (None, None, None, 3)
        self.first.build(shape)
        channels = self.first.filters
        for block in self.blocks:
            block.build((None, None, None, channels))
            channels = block.filters
        self.logit.build((None, channels))

    def embed(self, image: Any) -> list[Any]:
        """The image [B, H, W, 3] in [0, 1], unchanged, in a list."""
        return [image]

    def score(self, embedding: Sequence[Any]) -> Any:
        """One logit per image: [B, 1] float32."""
        features = ops.relu(self.first(2 * embedding[0] - 1))
        features = ops.max_pool(features, 3, strides=2, padding="same")
        for block in self.blocks:
            features = block(features)
        return self.logit(ops.cast(ops.mean(features, axis=(1, 2)), "float32"))

    def call(self, image: Any) -> Any:
        """image [B, H, W, 3] in [0, 1] -> [B, 1] float32."""
        return self.score(self.embed(image))

    def convolutions(self) -> list[Convolution]:
        """All convolutions, in order."""
        found = [Convolution(tuple(self.first.kernel.shape), 2)]
        stride = 4  # after the pooling
        for block in self.blocks:
            stride *= block.stride
            kernels = [weight for weight in block.weights if len(weight.shape) == 4]
            found += [Convolution(tuple(kernel.shape), stride) for kernel in kernels]
        return found

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width}


# Chroma varies less in photographs than luma does, but errors in it are easily seen. Without a
# gain it would count for little, and samples would get coloured grain.
_PIXEL_GAIN = (4.0, 16.0, 16.0)


class FeatureCritic(keras.Model):
    """Small heads on the pixels and on frozen VGG16 features.

    After "Projected GANs Converge Faster" (Sauer et al. 2021): what the features already show
    need not be learned. Each head gives a logit at each position, for that neighbourhood only.

    Args:
        features: VGG16 with its three taps.
        width: scales the heads' channels; 1 for 64.
    """

    def __init__(self, features: FeatureNetwork, width: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features
        self.width = width
        # Each head's part of the embedding, and the strides of its convolutions there. A head on
        # relu1_2, at full resolution, would cost more than all of these and see little that the
        # pixels do not show.
        self.heads = {
            part: self._head(f"head_{part}", strides)
            for part, strides in ((0, (1, 2)), (2, (2, 1)), (3, (1, 1)))
        }

    def _head(self, name: str, strides: tuple[int, int]) -> keras.Sequential:
        channels = max(round(64 * self.width), 1)
        layers: list[keras.Layer] = [keras.layers.Conv2D(channels, 1, name="first")]
        for i, stride in enumerate(strides):
            layers += [
                keras.layers.LeakyReLU(negative_slope=_NEGATIVE_SLOPE),
                keras.layers.Conv2D(
                    channels,
                    3,
                    strides=stride,
                    padding="same",
                    kernel_initializer="he_normal",
                    name=f"conv_{i}",
                ),
            ]
        layers += [
            keras.layers.LeakyReLU(negative_slope=_NEGATIVE_SLOPE),
            keras.layers.Conv2D(1, 1, dtype="float32", name="logit"),
        ]
        return keras.Sequential(layers, name=name)

    def build(self, image_shape: tuple) -> None:
        """Make the heads' weights."""
        channels = [12, *self.features.tap_channels]
        for part, head in self.heads.items():
            head.build((None, None, None, channels[part]))

    def embed(self, image: Any) -> list[Any]:
        """Pixels and features of an image [B, H, W, 3] in [0, 1], scaled to about unit size.

        Four tensors [B, h, w, C]: squares of 2x2 pixels in Y, Cb, Cr, then each tap.
        """
        taps = self.features(image)
        scaled = [tap / rms for tap, rms in zip(taps, _TAP_RMS, strict=True)]
        pixels = (rgb_to_ycbcr(255 * image) - 128) * (np.array(_PIXEL_GAIN, np.float32) / 255)
        return [pixel_unshuffle(pixels, 2), *scaled]

    def score(self, embedding: Sequence[Any]) -> Any:
        """Logits from all heads and positions: [B, L] float32."""
        maps = [head(embedding[part]) for part, head in self.heads.items()]
        return ops.concatenate([ops.reshape(m, (m.shape[0], -1)) for m in maps], axis=1)

    def call(self, image: Any) -> Any:
        """image [B, H, W, 3] in [0, 1] -> [B, L] float32."""
        return self.score(self.embed(image))

    def convolutions(self) -> list[Convolution]:
        """All convolutions, in order: the features', then the heads'."""
        found = self.features.convolutions()
        strides = [2, *self.features.tap_strides()]  # the pixels come in squares of 2x2
        for part, head in self.heads.items():
            stride = strides[part]
            for layer in head.layers:
                if isinstance(layer, keras.layers.Conv2D):
                    stride *= layer.strides[0]
                    found.append(Convolution(tuple(layer.kernel.shape), stride))
        return found
