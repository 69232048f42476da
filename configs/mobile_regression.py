r"""`mobile` as a regression, the start of mobile_ours: compact_regression for the small network.

    jpeg-gan-train --config=configs/mobile_regression.py --config.images=FOLDER \
        --workdir=runs/mobile_regression
"""

from ml_collections import ConfigDict

from configs import compact_regression


def get_config() -> ConfigDict:
    """A smaller network: more steps, at a larger rate."""
    config = compact_regression.get_config()
    config.update(preset="mobile", steps=40_000, learning_rate=1e-3, validate_every=500)
    return config
