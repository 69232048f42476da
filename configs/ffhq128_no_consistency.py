r"""Table 4's "lambda_C = 0", and "lambda_C = 0-P" after projection.

    jpeg-gan-train --config=configs/ffhq128_no_consistency.py \
        --config.mixed_precision=bfloat16 --workdir=runs/ffhq128_no_consistency

Expect, on ids 03000-04999: FID 16.46 +- 0.16, consistency 11.8848, PSNR 23.3457; projected 20.60,
about 0, 23.4896. Hours and hardware are those of ffhq128_ours.
"""

from ml_collections import ConfigDict

from configs import ffhq128_constant


def get_config() -> ConfigDict:
    """ffhq128_ours without C."""
    return ffhq128_constant.get_config("0")
