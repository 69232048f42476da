r"""Table 4's "Regression": the MMSE estimate of FFHQ thumbnails at quality 5.

    python -m keras_jpeg_gan.data.prepare --name=ffhq --manual_dir=THUMBNAILS
    jpeg-gan-train --config=configs/ffhq128_regression.py --config.mixed_precision=bfloat16 \
        --workdir=runs/ffhq128_regression

Expect, on ids 03000-04999: FID 66.14, consistency 5.2217, PSNR 25.6579. Adam and the four
periods are those of the authors' code, the final rate is ours. One H100: estimated from
13.4 TFLOP per step, not measured, 25 to 75 hours.
"""

from ml_collections import ConfigDict

from configs import default


def get_config() -> ConfigDict:
    """Whole portraits of 128 pixels, flipped only; one quality and sampling."""
    config = default.get_config()
    config.update(
        images="tfds:ffhq",
        validation_share=0.002,
        validation_size=128,
        validation_qualities=(5,),
        patch_scale="whole",
        upright=True,
        quality_low=5,
        quality_high=5,
        steps=1_000_000,
        learning_rate=2e-4,
        final_learning_rate=1e-7,
        learning_rate_periods=4,
    )
    config.sampling = ConfigDict({"4:2:0": 1.0})
    return config
