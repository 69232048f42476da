r"""`mobile` as a sampler, from mobile_regression: the recipe of the bundled `default`.

    jpeg-gan-train --config=configs/mobile_ours.py --config.images=FOLDER \
        --config.initial_weights=runs/mobile_regression/generator.weights.h5 \
        --config.feature_weights=vgg16_to_relu3_3_f16.npz --workdir=runs/mobile_ours

Not the paper's training, but one for two CPU cores. The paper's critic would need tens of
thousands of steps to learn what VGG16's frozen features show from the start, so heads on these
features replace it; an energy score of the same features replaces the terms on the first and
second moment; the perceptual term is off; all weights are others than the paper's.
docs/training.md says how the bundled weights, of the preset `plain`, were trained.
"""

from ml_collections import ConfigDict

from configs import default


def get_config() -> ConfigDict:
    """Small patches, two samples of each image, quality 5-95, more of the low ones."""
    config = default.get_config()
    config.update(
        method="sampler",
        preset="mobile",
        patch_scale="near",
        patch=64,
        quality_skew=2.0,
        batch=4,
        steps=20_000,
        learning_rate=2e-4,
        final_learning_rate=1e-5,
        critic="features",
        critic_learning_rate=3e-4,
        final_critic_learning_rate=1e-4,
        r1_weight=10.0,
        r1_every=4,
        adversarial_weight=0.1,
        consistency_weight=0.1,
        final_consistency_weight=1.0,
        energy_weights=(0.3, 0.3, 0.3, 0.3),
        samples=2,
        moment_samples=0,
        moment_images=1,
        validation_qualities=(5, 10, 20),
    )
    return config
