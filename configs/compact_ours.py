r"""`compact` as a sampler: mobile_ours' recipe for a GPU.

    jpeg-gan-train --config=configs/compact_ours.py --config.images=FOLDER \
        --config.initial_weights=runs/compact_regression/generator.weights.h5 \
        --config.feature_weights=vgg16_to_relu3_3_f16.npz --workdir=runs/compact_ours

Some 3 TFLOP per step: half an hour on one H100 in bfloat16, estimated, not measured. No table
has its figures yet; compare with the bundled sampler's.
"""

from ml_collections import ConfigDict

from configs import mobile_ours


def get_config() -> ConfigDict:
    """Larger patches and batches."""
    config = mobile_ours.get_config()
    config.update(preset="compact", patch=128, batch=32, mixed_precision="bfloat16")
    return config
