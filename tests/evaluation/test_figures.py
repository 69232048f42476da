"""jpeg-gan-figures: figures of images with and without an original, and wrong usage."""

import pathlib
import sys

import pytest
from PIL import Image

from tests.evaluation.commands import run


def test_all_figures_that_an_image_allows(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    photograph, output = images / "1.png", tmp_path / "figures"
    gray = tmp_path / "gray.jpg"
    Image.open(photograph).convert("L").save(gray, quality=10)
    peer = f"{sys.executable} -c 'import sys, shutil; shutil.copy(*sys.argv[1:])'"
    result = run(
        "figures", f"--output={output}", "--drawn=4", "--sweep=10,40", "--projection=none",
        "--unconstrained=default",
        f"--peers=same={peer} {{input}} {{output}}", photograph, gray,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    of_any = {"strip", "deviation", "recompression"}
    names = {f"1_{name}.png" for name in (*of_any, "estimators", "sweep")}
    names |= {f"gray_{name}.png" for name in of_any}
    assert {path.name for path in output.iterdir()} == names
    assert result.stdout.split() == sorted(map(str, output.iterdir()), key=result.stdout.index)
    with Image.open(output / "1_strip.png") as strip:
        assert strip.width > 7 * 250  # JPEG, regression, samples, deviation, peer, original
    for name in ("recompression", "estimators"):  # without and with C, projected, peer; 2 errors
        with Image.open(output / f"1_{name}.png") as figure:
            panels = 4 if name == "recompression" else 3
            assert panels * 250 < figure.width < (panels + 1) * 270
    refused = run("figures", f"--output={output}", "--drawn=4", "--figures=sweep", gray)
    assert refused.returncode == 1
    assert "sweep needs an original" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ((), 2, "--output=DIR and images"),
        (("--output=x", "--figures=moods", "a.png"), 2, "--figures=moods"),
        (("--output=x", "--crop=1,2", "a.png"), 2, "--crop=1,2"),
        (("--output=x", "--model=regression", "a.png"), 2, "draws no samples"),
        (("--output=x", "--peers=cat", "a.png"), 2, "{input} and {output}"),
        (("--report=/nowhere",), 1, "/nowhere: no evaluation"),
        (("--report=/nowhere", "a.png"), 2, "nothing else"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], status: int, reason: str) -> None:
    result = run("figures", *arguments)
    assert result.returncode == status
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
