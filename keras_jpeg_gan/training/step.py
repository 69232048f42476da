"""The sampler's losses of one step, in keras.ops: both loops differentiate these functions."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_jpeg_gan.data.examples import PatchLaw
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.models.critic import Critic, FeatureCritic
from keras_jpeg_gan.models.features import FeatureNetwork
from keras_jpeg_gan.models.generator import Generator
from keras_jpeg_gan.models.presets import load_weights
from keras_jpeg_gan.training import objectives
from keras_jpeg_gan.training.precision import policy

CRITICS = ("resnet34", "features")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What does not change during a training.

    Attributes:
        samples: of each image in every step; two where there is an energy score.
        moment_images: every so many-th image of the batch is one of those whose moments count.
        moment_samples: of each of these.
        samplings: those that the batches have.
        adversarial, perceptual, first_moment, second_moment: weights of the generator's
            objectives; 0 leaves one out.
        energy: weights of the energy scores of the critic's embedding, one for each of its
            parts, or none.
        r1: weight of the critic's gradient penalty.
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
    r1: float

    @classmethod
    def from_config(cls, config: Any) -> "Plan":
        """The plan of a sampler's config.

        Raises:
            ConfigError: its settings contradict each other.
        """
        if config.energy_weights and config.samples != 2:
            raise ConfigError(f"samples {config.samples}: an energy score compares two")
        if config.batch % config.moment_images:
            raise ConfigError(f"moment_images {config.moment_images} does not divide the batch")
        if config.second_moment_weight and not config.estimate_weights:
            raise ConfigError("second_moment_weight needs estimate_weights, of a regression")
        if config.critic == "features" and len(config.energy_weights) not in (0, 4):
            raise ConfigError("energy_weights: of pixels and three taps")
        return cls(
            samples=config.samples,
            moment_images=config.moment_images,
            moment_samples=config.moment_samples,
            samplings=PatchLaw.from_config(config).samplings,
            adversarial=config.adversarial_weight,
            perceptual=config.perceptual_weight,
            first_moment=config.first_moment_weight,
            second_moment=config.second_moment_weight,
            energy=tuple(config.energy_weights),
            r1=config.r1_weight,
        )


@dataclasses.dataclass(frozen=True)
class Networks:
    """The trained pair, and the frozen networks that some objectives need.

    Attributes:
        estimate: the MMSE estimate of the second moment: image, tables -> image.
        perceptual: image -> features before their ReLU.
    """

    generator: Generator
    critic: Critic | FeatureCritic
    estimate: Any = None
    perceptual: Any = None

    @classmethod
    def from_config(cls, config: Any, generator: Generator) -> "Networks":
        """The networks beside a generator that a sampler's config asks for, built.

        Raises:
            ConfigError: the critic is unknown. ModelError: weights cannot be loaded.
        """
        if config.critic not in CRITICS:
            raise ConfigError(f"critic {config.critic!r}: {' or '.join(CRITICS)}")
        on_features = config.critic == "features"
        features = FeatureNetwork.load(config.feature_weights) if on_features else None
        with policy(config.mixed_precision):  # what is frozen stays float32
            critic: Critic | FeatureCritic = (
                FeatureCritic(features, config.critic_width, name="critic")
                if features
                else Critic(config.critic_width, name="critic")
            )
            critic.build((None, None, None, 3))
        estimate = perceptual = None
        if config.second_moment_weight:
            estimate = Generator.from_preset(config.preset)
            load_weights(estimate, config.estimate_weights)
            estimate.trainable = False
        if config.perceptual_weight:
            perceptual = (
                FeatureNetwork.load(config.feature_weights, before_relu=True)
                if config.feature_weights.endswith(".npz")
                else FeatureNetwork.vgg19(config.feature_weights or "imagenet")
            )
        return cls(generator, critic, estimate, perceptual)


def adam(beta_1: float, **options: Any) -> keras.optimizers.Optimizer:
    """The optimizer of both networks."""
    return keras.optimizers.Adam(beta_1=beta_1, beta_2=0.99, **options)


def noise_length(generator: Generator, size: int) -> int:
    """How many normals all fields of an image of size x size need."""
    return sum(height * width for height, width in generator.noise_sizes(size, size))


def noise_fields(generator: Generator, noise: Any, size: int) -> list[Any]:
    """[B, noise_length] as the generator's fields [B, h, w, 1], in order."""
    fields, start = [], 0
    for height, width in generator.noise_sizes(size, size):
        part = noise[:, start : start + height * width]
        fields.append(ops.reshape(part, (-1, height, width, 1)))
        start += height * width
    return fields


def scaled(batch: Mapping[str, Any]) -> dict[str, Any]:
    """A batch with its images as float32 in [0, 1]."""
    images = {name: ops.cast(batch[name], "float32") / 255 for name in ("original", "compressed")}
    return {**batch, **images}


