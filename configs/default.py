"""Every setting of a training, with what it means; the other configs change a few of them."""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """The defaults: the paper's network, as a regression."""
    return ConfigDict(
        {
            "seed": 0,
            # The network: a preset, and weights to start from ("" for none).
            "preset": "paper",
            "initial_weights": "",
            # Photographs: a folder, searched recursively; a share is held back by name.
            "images": "",
            "cache_mb": 2000.0,
            "validation_share": 0.04,
            "validation_size": 192,
            "validation_qualities": (10, 20, 40),
            # Patches: side, largest square in patches, and how they are compressed.
            "patch": 128,
            "max_scale": 2.5,
            "quality_low": 5,
            "quality_high": 95,
            "quality_skew": 1.0,
            "sampling": {"4:2:0": 0.7, "4:2:2": 0.1, "4:4:4": 0.2},
            # Optimization: Adam (0.9, 0.99), cosine from the first to the final rate.
            "loss": "mse",
            "batch": 32,
            "steps": 50_000,
            "learning_rate": 1e-4,
            "final_learning_rate": 1e-6,
            "ema": 0.999,
            # How often, in steps.
            "log_every": 100,
            "validate_every": 1000,
            "checkpoint_every": 1000,
        }
    )
