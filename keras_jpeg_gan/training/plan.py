"""What a config asks of a training: its networks and optimizers, and what each step needs."""

import dataclasses
from typing import Any

import keras

from keras_jpeg_gan.data.examples import PatchDistribution
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.critic import Critic, FeatureCritic
from keras_jpeg_gan.models.features import FeatureNetwork
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.saving import load_weights
from keras_jpeg_gan.training.objectives import REGRESSION
from keras_jpeg_gan.training.precision import policy
from keras_jpeg_gan.training.schedules import scheduled

METHODS = ("regression", "sampler")
CRITICS = ("resnet34", "features")


def check(config: Any) -> None:
    """Refuse settings that no training can have.

    Raises:
        ConfigError: one is wrong, or two contradict each other.
    """
    if config.method not in METHODS:
        raise ConfigError(f"method {config.method!r}: one of {', '.join(METHODS)}")
    if config.loss not in REGRESSION:
        raise ConfigError(f"loss {config.loss!r}: one of {', '.join(REGRESSION)}")
    if config.warm_up_steps < 0:
        raise ConfigError(f"warm_up_steps {config.warm_up_steps}: 0 or more")
    parts = config.micro_batches
    if parts < 1 or config.batch % parts:
        raise ConfigError(f"micro_batches {parts}: 1 or more that divide the batch")
    if config.method == "sampler":
        Plan.from_config(config)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What does not change during a sampler's training.

    Attributes:
        samples: of each image in every step; two where there is an energy score.
        moment_images: one in so many images of the batch counts for the moments.
        moment_samples: how many samples are drawn of each of these.
        samplings: those that occur in batches.
        adversarial, perceptual, first_moment, second_moment: weights of the generator's
            objectives; 0 leaves one out.
        energy: weights of the energy scores of the critic's embedding, one for each of its
            parts, or none.
    """

    samples: int
    moment_images: int
    moment_samples: int
    samplings: tuple[Sampling, ...]
    adversarial: float
    perceptual: float
    first_moment: float
    second_moment: float
    energy: tuple[float, ...]

    @classmethod
    def from_config(cls, config: Any) -> "Plan":
        """The plan of a sampler's config.

        Raises:
            ConfigError: its settings contradict each other.
        """
        if config.critic not in CRITICS:
            raise ConfigError(f"critic {config.critic!r}: {' or '.join(CRITICS)}")
        if config.energy_weights and config.samples != 2:
            raise ConfigError(f"samples {config.samples}: an energy score compares two")
        if config.batch // config.micro_batches % config.moment_images:
            raise ConfigError(
                f"moment_images {config.moment_images} does not divide the batch, or a part of it"
            )
        if config.second_moment_weight and not config.estimate_weights:
            raise ConfigError("second_moment_weight needs estimate_weights, those of a regression")
        if config.critic == "features" and len(config.energy_weights) not in (0, 4):
            raise ConfigError("energy_weights: four, for the pixels and three taps")
        return cls(
            samples=config.samples,
            moment_images=config.moment_images,
            moment_samples=config.moment_samples,
            samplings=PatchDistribution.from_config(config).samplings,
            adversarial=config.adversarial_weight,
            perceptual=config.perceptual_weight,
            first_moment=config.first_moment_weight,
            second_moment=config.second_moment_weight,
            energy=tuple(config.energy_weights),
        )


@dataclasses.dataclass(frozen=True)
class Needs:
    """What one step needs.

    Attributes:
        rates: learning rates and scheduled weights by the names of their settings.
        moments: whether samples are drawn for the moments.
        r1: the weight of the critic's gradient penalty, 0 where it is left out. A step that has
            it also counts for those that leave it out.
    """

    rates: dict[str, float]
    moments: bool = False
    r1: float = 0.0


def needs(config: Any, step: int) -> Needs:
    """What a step (from 0) of a training needs."""
    if config.method == "regression":
        return Needs({"learning_rate": scheduled(config, "learning_rate", step)})
    names = ("learning_rate", "critic_learning_rate", "consistency_weight")
    return Needs(
        rates={name: scheduled(config, name, step) for name in names},
        moments=bool(config.moment_samples) and step % config.moment_every == 0,
        r1=0.0 if step % config.r1_every else config.r1_weight * config.r1_every,
    )


@dataclasses.dataclass(frozen=True)
class Networks:
    """The trained pair, and the frozen networks that some objectives need.

    Attributes:
        estimate: the MMSE estimate that the second moment needs: image, tables -> image.
        perceptual: image -> features before their ReLU.
    """

    generator: BaseGenerator
    critic: Critic | FeatureCritic
    estimate: Any = None
    perceptual: Any = None

    @classmethod
    def from_config(cls, config: Any, generator: BaseGenerator) -> "Networks":
        """The generator, with the other networks that a sampler's config asks for, built.

        Raises:
            ModelError: weights cannot be loaded.
        """
        on_features = config.critic == "features"
        features = FeatureNetwork.load(config.feature_weights) if on_features else None
        with policy(config.mixed_precision):  # frozen networks stay float32
            critic: Critic | FeatureCritic = (
                FeatureCritic(features, config.critic_width, name="critic")
                if features
                else Critic(config.critic_width, name="critic")
            )
            critic.build((None, None, None, 3))
        estimate = perceptual = None
        if config.second_moment_weight:
            estimate = from_preset(config.preset)
            load_weights(estimate, config.estimate_weights)
            estimate.trainable = False
        if config.perceptual_weight:
            perceptual = (
                FeatureNetwork.load(config.feature_weights, before_relu=True)
                if config.feature_weights.endswith(".npz")
                else FeatureNetwork.vgg19(config.feature_weights or "imagenet")
            )
        return cls(generator, critic, estimate, perceptual)


def new_generator(config: Any) -> BaseGenerator:
    """The generator to be trained, with fresh weights.

    Raises:
        ConfigError: there is no such preset or precision.
    """
    with policy(config.mixed_precision):
        return from_preset(config.preset)


def trained_variables(config: Any, generator: BaseGenerator) -> list[Any]:
    """The generator's variables that the config's method trains.

    A regression has no noise, so its scalars have no gradient.
    """
    variables = generator.trainable_variables
    if config.method == "regression":
        return [variable for variable in variables if variable.name != "noise_scale"]
    return variables


def generator_optimizer(config: Any) -> keras.optimizers.Optimizer:
    """The generator's optimizer, which keeps the moving average of its weights."""
    beta_1 = 0.9 if config.method == "regression" else 0.0
    return adam(beta_1, name="adam", use_ema=True, ema_momentum=config.ema)


def critic_optimizer() -> keras.optimizers.Optimizer:
    """The critic's optimizer."""
    return adam(0.0, name="critic_adam")


def adam(beta_1: float, **options: Any) -> keras.optimizers.Optimizer:
    """The optimizer of both networks."""
    return keras.optimizers.Adam(beta_1=beta_1, beta_2=0.99, **options)
