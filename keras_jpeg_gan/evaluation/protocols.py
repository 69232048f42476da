"""The paper's experiments as settings, and its tables with our figures beside the paper's.

The paper's figures are those of Man et al., arXiv 2211.11827, tables 2 to 5.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.sources import Source, readable
from keras_jpeg_gan.decoding.earlier import AUTO
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation import tables
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import KNOWN, LIBJPEG, ORIGINAL, Original
from keras_jpeg_gan.evaluation.sets import DISTANCE, SET_METRICS

# Names of models that stand for methods of the paper.
REGRESSION, OURS, UNCONSTRAINED = "regression", "ours", "unconstrained"


@dataclasses.dataclass(frozen=True)
class PaperRow:
    """A row of one of the paper's tables.

    Attributes:
        name: what the paper calls the method; a peer of this name fills the row.
        fid, consistency, psnr: the paper's figures; a dash where it has none.
        model, method: the contender of ours that fills the row, if one does.
    """

    name: str
    fid: str = "–"
    consistency: str = "–"
    psnr: str = "–"
    model: str = ""
    method: str = ""

    def is_of(self, line: dict[str, Any]) -> bool:
        """Whether a line of a summary belongs in this row."""
        if (line["model"], line["method"]) == (self.model, self.method):
            return True
        return line["method"] == "peer" and line["model"].casefold() == self.name.casefold()


@dataclasses.dataclass(frozen=True)
class Protocol:
    """The settings of an experiment.

    Attributes:
        title: what it reproduces.
        cases, methods, seeds, distortions, set_metrics: settings of the evaluation.
        wants: what the paper's figures need and the user must supply.
        rows: the paper's table.
        training_reference: whether features are compared with those of the training images.
    """

    title: str
    cases: tuple[Case, ...]
    methods: tuple[str, ...]
    seeds: int = 1
    distortions: tuple[str, ...] = ("psnr",)
    set_metrics: tuple[str, ...] = SET_METRICS
    wants: str = ""
    rows: tuple[PaperRow, ...] = ()
    training_reference: bool = False

    def methods_of(self, model: str) -> tuple[str, ...]:
        """The methods of the rows that a model of this name fills; all, if it fills none."""
        return tuple(row.method for row in self.rows if row.model == model) or self.methods


_GROUND_TRUTH = {"model": ORIGINAL, "method": Original.method}

PROTOCOLS = {
    "table3": Protocol(
        title="Table 3: what rounding to 8 bits leaves of consistency (FFHQ-128, quality 5)",
        cases=(Case(5),),
        methods=("sample", "float", "exact"),
        rows=(
            PaperRow("Bahat", consistency="0.0867"),
            PaperRow("λ_C = 0-P", consistency="0.9466", model=UNCONSTRAINED, method="float"),
            PaperRow("Ours-P", consistency="0.1664", model=OURS, method="float"),
            PaperRow("Ours, exact projection", model=OURS, method="exact"),
        ),
    ),
    "table4": Protocol(
        title="Table 4: FFHQ-128, quality 5, 32 realizations",
        cases=(Case(5),),
        methods=("sample", "float", "exact", "mean:64:sample"),
        seeds=32,
        set_metrics=(DISTANCE,),
        wants="--features, the Inception graph of FID, and --reference, the training images",
        training_reference=True,
        rows=(
            PaperRow("Regression", "66.14 ± 0.00", "5.2217", "25.6579", REGRESSION, "sample"),
            PaperRow("Ours-A", "35.26 ± 0.00", "0.3203", "25.4529", OURS, "mean:64:sample"),
            PaperRow("Bahat", "65.86 ± 0.28", "≈ 0", "22.6807"),
            PaperRow("λ_C = 0", "16.46 ± 0.16", "11.8848", "23.3457", UNCONSTRAINED, "sample"),
            PaperRow(
                "λ_C = 0-P", "20.60 ± 0.16", "≈ 0 (0.9466)", "23.4896", UNCONSTRAINED, "float"
            ),
            PaperRow("Ours", "16.70 ± 0.14", "0.7481", "23.7595", OURS, "sample"),
            PaperRow("Ours-P", "18.54 ± 0.14", "≈ 0 (0.1664)", "23.7767", OURS, "float"),
            PaperRow("Ours, exact projection", model=OURS, method="exact"),
            PaperRow("Ground truth", "10.28", "0", "∞", **_GROUND_TRUTH),
        ),
    ),
    "table5": Protocol(
        title="Table 5: ImageNet-ctest10k, quality 10",
        cases=(Case(10),),
        methods=("sample", "float", "exact"),
        seeds=5,
        set_metrics=(DISTANCE,),
        wants="--list, the names of ctest10k, --features, the Inception graph of FID, and "
        "--reference, the training images",
        training_reference=True,
        rows=(
            PaperRow("SwinIR", "13.93", "2.5858", "27.8662"),
            PaperRow("FBCNN", "14.85", "3.9929", "27.6000"),
            PaperRow("QGAC", "16.20", "2.6551", "27.4091"),
            PaperRow("QGAC-GAN", "6.93", "1.8640", "27.0681"),
            PaperRow("Bahat", "13.71 ± 0.03", "0.3598", "25.4243"),
            PaperRow("Ours", "4.76 ± 0.01", "0.9696", "25.5758", OURS, "sample"),
            PaperRow("Ours-P", "4.78 ± 0.01", "0.6411", "25.6008", OURS, "float"),
            PaperRow("Ours, exact projection", model=OURS, method="exact"),
            PaperRow("Ground truth", "2.67", "0", "∞", **_GROUND_TRUTH),
        ),
    ),
    "double": Protocol(
        title="Files compressed twice, with blocks that lie on each other or do not",
        cases=tuple(
            Case(second, first_quality=first, shift=shift)
            for first in (10, 30, 50, 75)
            for second in (30, 75, 90, 95)
            for shift in ((0, 0), (4, 4), (5, 3))
            if second > first
        ),
        methods=("exact", AUTO, KNOWN),
    ),
}


def report(protocol: Protocol, summary: Sequence[dict[str, Any]]) -> str:
    """The paper's table with our figures beside the paper's, one for each case.

    Rows that nothing of ours fills have dashes; what fills no row follows at the end. Of files
    compressed twice, it is a table of gains.
    """
    if any(case.first_quality for case in protocol.cases):
        return _compressed_twice(summary)
    if not protocol.rows:
        return ""
    parts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in summary:
        parts.setdefault((tables.case_of(line).label, line["sampling"]), []).append(line)
    make = _before_and_after if protocol is PROTOCOLS["table3"] else _beside_the_papers
    said = []
    for (quality, sampling), lines in parts.items():
        heading = f"Quality {quality}, {sampling}:\n\n" if len(parts) > 1 else ""
        said.append(heading + make(protocol, lines))
    return "\n".join(said)


def _compressed_twice(summary: Sequence[dict[str, Any]]) -> str:
    """PSNR of the decode and each method's gain over it, by model, qualities and shift."""
    decodes = {tables.case_of(line): line for line in summary if line["model"] == LIBJPEG}
    ours = {
        (line["model"], tables.case_of(line), line["method"]): line
        for line in summary
        if line["model"] != LIBJPEG
    }
    models = list(dict.fromkeys(model for model, _, _ in ours))
    methods = list(dict.fromkeys(method for _, _, method in ours))
    shifts = list(dict.fromkeys(case.shift for case in decodes))
    rows = dict.fromkeys((case.sampling, case.first_quality, case.quality) for case in decodes)
    lines = []
    for model in models:
        for sampling, first, second in rows:
            cells = []
            for shift in shifts:
                case = Case(second, sampling, first, shift)
                found = [ours.get((model, case, method), {}) for method in methods]
                gains = " / ".join(tables.number(line, "gain", "{:+.2f}") for line in found)
                cells.append(f"{tables.number(decodes.get(case, {}), 'psnr', '{:.2f}')}: {gains}")
            lines.append([model, sampling.name, f"{first}, then {second}", *cells])
    heads = ["model", "sampling", "quality", *(f"shifted by {shift}" for shift in shifts)]
    said = f"PSNR of the decode: gains of {' / '.join(methods)}, dB.\n\n"
    return said + tables.table(heads, lines, 3)


