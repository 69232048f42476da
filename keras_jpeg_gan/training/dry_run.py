"""What a training would be, without starting it: config, first batch, networks and memory."""

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_jpeg_gan.data.examples import example_batch, worker_positions
from keras_jpeg_gan.metrics.distortion import psnr
from keras_jpeg_gan.models.costs import macs_per_pixel, values_per_pixel
from keras_jpeg_gan.training import plan, session

_FLOAT32 = 4
# Copies of the trained weights: themselves, gradients and Adam's two moments, and an average.
_COPIES, _AVERAGED = 4, 1


def lines(config: Any, memory_gb: float | None = None) -> Iterator[str]:
    """The report, line by line, up to the first thing that is wrong.

    Args:
        config: the training's.
        memory_gb: of a device; then the report ends with the micro-batches that fit it.

    Raises:
        ConfigError, ModelError: as the training would.
    """
    yield str(config).rstrip()
    data = session.Data(config)
    yield f"images: {len(data.training)} to train on, {len(data.validating)} held back"
    positions = worker_positions(0, config.batch)
    batch = example_batch(data.training, data.patches, config.seed, positions)
    yield f"first batch: {_described(batch)}"
    generator = plan.new_generator(config)
    session.initialize(generator, config)
    yield _network_line(f"generator {config.preset}", generator, config.patch)
    if config.method != "sampler":
        values = config.batch * values_per_pixel(generator)
        yield from _memory_lines(_states(generator, _AVERAGED), values, config, memory_gb)
        return
    networks = plan.Networks.from_config(config, generator)
    yield _network_line(f"critic {config.critic}", networks.critic, config.patch)
    states = _states(generator, _AVERAGED) + _states(networks.critic)
    for frozen in (networks.estimate, networks.perceptual):
        states += _FLOAT32 * frozen.count_params() if frozen is not None else 0
    values = _sampler_values(config, networks)
    yield from _memory_lines(states, values, config, memory_gb)


def _sampler_values(config: Any, networks: plan.Networks) -> float:
    """Values per pixel of a patch that the largest step holds, over all images."""
    samples = config.batch * config.samples
    drawn = samples + config.batch // config.moment_images * config.moment_samples
    # Samples pass the critic once for the generator and once for the critic; originals once, and
    # R1 goes through it there and back.
    judged = 2 * samples + (3 if config.r1_weight else 1) * config.batch
    values = drawn * values_per_pixel(networks.generator)
    values += judged * values_per_pixel(networks.critic)
    if networks.perceptual is not None:
        values += samples * values_per_pixel(networks.perceptual)
    return values


def _states(network: keras.Model, averaged: int = 0) -> int:
    trained = sum(math.prod(weight.shape) for weight in network.trainable_variables)
    return _FLOAT32 * (network.count_params() + trained * (_COPIES - 1 + averaged))


def _network_line(name: str, network: keras.Model, size: int) -> str:
    macs = macs_per_pixel(network)
    return (
        f"{name}: {network.count_params():,} parameters, {macs:,.0f} MAC per pixel, "
        f"{macs * size**2 / 1e9:.3g} GMAC at {size} x {size}"
    )


def _memory_lines(
    states: float, values: float, config: Any, memory_gb: float | None
) -> Iterator[str]:
    """The memory of the config, and the fewest micro-batches that fit in memory_gb.

    Args:
        states: bytes of weights, gradients and optimizers.
        values: values per pixel of a patch that a step holds for the whole batch.
    """
    width = _FLOAT32 if config.mixed_precision == "none" else _FLOAT32 // 2

    def needed(parts: int) -> float:
        return (states + values * config.patch**2 * width / parts) / 1e9

    split = f" in {config.micro_batches} parts" if config.micro_batches > 1 else ""
    yield (
        f"memory, estimated, on one device: {needed(config.micro_batches):.2g} GB "
        f"({states / 1e9:.2g} for weights and optimizers, the rest for a batch of {config.batch}"
        f"{split})"
    )
    if memory_gb is None:
        return
    unit = config.moment_images if config.method == "sampler" else 1
    fitting = [
        parts
        for parts in range(1, config.batch + 1)
        if config.batch % parts == 0
        and config.batch // parts % unit == 0
        and needed(parts) <= memory_gb
    ]
    yield (
        f"--config.micro_batches={fitting[0]} fits {memory_gb:g} GB: {needed(fitting[0]):.2g} GB, "
        f"{config.batch // fitting[0]} images at once"
        if fitting
        else f"no number of micro_batches fits {memory_gb:g} GB"
    )


def _described(batch: dict[str, np.ndarray]) -> str:
    parts = [f"{name} {list(value.shape)} {value.dtype}" for name, value in batch.items()]
    original, compressed = batch["original"], batch["compressed"]
    return f"{', '.join(parts)}; compressed {psnr(compressed, original):.1f} dB"
