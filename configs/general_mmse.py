r"""The MMSE estimate for general_ours' second moment: 650,000 steps.

    jpeg-gan-train --config=configs/general_mmse.py --config.mixed_precision=bfloat16 \
        --workdir=runs/general_mmse

Not a row of a table. One H100: estimated from 13.4 TFLOP per step, not measured, 16 to 50 hours.
"""

from ml_collections import ConfigDict

from configs import general_regression


def get_config() -> ConfigDict:
    """general_regression, for longer."""
    config = general_regression.get_config()
    config.update(steps=650_000)
    return config
