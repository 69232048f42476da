"""What results were made with: versions, hardware, and this library's code."""

import hashlib
import importlib.metadata
import os
import pathlib
import platform

from PIL import features

import keras_jpeg_gan

_PACKAGES = ("jpeglib", "keras", "numpy", "Pillow", "scikit-image", "tensorflow")


def versions() -> dict[str, str]:
    """The versions of this library and its dependencies by name, and the processor."""
    found = {"keras_jpeg_gan": keras_jpeg_gan.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    found["libjpeg-turbo"] = features.version("libjpeg_turbo") or "not used"
    found["processor"] = f"{_processor()}, {os.cpu_count()} threads"
    return found


def code_sha256() -> str:
    """A hash of this library's Python files and their names, with or without a repository."""
    package = pathlib.Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _processor() -> str:
    """The processor's name; Python's platform module often knows only the architecture."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
