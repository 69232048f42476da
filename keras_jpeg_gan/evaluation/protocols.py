"""The paper's experiments as settings, and its figures to stand beside ours.

Figures are those of Man et al., arXiv 2211.11827, tables 2 to 5.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.sources import Source, readable
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation import tables
from keras_jpeg_gan.evaluation.cases import Case


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What an evaluation is set to.

    Attributes:
        title: what it reproduces.
        cases, methods, seeds, distortions: of the evaluation.
        wants: what the paper has and the user must bring, to be said where it is missing.
        paper: its rows: method, FID, consistency, PSNR.
    """

    title: str
    cases: tuple[Case, ...]
    methods: tuple[str, ...]
    seeds: int = 1
    distortions: tuple[str, ...] = ("psnr",)
    wants: str = ""
    paper: tuple[tuple[str, str, str, str], ...] = ()


PROTOCOLS = {
    "table3": Protocol(
        title="Table 3: what rounding to 8 bits leaves of consistency (FFHQ-128, quality 5)",
        cases=(Case(5),),
        methods=("sample", "float", "exact"),
    ),
    "table4": Protocol(
        title="Table 4: FFHQ-128, quality 5, 32 realizations",
        cases=(Case(5),),
        methods=("sample", "float", "exact", "mean:64:sample"),
        seeds=32,
        wants="--reference, the training images, and --features, the Inception graph of FID",
        paper=(
            ("Regression", "66.14 ± 0.00", "5.2217", "25.6579"),
            ("Ours-A", "35.26 ± 0.00", "0.3203", "25.4529"),
            ("Bahat", "65.86 ± 0.28", "≈ 0", "22.6807"),
            ("λ_C = 0", "16.46 ± 0.16", "11.8848", "23.3457"),
            ("λ_C = 0-P", "20.60 ± 0.16", "≈ 0 (0.9466 in 8 bits)", "23.4896"),
            ("Ours", "16.70 ± 0.14", "0.7481", "23.7595"),
            ("Ours-P", "18.54 ± 0.14", "≈ 0 (0.1664 in 8 bits)", "23.7767"),
            ("Ground truth", "10.28", "0", "∞"),
        ),
    ),
    "table5": Protocol(
        title="Table 5: ImageNet-ctest10k, quality 10",
        cases=(Case(10),),
        methods=("sample", "float", "exact"),
        seeds=5,
        wants="--list, the names of ctest10k, and --features, the Inception graph of FID",
        paper=(
            ("SwinIR", "13.93", "2.5858", "27.8662"),
            ("FBCNN", "14.85", "3.9929", "27.6000"),
            ("QGAC", "16.20", "2.6551", "27.4091"),
            ("QGAC-GAN", "6.93", "1.8640", "27.0681"),
            ("Bahat", "13.71 ± 0.03", "0.3598", "25.4243"),
            ("Ours", "4.76 ± 0.01", "0.9696", "25.5758"),
            ("Ours-P", "4.78 ± 0.01", "0.6411", "25.6008"),
            ("Ground truth", "2.67", "0", "∞"),
        ),
    ),
    "double": Protocol(
        title="Files compressed twice, with blocks that lie on each other or do not",
        cases=tuple(
            Case(second, first_quality=first, shift=shift)
            for first, second in ((10, 30), (30, 10))
            for shift in (0, 4)
        ),
        methods=("exact",),
    ),
}

# Of the 8-bit images, Table 3.
_ROUNDED = (("Bahat", 0.0867), ("λ_C = 0-P", 0.9466), ("Ours-P", 0.1664))


def report(protocol: Protocol, summary: Sequence[dict[str, Any]]) -> str:
    """The tables of a protocol in the paper's layout, ours and the paper's."""
    if protocol is PROTOCOLS["table3"]:
        return _table3(summary)
    if not protocol.paper:
        return ""
    distance = next((s["distance_name"] for line in summary for s in line["sets"]), "FID")
    heads = ("method", "", "consistency", "PSNR")
    ours = [
        (
            f"{line['model']}, {line['method']}",
            tables.number(line["sets"][0], "distance", "{:.2f}") if line["sets"] else "–",
            tables.number(line, "consistency", "{:.4f}"),
            tables.number(line, "psnr", "{:.4f}"),
        )
        for line in summary
    ]
    said = tables.table((heads[0], distance, *heads[2:]), ours, 1)
    said += "\nThe paper's:\n\n" + tables.table((heads[0], "FID", *heads[2:]), protocol.paper, 1)
    if distance != "FID":
        said += f"\n{distance} and FID are distances of different networks: not to be compared.\n"
    return said


def _table3(summary: Sequence[dict[str, Any]]) -> str:
    lines = [
        (
            f"{line['model']}, {line['method']}",
            tables.number(line, "unrounded_consistency", "{:.4f}"),
            tables.number(line, "consistency", "{:.4f}"),
        )
        for line in summary
        if line["method"] in PROTOCOLS["table3"].methods
    ]
    lines += [(f"{name} (the paper's)", "≈ 0", f"{value:.4f}") for name, value in _ROUNDED]
    return tables.table(("method", "before rounding", "in 8 bits"), lines, 1)


@dataclasses.dataclass(frozen=True)
class Rounding:
    """Table 2's experiment: error of compressing at quality 100 with blocks of one pixel.

    Attributes:
        images: how many.
        ycbcr, rgb: root mean square difference of original and decode, mean over the images,
            compressed in YCbCr and in RGB.
        ycbcr_error: standard error of the mean.
    """

    images: int
    ycbcr: float
    rgb: float
    ycbcr_error: float

    def __str__(self) -> str:
        lines = [
            ("this project's codec", f"{self.ycbcr:.4f} ± {self.ycbcr_error:.4f}", f"{self.rgb:g}"),
            ("the paper's, FFHQ", "0.5465", "0"),
        ]
        said = tables.table(("RMSE", "through YCbCr", "in RGB"), lines, 1)
        return f"{said}\n{self.images} images; ±: standard error of the mean.\n"


def rounding(source: Source) -> Rounding:
    """Table 2's experiment (appendix D): tables of ones, 1x1 blocks, no subsampling.

    The DCT of one sample is the sample; its level is the sample less 128, rounded. So all that
    is lost is lost by rounding Y, Cb, Cr, and R, G, B again.

    Raises:
        ConfigError: no image can be read.
    """
    from keras_jpeg_gan.jpeg.tensors import color  # Keras: seconds to import

    errors: list[tuple[float, float]] = []
    for image in readable(source):
        pixels = image[None].astype(np.float32)
        through = []
        for forward, backward in ((color.rgb_to_ycbcr, color.ycbcr_to_rgb), (_same, _same)):
            levels = np.rint(np.asarray(forward(pixels)) - 128)
            decoded = np.clip(np.rint(np.asarray(backward(levels + 128))), 0, 255)
            through.append(float(np.sqrt(np.mean((decoded - pixels) ** 2))))
        errors.append((through[0], through[1]))
    if not errors:
        raise ConfigError("no image can be read")
    ycbcr, rgb = np.array(errors).T
    deviation = float(ycbcr.std(ddof=1)) if len(ycbcr) > 1 else 0.0
    return Rounding(
        len(errors), float(ycbcr.mean()), float(rgb.mean()), deviation / len(errors) ** 0.5
    )


def _same(pixels: Any) -> Any:
    return pixels
