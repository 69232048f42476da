"""Networks by the name of a preset."""

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.base import BLOCK_SIZE, BaseGenerator
from keras_jpeg_gan.models.generator import Generator
from keras_jpeg_gan.models.multiscale import MultiscaleGenerator, PlainGenerator
from keras_jpeg_gan.models.presets import PRESETS

NETWORKS: dict[str, type[BaseGenerator]] = {
    network.__name__: network for network in (Generator, MultiscaleGenerator, PlainGenerator)
}


def from_preset(name: str) -> BaseGenerator:
    """An untrained generator of a named architecture, built; it bears the preset's name.

    Raises:
        ConfigError: there is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r}: there are {', '.join(PRESETS)}")
    preset = PRESETS[name]
    generator = NETWORKS[preset.network](**preset.arguments, name=name)
    generator.build((None, None, None, 3), (None, 2, BLOCK_SIZE, BLOCK_SIZE))
    return generator
