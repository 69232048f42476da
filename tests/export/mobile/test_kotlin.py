"""The Kotlin for phones and in its README, with stand-ins for Android's and LiteRT's classes.

It needs Java, and a compiler in the folder KOTLIN_HOME, such as that of the npm package
kotlin-compiler.
"""

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from tests.export.mobile.photographs import FILES, MOBILE, SEED, jpeg_header, restorer
from tests.files import photograph

TILE = 64
CARD = {"tile": TILE, "halo": 16, "noise_strides": [2, 4]}
STAND_INS = pathlib.Path(__file__).parent / "kotlin"


class Interpreter:
    """The same arithmetic as the stand-in in kotlin/Lite.kt."""

    def __init__(self, **options: Any) -> None:
        pass

    def get_signature_runner(self, name: str) -> Any:
        return self.restore if name == "restore" else lambda **given: self.project(name, **given)

    def restore(self, pixels, tables, noise_0, noise_1) -> dict[str, np.ndarray]:
        grain = 4 * noise_0.repeat(2, 1).repeat(2, 2) + 2 * noise_1.repeat(4, 1).repeat(4, 2)
        shift = np.arange(3, dtype=np.float32) * tables[0, 0, 0, 1] - tables[0, 1, 0, 1]
        return {"restored": pixels + grain + shift}

    def project(self, name, pixels, decoded, tables) -> dict[str, np.ndarray]:
        shift = np.float32(int(name.removeprefix("project_")) / 100)
        return {"projected": (pixels + decoded) / 2 + tables[0, 2, 0, 1] + shift}


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The Java command with everything compiled."""
    home = pathlib.Path(os.environ.get("KOTLIN_HOME", "")) / "lib"
    if not (home / "kotlin-compiler.jar").is_file() or not shutil.which("java"):
        pytest.skip("no Kotlin compiler in KOTLIN_HOME, or no Java: npm install kotlin-compiler")
    folder = tmp_path_factory.mktemp("classes")
    example = folder / "Photographs.kt"
    readme = (MOBILE / "README.md").read_text()
    example.write_text(readme.split("```kotlin\n")[1].split("```")[0])
    files = [*STAND_INS.glob("*.kt"), *MOBILE.glob("*.kt"), example]
    compiler = ["java", "-cp", home / "kotlin-compiler.jar"]
    compiler += ["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-kotlin-home", home.parent]
    coroutines = home / "kotlinx-coroutines-core-jvm.jar"
    compiler += ["-cp", coroutines, "-Werror", "-d", folder]
    subprocess.run([*compiler, *files], check=True)
    return ["java", "-cp", f"{folder}:{home / 'kotlin-stdlib.jar'}", "jpeggan.DriverKt"]


@pytest.mark.slow
def test_kotlin_agrees_with_the_reference(classes, tmp_path, monkeypatch):
    monkeypatch.setattr(restorer, "Interpreter", Interpreter)
    reference = restorer.Restorer(b"", restorer.read_card(json.dumps(CARD)), b"")
    (tmp_path / "card.json").write_text(json.dumps(CARD, indent=2))
    files = [photograph(150, 70, **options) for options in FILES.values()]
    files += [photograph(50, 9), photograph(16, 16, "CMYK"), b"GIF89a", files[0][:200]]
    said, expected = [], {}
    for i, data in enumerate(files):
        name = f"{i:02}"
        (tmp_path / f"{name}.jpg").write_bytes(data)
        try:
            header = jpeg_header.read_header(data)
        except restorer.RestoreError as error:
            said.append(f"{name}.jpg {error}")
            continue
        said.append(f"{name}.jpg {header.width} {header.height} {header.tables}")
        decoded = restorer.decode(data)
        (tmp_path / f"{name}.rgb").write_bytes(decoded.tobytes())
        expected[name] = reference.restore(header, decoded, SEED)
    done = subprocess.run(
        [*classes, tmp_path, str(SEED)], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.splitlines() == said
    assert len(expected) == len(FILES) + 1
    for name, pixels in expected.items():
        found = np.frombuffer((tmp_path / f"{name}.out").read_bytes(), np.uint8)
        difference = np.abs(found.reshape(pixels.shape).astype(int) - pixels)
        assert difference.max() <= 1  # sums close to a half may round either way
        assert (difference > 0).mean() < 1e-3
        plain = (tmp_path / f"{name}.plain").read_bytes()
        assert plain == jpeg_header.without_metadata((tmp_path / f"{name}.jpg").read_bytes())
    normals = np.fromfile(tmp_path / "noise", "<f4").reshape(33, 33)
    np.testing.assert_allclose(normals, restorer.noise(SEED, 3, -8, -6, 33), rtol=0, atol=1e-6)
