r"""Table 5's "Ours" and, projected, "Ours-P": one model for qualities 5 to 50.

After general_regression and general_mmse:

    jpeg-gan-train --config=configs/general_ours.py --config.mixed_precision=bfloat16 \
        --workdir=runs/general_ours

Expect, on ImageNet-ctest10k at quality 10: FID 4.76 +- 0.01, consistency 0.9696, PSNR 25.5758;
Ours-P 4.78, 0.6411, 25.6008. Perceptual features are VGG19's at Real-ESRGAN's layers, since
the paper does not name its own; Keras downloads them. Each layer is scaled to unit root mean
square over photographs, since Keras' VGG19 is not torchvision's, which the paper's weight was
tuned on: the root mean square of its inputs is 58 times larger. One H200 or two H100, as
ffhq128_ours: estimated from 24 TFLOP per step, not measured, 18 to 55 hours on the H200.
"""

from ml_collections import ConfigDict

from configs import general_regression


def get_config() -> ConfigDict:
    """The paper's training with all of its objectives."""
    config = general_regression.get_config()
    config.update(
        method="sampler",
        steps=400_000,
        initial_weights="runs/general_regression/generator.weights.h5",
        estimate_weights="runs/general_mmse/generator.weights.h5",
        consistency_weight=1.0,
        final_consistency_weight=1e3,
        perceptual_weight=1e-2,
        second_moment_weight=1e3,
    )
    return config
