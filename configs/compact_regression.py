r"""`compact` as a regression, the start of compact_ours: quality 5-95, more of the low ones.

    jpeg-gan-train --config=configs/compact_regression.py --config.images=FOLDER \
        --workdir=runs/compact_regression

For a CPU: small batches, no pictures. On a GPU add --config.mixed_precision=bfloat16.
"""

from ml_collections import ConfigDict

from configs import default


def get_config() -> ConfigDict:
    """Root mean squared error, so that every image counts as it does in the mean PSNR."""
    config = default.get_config()
    config.update(
        preset="compact",
        patch_scale="near",
        patch=128,
        batch=4,
        quality_skew=1.5,
        loss="rmse",
        steps=30_000,
        learning_rate=7e-4,
        final_learning_rate=1e-6,
        warm_up_steps=300,
        ema=0.998,
        validation_qualities=(5, 10, 20, 40),
        validate_every=400,
        checkpoint_every=250,
        log_every=50,
        pictures_every=0,
    )
    return config
