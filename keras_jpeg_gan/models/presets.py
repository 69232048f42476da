"""Named architectures: which network, with which arguments, and what it costs."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Preset:
    """An architecture.

    Attributes:
        network: the class's name, a key of `networks.NETWORKS`.
        arguments: of its constructor.
        parameters: how many it has.
        macs_per_pixel: multiply-accumulates of its convolutions per image pixel.
    """

    network: str
    arguments: dict[str, Any]
    parameters: int
    macs_per_pixel: float


PRESETS: dict[str, Preset] = {
    # The paper's.
    "paper": Preset("Generator", {}, parameters=17_215_433, macs_per_pixel=4_250_160),
    # At most 0.25 million multiply-accumulates per pixel: for computers.
    "compact": Preset(
        "MultiscaleGenerator",
        {"widths": (64, 80, 96), "depths": (5, 1, 2, 1, 5)},
        1_539_930,
        212_674,
    ),
    # At most 0.05 million: for phones and browsers.
    "mobile": Preset(
        "MultiscaleGenerator",
        {"widths": (32, 48, 64), "depths": (3, 1, 2, 1, 3)},
        parameters=446_518,
        macs_per_pixel=38_592,
    ),
    # That of the bundled weights; goes away when weights of `compact` and `mobile` replace them.
    "plain": Preset(
        "PlainGenerator",
        {"widths": (32,), "depths": (10,), "table_width": 128},
        parameters=313_782,
        macs_per_pixel=49_248,
    ),
}
