"""What a training would be, without starting it: config, cost of the networks, first batch."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.examples import PatchLaw, example_batch, worker_positions
from keras_jpeg_gan.data.sources import split
from keras_jpeg_gan.metrics.distortion import psnr
from keras_jpeg_gan.models.critic import Critic, FeatureCritic
from keras_jpeg_gan.models.features import FeatureNetwork, Pool
from keras_jpeg_gan.models.generator import Generator
from keras_jpeg_gan.models.presets import load_weights
from keras_jpeg_gan.training import loop
from keras_jpeg_gan.training.precision import MixedGenerator, policy
from keras_jpeg_gan.training.step import Networks, Plan

_FLOAT32 = 4
# Copies of the trained weights: themselves, gradients, Adam's two moments; a moving average.
_COPIES, _AVERAGED = 4, 1


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution in a network.

    Attributes:
        kernel: its shape [kh, kw, in, out].
        side: pixels of a side of the image that one of its positions stands for.
    """

    kernel: tuple[int, ...]
    side: int

    @property
    def macs(self) -> float:
        """Multiply-accumulates an image pixel."""
        return math.prod(self.kernel) / self.side**2

    @property
    def values(self) -> float:
        """Values an image pixel that a gradient needs: what goes in and what comes out."""
        return (self.kernel[2] + self.kernel[3]) / self.side**2


def lines(config: Any) -> Iterator[str]:
    """The report, line by line; what is wrong is raised where it is met.

    Raises:
        ConfigError, ModelError: as the training would.
    """
    loop.check(config)
    yield str(config).rstrip()
    source = open_source(config.images, config.cache_mb)
    training, validating = split(source, config.validation_share)
    yield f"images: {len(training)} to train on, {len(validating)} held back"
    law = PatchLaw.from_config(config)
    batch = example_batch(training, law, config.seed, worker_positions(0, config.batch))
    yield f"first batch: {_described(batch)}"
    with policy(config.mixed_precision):
        generator = MixedGenerator.from_preset(config.preset)
    if config.initial_weights:
        load_weights(generator, config.initial_weights)
    yield _network_line(f"generator {config.preset}", generator, config.patch)
    if config.method != "sampler":
        yield _memory_line(_states(generator, _AVERAGED), config.batch * _values(generator), config)
        return
    plan = Plan.from_config(config)
    networks = Networks.from_config(config, generator)
    yield _network_line(f"critic {config.critic}", networks.critic, config.patch)
    states = _states(generator, _AVERAGED) + _states(networks.critic)
    for frozen in (networks.estimate, networks.perceptual):
        states += _FLOAT32 * frozen.count_params() if frozen is not None else 0
    yield _memory_line(states, _sampler_values(config, plan, networks), config)


def convolutions(network: keras.Model) -> list[Convolution]:
    """All convolutions of a generator, a critic or a feature network, in order."""
    if isinstance(network, Generator):
        return _of_generator(network)
    if isinstance(network, Critic):
        return _of_critic(network)
    if isinstance(network, FeatureCritic):
        return _of_feature_critic(network)
    assert isinstance(network, FeatureNetwork)
    return _of_features(network)


def macs_per_pixel(network: keras.Model) -> float:
    """Multiply-accumulates of a network's convolutions an image pixel."""
    return sum(convolution.macs for convolution in convolutions(network))


def _of_generator(generator: Generator) -> list[Convolution]:
    sides = {
        id(upsampling.conv.kernel): generator.unshuffle >> (i + 1)
        for i, upsampling in enumerate(generator.upsamplings)
    }
    if generator.head_hidden is not None:
        sides |= {id(generator.head_hidden.kernel): 1, id(generator.last.kernel): 1}
    return [
        Convolution(tuple(weight.shape), sides.get(id(weight), generator.unshuffle))
        for weight in _kernels(generator)
    ]


def _of_critic(critic: Critic) -> list[Convolution]:
    found = [Convolution(tuple(critic.first.kernel.shape), 2)]
    side = 4  # after the pooling
    for block in critic.blocks:
        side *= block.stride
        found += [Convolution(tuple(kernel.shape), side) for kernel in _kernels(block)]
    return found


def _of_features(network: FeatureNetwork) -> list[Convolution]:
    found, side = [], 1
    kernels = iter(_kernels(network))
    for layer in network.architecture.layers:
        if isinstance(layer, Pool):
            side *= 2
        else:
            side *= layer.stride
            found.append(Convolution(tuple(next(kernels).shape), side))
    return found


def _of_feature_critic(critic: FeatureCritic) -> list[Convolution]:
    found = _of_features(critic.features)
    layers = (layer for layer in critic.features.architecture.layers if not isinstance(layer, Pool))
    taps = [c.side for layer, c in zip(layers, found, strict=True) if layer.tap]
    sides = [2, *taps]  # of the parts of the embedding; pixels come two by two
    for part, head in critic.heads.items():
        side = sides[part]
        for layer in head.layers:
            if isinstance(layer, keras.layers.Conv2D):
                side *= layer.strides[0]
                found.append(Convolution(tuple(layer.kernel.shape), side))
    return found


def _kernels(layer: keras.layers.Layer) -> list[Any]:
    return [weight for weight in layer.weights if len(weight.shape) == 4]


def _values(network: keras.Model) -> float:
    return sum(convolution.values for convolution in convolutions(network))


def _sampler_values(config: Any, plan: Plan, networks: Networks) -> float:
    """Values a pixel of a patch that the largest step holds, over all images."""
    samples = config.batch * plan.samples
    drawn = samples + config.batch // plan.moment_images * plan.moment_samples
    # Samples pass the critic for the generator's sake and for its own; originals once, and
    # R1 goes through it there and back.
    judged = 2 * samples + (3 if plan.r1 else 1) * config.batch
    values = drawn * _values(networks.generator) + judged * _values(networks.critic)
    if networks.perceptual is not None:
        values += samples * _values(networks.perceptual)
    return values


def _states(network: keras.Model, averaged: int = 0) -> int:
    trained = sum(math.prod(weight.shape) for weight in network.trainable_variables)
    return _FLOAT32 * (network.count_params() + trained * (_COPIES - 1 + averaged))


def _network_line(name: str, network: keras.Model, size: int) -> str:
    macs = macs_per_pixel(network)
    return (
        f"{name}: {network.count_params():,} parameters, {macs:,.0f} MAC a pixel, "
        f"{macs * size**2 / 1e9:.3g} GMAC at {size} x {size}"
    )


def _memory_line(states: float, values: float, config: Any) -> str:
    width = _FLOAT32 if config.mixed_precision == "none" else _FLOAT32 // 2
    activations = values * config.patch**2 * width
    return (
        f"memory, estimated, on one device: {(states + activations) / 1e9:.2g} GB "
        f"({states / 1e9:.2g} for weights and optimizers, the rest for a batch of {config.batch})"
    )


def _described(batch: dict[str, np.ndarray]) -> str:
    parts = [f"{name} {list(value.shape)} {value.dtype}" for name, value in batch.items()]
    original, compressed = batch["original"], batch["compressed"]
    return f"{', '.join(parts)}; compressed {psnr(compressed, original):.1f} dB"