def generator_losses(
    networks: Networks,
    plan: Plan,
    batch: Mapping[str, Any],
    real: Sequence[Any],
    noise: Any,
    moment_noise: Any | None,
    consistency: Any,
    consistency_penalty: Callable[..., Any] = objectives.consistency_penalty,
) -> tuple[dict[str, Any], list[Any]]:
    """The generator's objective, eq. 10 and what the plan adds to it.

    Args:
        batch: of `scaled`, B images.
        real: the critic's embedding of the originals.
        noise: [samples B, noise_length].
        moment_noise: [moment_samples M, noise_length] for the B / moment_images = M images
            whose moments count in this step, or none.
        consistency: the weight of C now.
        consistency_penalty: that of `objectives`, or the same compiled by the backend.

    Returns:
        Means over the images, "generator" being the weighted sum of the others; and the critic's
        embedding of the samples.
    """
    fakes, drawn = _restore_all(networks.generator, plan, batch, noise, moment_noise)
    repeated = {name: _repeated(value, plan.samples) for name, value in batch.items()}
    embedding = networks.critic.embed(fakes)
    penalty = consistency_penalty(
        fakes, repeated["original"], repeated["tables"], repeated["sampling"], plan.samplings
    )
    terms = {"consistency": (consistency, penalty)}
    if plan.adversarial:
        logits = networks.critic.score(embedding)
        terms["adversarial"] = plan.adversarial, objectives.generator_adversarial(logits)
    if plan.perceptual:
        taps = networks.perceptual(fakes), networks.perceptual(repeated["original"])
        terms["perceptual"] = plan.perceptual, objectives.perceptual(*taps)
    for index, weight in enumerate(plan.energy):
        a, b = ops.split(embedding[index], 2)
        terms[f"energy_{index}"] = weight, objectives.energy_score(a, b, real[index])
    if drawn is not None:
        some = {name: value[:: plan.moment_images] for name, value in batch.items()}
        first = objectives.first_moment(drawn, some["original"])
        terms["first_moment"] = plan.first_moment, first
        if plan.second_moment:
            estimate = ops.stop_gradient(networks.estimate(some["compressed"], some["tables"]))
            second = objectives.second_moment(drawn, some["original"], estimate)
            terms["second_moment"] = plan.second_moment, second
    losses = {name: ops.mean(values) for name, (_, values) in terms.items()}
    losses["generator"] = sum(weight * losses[name] for name, (weight, _) in terms.items())
    return losses, embedding


def critic_losses(
    networks: Networks,
    plan: Plan,
    real: Sequence[Any],
    fake: Sequence[Any],
    penalty: float,
    gradient: Callable[[Callable[[Sequence[Any]], Any], Sequence[Any]], Sequence[Any]],
) -> dict[str, Any]:
    """The critic's objective, eq. 9.

    Args:
        real, fake: its embeddings of the originals and of the samples.
        penalty: the weight of R1 in this step, 0 where it is left out.
        gradient: gradient(f, parts) is the backend's df / d parts of a scalar f(parts), itself
            differentiable.

    Returns:
        Means over the images, "critic" being their sum as it is minimized; the mean logits.
    """
    score = networks.critic.score
    fake = [ops.stop_gradient(part) for part in fake]
    real_logits, fake_logits = score(real), score(fake)
    on_real, on_fake = objectives.critic_adversarial(real_logits, fake_logits)
    losses = {
        "critic": ops.mean(on_real) + ops.mean(on_fake),
        "logit_real": ops.mean(real_logits),
        "logit_fake": ops.mean(fake_logits),
    }
    if penalty:
        gradients = gradient(lambda parts: ops.sum(ops.mean(score(parts), axis=1)), real)
        losses["r1"] = ops.mean(objectives.squared_norm(gradients))
        losses["critic"] = losses["critic"] + penalty / 2 * losses["r1"]
    return losses


def _repeated(value: Any, count: int) -> Any:
    return ops.tile(value, (count,) + (1,) * (len(value.shape) - 1))


def _restore_all(
    generator: Generator, plan: Plan, batch: Mapping[str, Any], noise: Any, moment_noise: Any | None
) -> tuple[Any, Any | None]:
    """Samples of all images, and those of which moments are taken, in one pass."""
    size = batch["compressed"].shape[1]
    inputs = [_repeated(batch[name], plan.samples) for name in ("compressed", "tables")]
    count = inputs[0].shape[0]
    if moment_noise is not None:
        some = [batch[name][:: plan.moment_images] for name in ("compressed", "tables")]
        more = [_repeated(value, plan.moment_samples) for value in some]
        inputs = [ops.concatenate(pair) for pair in zip(inputs, more, strict=True)]
        noise = ops.concatenate([noise, moment_noise])
    restored = generator(*inputs, noise_fields(generator, noise, size))
    if moment_noise is None:
        return restored, None
    drawn = ops.reshape(restored[count:], (plan.moment_samples, -1, size, size, 3))
    return restored[:count], drawn
