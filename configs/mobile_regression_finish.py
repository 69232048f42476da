r"""The bundled `regression`, second part: larger patches, root mean squared error, to rate 0.

    jpeg-gan-train --config=configs/mobile_regression_finish.py --config.images=FOLDER \
        --config.initial_weights=runs/mobile/generator.weights.h5 --workdir=runs/mobile_finish
"""

from ml_collections import ConfigDict

from configs import mobile_regression


def get_config() -> ConfigDict:
    """Larger patches have fewer pixels that see the padding; squared error is what PSNR counts."""
    config = mobile_regression.get_config()
    config.update(
        patch=96,
        batch=8,
        quality_skew=1.2,
        loss="rmse",
        steps=4_000,
        learning_rate=2e-4,
        final_learning_rate=1e-6,
    )
    return config
