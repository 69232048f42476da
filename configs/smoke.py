r"""A minute on a CPU, to see that everything runs: a regression, then a sampler based on it.

    jpeg-gan-train --config=configs/smoke.py --config.images=FOLDER --workdir=runs/smoke
    jpeg-gan-train --config=configs/smoke.py:sampler --config.images=FOLDER \
        --config.initial_weights=runs/smoke/generator.weights.h5 --workdir=runs/smoke_sampler

Its models are useless.
"""

from ml_collections import ConfigDict

from configs import default


def get_config(method: str = "regression") -> ConfigDict:
    """A few steps of `mobile` on small patches, with all objectives that need no weights."""
    config = default.get_config()
    config.update(
        method=method,
        preset="mobile",
        validation_share=0.1,
        validation_size=64,
        validation_qualities=(10,),
        validation_samples=2,
        patch=32,
        batch=4,
        steps=6,
        critic_width=0.125,
        moment_images=2,
        moment_samples=2,
        moment_every=3,
        r1_every=3,
        log_every=3,
        validate_every=6,
        checkpoint_every=3,
        pictures_every=6,
        pictures=2,
    )
    return config
