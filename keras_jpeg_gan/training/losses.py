"""The losses of one step, in keras.ops: both backends differentiate these functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras import ops

from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.training import objectives
from keras_jpeg_gan.training.plan import Networks, Plan


def noise_length(generator: BaseGenerator, size: int) -> int:
    """How many normals the noise fields for an image of size x size need together."""
    return sum(height * width for height, width in generator.noise_sizes(size, size))


def noise_fields(generator: BaseGenerator, noise: Any, size: int) -> list[Any]:
    """[B, noise_length] split into the generator's fields [B, h, w, 1], in order."""
    fields, start = [], 0
    for height, width in generator.noise_sizes(size, size):
        part = noise[:, start : start + height * width]
        fields.append(ops.reshape(part, (-1, height, width, 1)))
        start += height * width
    return fields


def scaled(batch: Mapping[str, Any]) -> dict[str, Any]:
    """A batch with its images as float32 in [0, 1] instead of uint8."""
    images = {name: ops.cast(batch[name], "float32") / 255 for name in ("original", "compressed")}
    return {**batch, **images}


def regression_loss(generator: BaseGenerator, loss: str, batch: Mapping[str, Any]) -> Any:
    """The mean of one of `objectives.REGRESSION` over a `scaled` batch, without noise."""
    restored = generator(batch["compressed"], batch["tables"])
    return ops.mean(objectives.REGRESSION[loss](restored, batch["original"]))


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
        batch: B images, `scaled`.
        real: the critic's embedding of the originals.
        noise: [samples B, noise_length].
        moment_noise: [moment_samples M, noise_length] for the M = B / moment_images images
            whose moments count, or none in a step without moments.
        consistency: the weight of C in this step.
        consistency_penalty: the one in `objectives`, or the same compiled by the backend.

    Returns:
        Means over the images; "generator" is the weighted sum of the others. Then the critic's
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
    real: Sequence[Any],
    fake: Sequence[Any],
    penalty: float,
    gradient: Callable[[Callable[[Sequence[Any]], Any], Sequence[Any]], Sequence[Any]],
) -> dict[str, Any]:
    """The critic's objective, eq. 9.

    Args:
        real, fake: its embeddings of the originals and of the samples.
        penalty: the weight of R1 in this step, 0 to leave it out.
        gradient: gradient(f, parts) is the backend's df / d parts of a scalar f(parts), itself
            differentiable.

    Returns:
        Means over the images: "critic", which is minimized, "r1" if it is taken, and the logits.
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
    generator: BaseGenerator,
    plan: Plan,
    batch: Mapping[str, Any],
    noise: Any,
    moment_noise: Any | None,
) -> tuple[Any, Any | None]:
    """One pass for the samples of all images and those that the moments are taken of."""
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