def _filled(
    protocol: Protocol, lines: Sequence[dict[str, Any]]
) -> list[tuple[PaperRow, dict[str, Any]]]:
    """Each of the paper's rows with our line, or {}; then the lines that belong in none."""
    filled = [(row, next((line for line in lines if row.is_of(line)), {})) for row in protocol.rows]
    used = [line for _, line in filled]
    rest = [line for line in lines if line not in used]
    return filled + [(PaperRow(f"{line['model']}, {line['method']}"), line) for line in rest]


def _beside_the_papers(protocol: Protocol, lines: Sequence[dict[str, Any]]) -> str:
    distance = next((s["distance_name"] for line in lines for s in line["sets"]), "FID")
    heads = ("method", distance, "consistency", "PSNR", "paper: FID", "consistency", "PSNR")
    filled = _filled(protocol, lines)
    cells = [
        (
            row.name,
            tables.number((line.get("sets") or [{}])[0], "distance", "{:.2f}"),
            _consistency(line),
            tables.number(line, "psnr", "{:.4f}"),
            row.fid,
            row.consistency,
            row.psnr,
        )
        for row, line in filled
    ]
    said = tables.table(heads, cells, 1)
    if any(line.get("method") == "float" for _, line in filled):
        said += "\nConsistency of -P: before rounding (in brackets: of the 8-bit image).\n"
    if distance != "FID":
        said += f"\n{distance} and FID are distances of different networks: do not compare them.\n"
    return said


def _consistency(line: dict[str, Any]) -> str:
    """Of the 8-bit image; of a float projection, before rounding and in brackets in 8 bits."""
    in_8_bits = tables.number(line, "consistency", "{:.4f}")
    if line.get("method") != "float":
        return in_8_bits
    return f"{tables.number(line, 'unrounded_consistency', '{:.4f}')} ({in_8_bits})"


def _before_and_after(protocol: Protocol, lines: Sequence[dict[str, Any]]) -> str:
    cells = [
        (
            row.name,
            tables.number(line, "unrounded_consistency", "{:.4f}"),
            tables.number(line, "consistency", "{:.4f}"),
            row.consistency,
        )
        for row, line in _filled(protocol, lines)
    ]
    return tables.table(("method", "before rounding", "in 8 bits", "paper: in 8 bits"), cells, 1)


@dataclasses.dataclass(frozen=True)
class Rounding:
    """Table 2's experiment: the error of compressing at quality 100 with blocks of one pixel.

    Attributes:
        images: how many.
        ycbcr, rgb: root mean square difference between original and decode, averaged over the
            images, when compressed in YCbCr and in RGB.
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

    The DCT of one sample is the sample, and its level is the sample less 128, rounded. So the
    only losses are those of rounding Y, Cb and Cr, and then R, G and B.

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
