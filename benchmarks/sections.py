"""What is measured, and the rows of each section."""

import pathlib
import sys

import numpy as np

from benchmarks import inputs
from benchmarks.light import MATRIX
from benchmarks.measured import Measured, Run, measure
from benchmarks.processes import Command
from benchmarks.table import Row, target
from keras_jpeg_gan.models.cards import find_model, find_tflite

# Targets of each preset, for a machine whose matrix product runs at this rate.
_REFERENCE_RATE = 250e9
_SECONDS_A_MEGAPIXEL = {"plain": 1.0, "mobile": 0.9, "compact": 3.0}
_STARTUP_SECONDS = 1.0
# The share of the matrix product's rate that a network can reach, and the slowdown allowed.
_SHARE, _MARGIN = 0.75, 1.5
_JPEG_RATIO = 3.0
_MATRIX_FLOPS = 2 * MATRIX**3

_MEGAPIXELS = inputs.WIDTH * inputs.HEIGHT / 1e6
_STAGES = ("read", "noise", "network", "projection", "certificate", "png")
_NAMES = {
    "network_tensorflow network": "Keras on TensorFlow",
    "network_torch network": "PyTorch",
    "network_torch network, compiled": "PyTorch, compiled by Inductor",
}
_JPEG_CONTENDERS = {"jpeg_numpy": "NumPy", "jpeg_torch": "PyTorch"}


def decoding(run: Run) -> list[Row]:
    """File to PNG, by stages and compared with others; then the network alone."""
    scratch = pathlib.Path(run.settings.scratch)
    small = scratch / "small.jpg"
    inputs.write_jpeg(np.full((16, 16, 3), 90, np.uint8), small)
    commands = {
        **_commands(run, inputs.jpeg_path(run.settings), scratch, ""),
        **_commands(run, small, scratch, "start of "),
    }
    modules = ["light", "network_tensorflow", "network_torch"]
    compared = ["network", "network, compiled"]
    found = measure(run, modules, compared, commands=commands)
    return [*_decode_rows(run, found), *_network_rows(run, found)]


def _commands(
    run: Run, path: pathlib.Path, scratch: pathlib.Path, prefix: str
) -> dict[str, Command]:
    """The programs that restore a file; on a tiny file, this measures their start-up."""
    threads = run.settings.threads
    peer = [run.waifu2x_python, "benchmarks/peers/waifu2x.py", path, scratch / "waifu2x.png"]
    arguments = {"jpegqs -q 6": ["jpegqs", "-q", "6", "-t", threads, path, scratch / "jpegqs.jpg"]}
    if run.waifu2x_python:
        arguments["waifu2x cunet on ncnn"] = peer
    if prefix:
        output = ["--overwrite", f"--output={scratch / 'small.png'}", f"--threads={threads}"]
        decode = [sys.executable, "-m", "keras_jpeg_gan.decoding.decode", *output, path]
        arguments["jpeg-gan-decode"] = decode
    return {
        prefix + name: Command([str(part) for part in given], threads)
        for name, given in arguments.items()
    }


def _decode_rows(run: Run, found: Measured) -> list[Row]:
    section = f"Decode, {_MEGAPIXELS:.1f} megapixels"
    whole = found.seconds["light whole"]
    rate = _MATRIX_FLOPS / found.seconds["light matrix"]
    scaled = whole / _MEGAPIXELS * rate / _REFERENCE_RATE
    most = _SECONDS_A_MEGAPIXEL.get(find_model(run.settings.model)[1].preset)
    rows = [
        Row(
            section,
            "this library, file to PNG",
            whole,
            peak_mb=found.peak_mb["light whole"],
            target=target(scaled, most, most=True) if most else "",
            note=f"{scaled:.2f} s per megapixel where a matrix product runs at 250 GFLOP/s",
        )
    ]
    rows += [Row(section, f"– {stage}", found.seconds[f"light {stage}"]) for stage in _STAGES]
    others = {"libjpeg-turbo (Pillow), decode alone": found.seconds["light libjpeg"]}
    for name in ("jpegqs -q 6", "waifu2x cunet on ncnn"):
        if name in found.seconds:
            others[name] = found.seconds[name] - found.seconds[f"start of {name}"]
    rows += [
        Row(section, name, seconds, seconds / whole, found.peak_mb.get(name))
        for name, seconds in others.items()
    ]
    start = found.seconds["start of jpeg-gan-decode"]
    rows.append(
        Row(
            section,
            "jpeg-gan-decode on 16×16 pixels (start-up)",
            start,
            peak_mb=found.peak_mb["start of jpeg-gan-decode"],
            target=target(start, _STARTUP_SECONDS, most=True),
        )
    )
    return rows


