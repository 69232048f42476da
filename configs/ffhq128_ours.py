r"""Table 4's "Ours", with "Ours-A" (the mean of 64 samples) and "Ours-P" (projected).

    python -m keras_jpeg_gan.data.prepare --name=ffhq --manual_dir=THUMBNAILS
    jpeg-gan-train --config=configs/ffhq128_ours.py --config.mixed_precision=bfloat16 \
        --workdir=runs/ffhq128_ours

Expect, on ids 03000-04999: FID 16.70 +- 0.14, consistency 0.7481, PSNR 23.7595; Ours-A 35.26,
0.3203, 25.4529; Ours-P 18.54, about 0, 23.7767. One H200 or two H100 (steps with 160 images
take some 80 GB): estimated from 22 TFLOP per step, not measured, 16 to 50 hours on the H200.
"""

from ml_collections import ConfigDict

from configs import ffhq128_regression


def get_config() -> ConfigDict:
    """From fresh weights; C's weight rises from 0.1 to 10."""
    config = ffhq128_regression.get_config()
    config.update(
        method="sampler",
        steps=400_000,
        learning_rate=1e-4,
        learning_rate_periods=1,
        final_critic_learning_rate=1e-7,
        consistency_weight=0.1,
        final_consistency_weight=10.0,
    )
    return config
