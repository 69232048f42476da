r"""The bundled `regression`, first part: `mobile` on absolute error, quality 5-95.

    jpeg-gan-train --config=configs/mobile_regression.py --config.images=FOLDER \
        --workdir=runs/mobile

Half an hour on two free CPU cores. configs/mobile_regression_finish.py goes on from its weights.
"""

from ml_collections import ConfigDict

from configs import default


def get_config() -> ConfigDict:
    """Small patches and a large rate."""
    config = default.get_config()
    config.update(
        preset="mobile",
        patch=64,
        quality_skew=1.5,
        loss="mae",
        batch=16,
        steps=8_000,
        learning_rate=1e-3,
        final_learning_rate=2e-4,
        ema=0.998,
    )
    return config