def _network_rows(run: Run, found: Measured) -> list[Row]:
    section = f"Network forward, {run.settings.model}"
    light = find_tflite(find_model(run.settings.model)[0])
    assert light is not None, "the decoder on LiteRT has run"
    rate = _MATRIX_FLOPS / found.seconds["light matrix"]
    ideal = 2e6 * _MEGAPIXELS * light[1].macs_per_pixel / (_SHARE * rate)
    seconds = found.seconds["light network"]
    rows = [
        Row(
            section,
            "LiteRT",
            seconds,
            peak_mb=found.peak_mb["light network"],
            target=target(seconds / ideal, _MARGIN, most=True),
            note=f"{seconds / ideal:.2f} × its FLOPs at {_SHARE:.0%} of {rate / 1e9:.0f} GFLOP/s",
        )
    ]
    for contender, name in _NAMES.items():
        if contender in found.seconds:
            ratio = found.seconds[contender] / seconds
            rows.append(
                Row(
                    section,
                    name,
                    found.seconds[contender],
                    ratio,
                    found.peak_mb[contender],
                    found.difference(contender, "light network"),
                    target(ratio, 1) if "torch" in contender else "",
                )
            )
    return rows


def training(run: Run) -> list[Row]:
    """A training step of generator and critic."""
    section = (
        f"Training step, {inputs.BATCH} patches of {inputs.PATCH}×{inputs.PATCH}, "
        f"critic at width {inputs.CRITIC_WIDTH}"
    )
    modules = ["training_tensorflow", "training_torch"]
    found = measure(run, modules, compared=["check"], untimed=["check"])
    ours, theirs = "training_tensorflow step", "training_torch step"
    rows = [Row(section, "TensorFlow loop", found.seconds[ours], peak_mb=found.peak_mb[ours])]
    if theirs in found.seconds:
        ratio = found.seconds[theirs] / found.seconds[ours]
        rows.append(
            Row(
                section,
                "PyTorch",
                found.seconds[theirs],
                ratio,
                found.peak_mb[theirs],
                found.difference(
                    "training_torch check", "training_tensorflow check", relative=True
                ),
                target(ratio, 1),
                "relative, in losses and gradient norms of the first step",
            )
        )
    return rows


def jpeg_operations(run: Run) -> list[Row]:
    """Compression, decompression, penalty with gradient and float projection of a photograph."""
    operations = ["compress", "decompress", "penalty", "projection"]
    rounded = [f"{name}, rounded as libjpeg" for name in operations[:2]]
    compared = [*operations, *rounded]
    compared += [f"{name}, XLA" for name in compared]
    found = measure(run, ["jpeg_keras", *_JPEG_CONTENDERS], compared)
    rows = []
    for task in (*operations, *rounded):
        section = f"JPEG: {task}"
        ours, plain = f"jpeg_keras {task}, XLA", f"jpeg_keras {task}"
        seconds = found.seconds[ours]
        rows.append(Row(section, "keras.ops, XLA", seconds, peak_mb=found.peak_mb[ours]))
        contenders = {"jpeg_keras": "keras.ops, tf.function alone", **_JPEG_CONTENDERS}
        for module, name in contenders.items():
            contender = f"{module} {task}"
            if contender in found.seconds:
                ratio = found.seconds[contender] / seconds
                rows.append(
                    Row(
                        section,
                        name,
                        found.seconds[contender],
                        ratio,
                        found.peak_mb[contender],
                        found.difference(contender, ours),
                        target(ratio, _JPEG_RATIO) if contender != plain else "",
                    )
                )
    return rows


def data(run: Run) -> list[Row]:
    """Patches from image files and from a packed cache."""
    from benchmarks.data_pipeline import BATCH, BATCHES

    section = f"Data, {BATCH * BATCHES} patches of {inputs.PATCH}×{inputs.PATCH}"
    found = measure(run, ["data_pipeline"])
    return [
        Row(
            section,
            contender.removeprefix("data_pipeline "),
            seconds,
            peak_mb=found.peak_mb[contender],
            note=f"{BATCH * BATCHES / seconds:.0f} patches per second",
        )
        for contender, seconds in found.seconds.items()
    ]


SECTIONS = {"decode": decoding, "train": training, "jpeg": jpeg_operations, "data": data}
