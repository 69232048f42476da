"""All benchmarks: one command, one table."""

import dataclasses
import json
import os
import pathlib
import platform
import tempfile

from absl import flags

from benchmarks import inputs, sections
from benchmarks.measured import Run
from benchmarks.table import Row, markdown
from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL
from keras_jpeg_gan.system import processors

USAGE = """python -m benchmarks.run [flags]

Measures this library beside others on this machine, and prints a table: decoding, the network,
a training step, the JPEG operations, the data pipeline, and the memory of each. Contenders run in
separate processes and take turns; the fastest of all repeats counts, so that the ratios also hold
on a busy machine. Contenders that are not installed are left out, with a remark."""

_IMAGES = flags.DEFINE_string("images", "examples", "folder of photographs; the first is decoded")
_OUTPUT = flags.DEFINE_string("output", "build/bench", "folder for table.md and table.json")
_SECTIONS = flags.DEFINE_multi_enum(
    "section", list(sections.SECTIONS), list(sections.SECTIONS), "may be given several times"
)
_MODEL = flags.DEFINE_string("model", DEFAULT_MODEL, "a bundled name or a path")
_REPEATS = flags.DEFINE_integer("repeats", 10, "how often each is measured", 1)
_THREADS = flags.DEFINE_integer("threads", None, "threads of each contender; all by default", 1)
_TORCH_PYTHON = flags.DEFINE_string(
    "torch_python", None, "an interpreter with PyTorch and this library's own packages"
)
_WAIFU2X_PYTHON = flags.DEFINE_string(
    "waifu2x_python", "", "an interpreter for benchmarks/peers/waifu2x.py"
)


def main(arguments: list[str]) -> int:
    """Measure, print and write."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give flags only")
    output = pathlib.Path(_OUTPUT.value)
    output.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        settings = inputs.Settings(
            images=str(pathlib.Path(_IMAGES.value).resolve()),
            scratch=scratch,
            model=_MODEL.value,
            threads=_THREADS.value or processors(),
        )
        inputs.write_jpeg(inputs.photograph(settings), inputs.jpeg_path(settings))
        run = Run(settings, _REPEATS.value, waifu2x_python=_WAIFU2X_PYTHON.value)
        run.torch_python = _TORCH_PYTHON.value or run.torch_python
        rows: list[Row] = []
        for name in _SECTIONS.value:
            measured = sections.SECTIONS[name](run)
            print(markdown(measured), flush=True)
            rows += measured
    machine = {
        "processor": _processor(),
        "threads": settings.threads,
        "load before": round(load, 1),
        "repeats": _REPEATS.value,
        "Python": platform.python_version(),
        **run.facts,
    }
    said = ", ".join(f"{name} {value}" for name, value in machine.items())
    below = "\n".join(f"- {line}" for line in (*run.remarks, said))
    print(below)
    (output / "table.md").write_text(f"{markdown(rows)}\n{below}\n")
    values = {
        "machine": machine,
        "remarks": run.remarks,
        "rows": [dataclasses.asdict(row) for row in rows],
    }
    (output / "table.json").write_text(json.dumps(values, indent=2) + "\n")
    return program.OK


def _processor() -> str:
    """The processor's name, from the system."""
    path = pathlib.Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


if __name__ == "__main__":
    program.run(main, __name__, USAGE)
