r"""A point of Figure 2: FFHQ with a constant weight of C, given in the command.

    jpeg-gan-train --config=configs/ffhq128_constant.py:1.0 --config.mixed_precision=bfloat16 \
        --workdir=runs/ffhq128_constant_1

No table has the figure's numbers; its ends are Table 4's rows "lambda_C = 0"
(ffhq128_no_consistency) and, with a rising weight, "Ours" (ffhq128_ours). Hours and hardware are
those of ffhq128_ours.
"""

from ml_collections import ConfigDict

from configs import ffhq128_ours


def get_config(weight: str = "1.0") -> ConfigDict:
    """ffhq128_ours with the given weight of C from the first to the last step."""
    config = ffhq128_ours.get_config()
    config.update(consistency_weight=float(weight), final_consistency_weight=float(weight))
    return config
