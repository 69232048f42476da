"""A step of this library's TensorFlow loop: the sampler's generator and critic with R1."""

import pathlib
from typing import Any

from benchmarks import inputs
from benchmarks.jpeg_keras import facts
from benchmarks.processes import Tasks
from configs import default
from keras_jpeg_gan.models.cards import find_model
from keras_jpeg_gan.system import import_tensorflow

__all__ = ["facts", "prepare"]

CRITIC_WEIGHTS = "critic.weights.h5"
# What `check` returns of a step's figures; the PyTorch step has the same.
FIGURES = (
    "generator", "consistency", "adversarial", "first_moment", "critic", "r1", "gradient",
    "critic_gradient",
)  # fmt: skip


def prepare(settings: inputs.Settings) -> Tasks:
    """The step on one batch, traced; the critic's first weights are left for PyTorch."""
    import_tensorflow()
    import keras
    import tensorflow as tf

    from keras_jpeg_gan.models.saving import load_weights
    from keras_jpeg_gan.training.losses import noise_length
    from keras_jpeg_gan.training.tensorflow.run import strategy_for
    from keras_jpeg_gan.training.tensorflow.steps import SamplerStep

    weights, card = find_model(settings.model)
    keras.utils.set_random_seed(0)
    config = default.get_config()
    config.update(
        method="sampler",
        preset=card.preset,
        patch=inputs.PATCH,
        batch=inputs.BATCH,
        sampling={"4:2:0": 1.0},
        learning_rate=inputs.LEARNING_RATE,
        critic_learning_rate=inputs.LEARNING_RATE,
        ema=inputs.EMA,
        critic_width=inputs.CRITIC_WIDTH,
        consistency_weight=inputs.CONSISTENCY,
        moment_images=inputs.MOMENT_IMAGES,
        moment_samples=inputs.MOMENT_SAMPLES,
        moment_every=1,
    )
    step = SamplerStep(strategy_for(), config)
    load_weights(step.generator, weights)
    step.critic.save_weights(pathlib.Path(settings.scratch) / CRITIC_WEIGHTS)
    batch = {name: tf.constant(value) for name, value in inputs.training_batch(settings).items()}

    @tf.function
    def checked() -> Any:
        drawn = inputs.training_noise(noise_length(step.generator, inputs.PATCH))
        rates = {
            "learning_rate": inputs.LEARNING_RATE,
            "critic_learning_rate": inputs.LEARNING_RATE,
        }

        def on_replica() -> dict[str, Any]:
            given = batch, *map(tf.constant, drawn), inputs.CONSISTENCY, 1.0
            return step.apply(*step.gradients(*given), rates)

        figures = step.on_replicas(on_replica)
        return [figures[name] for name in FIGURES]

    return {"check": checked, "step": lambda: step(batch, 0)["generator"].numpy()}
