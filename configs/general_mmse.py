r"""The MMSE estimate that general_ours compares variances with: 650,000 steps.

    jpeg-gan-train --config=configs/general_mmse.py --config.mixed_precision=bfloat16 \
        --workdir=runs/general_mmse

No row of a table. One H100: reckoned from 13.4 TFLOP a step, not measured, 16 to 50 hours.
"""

from ml_collections import ConfigDict

from configs import general_regression


def get_config() -> ConfigDict:
    """general_regression, for longer."""
    config = general_regression.get_config()
    config.update(steps=650_000)
    return config
