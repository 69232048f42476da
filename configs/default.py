"""Every setting of a training, with what it means; the other configs change a few of them."""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """The defaults: the paper's network, as a regression."""
    return ConfigDict(
        {
            "seed": 0,
            # "regression" (no noise) or "sampler" (the paper's training).
            "method": "regression",
            # The network: a preset, and weights to start from ("" for none).
            "preset": "paper",
            "initial_weights": "",
            # Photographs: a folder, searched recursively, a packed cache, or tfds:NAME. A share is
            # held back for validation, chosen by a hash of the name.
            "images": "",
            "cache_mb": 2000.0,
            "validation_share": 0.04,
            "validation_size": 192,
            "validation_qualities": (10, 20, 40),
            # Patches: side, squares in the photograph that are reduced to it, compression. The
            # squares are "uniform" (the paper's: between the patch and the whole photograph),
            # "near" (half the patch itself, the others up to max_scale patches) or "whole".
            "patch": 128,
            "patch_scale": "uniform",
            "max_scale": 2.5,
            # Distribution of the qualities: "skewed" (uniform to the power quality_skew) or
            # "exponential" (on average quality_mean above quality_low), as in the code that the
            # authors published before the paper.
            "quality_distribution": "skewed",
            "quality_mean": 10.0,
            "quality_low": 5,
            "quality_high": 95,
            "quality_skew": 1.0,
            # The share of files with the tables of a camera or an application; whether patches
            # stay upright, as faces should.
            "other_tables": 0.0,
            "upright": False,
            # The share of patches with the soft colors of a camera's mosaic: see docs/training.md.
            "soft_chroma": 0.0,
            # The share of patches that are compressed a second time, finer and on another grid,
            # as the decoder shows them to the network. A sampler's C is then approximate.
            "resaved": 0.0,
            "sampling": {"4:2:0": 0.7, "4:2:2": 0.1, "4:4:4": 0.2},
            # Optimization: Adam (betas 0.9, 0.99; a sampler's 0, 0.99), cosine from the first to
            # the final rate, in one period or several, and in the first steps a linear warm-up
            # of both networks' rates.
            "batch": 32,
            # Parts of a batch that go through the networks one after the other. The step is the
            # same, in less memory; --dry_run --memory_gb=N says how many parts fit.
            "micro_batches": 1,
            "steps": 50_000,
            "learning_rate": 1e-4,
            "final_learning_rate": 1e-6,
            "learning_rate_periods": 1,
            "warm_up_steps": 0,
            "ema": 0.999,
            # Precision of the trained networks: "none" (float32 throughout), "bfloat16" or
            # "float16" (with loss scaling). Weights, losses and images stay float32.
            "mixed_precision": "none",
            # A regression's loss: mse, mae or rmse.
            "loss": "mse",
            # A sampler's critic: "resnet34" (the paper's; width 1 is its 64 to 512 channels) or
            # "features" (heads on frozen VGG16, feature_weights; width 1 is 64 channels).
            "critic": "resnet34",
            "critic_width": 1.0,
            "critic_learning_rate": 1e-4,
            "final_critic_learning_rate": 1e-6,
            "r1_weight": 1.0,
            "r1_every": 1,
            # A sampler's objectives; weight 0 leaves one out. C's weight follows a cosine.
            "adversarial_weight": 1e-3,
            "consistency_weight": 1.0,
            "final_consistency_weight": 1e3,
            "first_moment_weight": 1.0,
            "second_moment_weight": 0.0,
            "perceptual_weight": 0.0,
            "energy_weights": (),
            # Samples of each image. In one of moment_every steps, one of moment_images images has
            # moment_samples more, for the moments.
            "samples": 1,
            "moment_images": 4,
            "moment_samples": 16,
            "moment_every": 8,
            "validation_samples": 8,
            # Weights of the frozen networks: the MMSE estimate of the second moment, and
            # features (an .npz of VGG16, or Keras' VGG19 without its top; "" downloads that).
            "estimate_weights": "",
            "feature_weights": "",
            # How often things happen, in steps.
            "log_every": 100,
            "validate_every": 1000,
            "checkpoint_every": 1000,
            # Every so many steps (0: never), pictures of so many held-back images.
            "pictures_every": 5000,
            "pictures": 4,
            # Also write scalars and pictures for TensorBoard, if TensorFlow trains.
            "tensorboard": True,
        }
    )
