r"""The start of general_ours: 50,000 steps of squared error, "important for stabilizing".

    python -m keras_jpeg_gan.data.prepare --name=imagenet2012 --manual_dir=ARCHIVES
    jpeg-gan-train --config=configs/general_regression.py --config.mixed_precision=bfloat16 \
        --workdir=runs/general_regression

Not a row of a table. One H100: estimated from 13.4 TFLOP per step, not measured, 1 to 4 hours.
"""

from ml_collections import ConfigDict

from configs import default


def get_config() -> ConfigDict:
    """ImageNet at qualities 5 to 50.

    The paper says neither that it trains on ImageNet nor how it draws the qualities: the
    exponential distribution is that of the authors' early code for FFHQ.
    """
    config = default.get_config()
    config.update(
        images="tfds:imagenet2012",
        validation_share=0.0002,
        validation_qualities=(5, 10, 20),
        upright=True,
        quality_distribution="exponential",
        quality_low=5,
        quality_high=50,
        quality_mean=10.0,
        steps=50_000,
    )
    config.sampling = ConfigDict({"4:2:0": 1.0})
    return config
