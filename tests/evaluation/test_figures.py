"""jpeg-gan-figures: figures of images with and without an original, and the report."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.evaluation import plots, report
from keras_jpeg_gan.evaluation.cases import compress
from keras_jpeg_gan.evaluation.contenders import Trial
from keras_jpeg_gan.jpeg.sampling import Sampling


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: programs define flags of the same names."""
    return subprocess.run(
        [sys.executable, "-m", f"keras_jpeg_gan.evaluation.{module}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


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


def test_report_shows_all_there_is(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    output = tmp_path / "results"
    flags = f"--images={images}", "--quality=10,30", f"--output={output}", "--metrics=psnr"
    assert run("evaluate", *flags).returncode == 0
    page = report.write(output).read_text()
    table = json.loads((output / "summary.json").read_text())["lines"]
    for line in table:
        assert f"<td>{line['psnr']:.2f}</td>" in page
    # Two curves over the quality, and three pictures of each of the best two and worst two.
    assert page.count('class="curve"') == 2
    assert page.count('class="pair"') == 4
    assert page.count("data:image/png;base64,") == 2 + 3 * 4
    assert not re.search(r"(src|href)=\"(?!data:)", page)  # nothing from elsewhere
    (images / "1.png").unlink()
    gone = run("figures", f"--report={output}")
    assert gone.returncode == 1
    assert "1.png: is no longer in" in gone.stderr


DRAG = """
<script>
  const pair = document.querySelector(".pair"), box = pair.getBoundingClientRect();
  const point = (kind, share, more) => pair.dispatchEvent(new PointerEvent(kind, {
    clientX: box.left + share * box.width, clientY: box.top + 9, buttons: 1, ...more }));
  pair.setPointerCapture = () => {};
  const seen = [getComputedStyle(pair.querySelector(".after")).clipPath];
  point("pointerdown", 0.5); point("pointermove", 0.25); point("pointerup", 0.25);
  seen.push(getComputedStyle(pair.querySelector(".after")).clipPath);
  point("pointerdown", 0.5, { button: 2, buttons: 2 });
  seen.push(getComputedStyle(pair.querySelector(".truth")).zIndex);
  point("pointerup", 0.5);
  seen.push(getComputedStyle(pair.querySelector(".truth")).zIndex);
  document.title = seen.join(" | ");
</script>
"""


def test_the_line_can_be_dragged_in_a_browser(tmp_path: pathlib.Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no Chromium here")
    image = {"name": "a <b>.png", "value": "1.5", "before": "", "after": "", "original": ""}
    extremes = {"model": "m", "case": "c", "by": "LPIPS", "libjpeg": "libjpeg", "best": [image],
                "worst": []}  # fmt: skip
    page = report.render({"lines": [], "failures": {}}, {"settings": {}, "versions": {}}, extremes)
    (tmp_path / "page.html").write_text(page + DRAG)
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
         "--dump-dom", (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    (title,) = re.findall("<title>(.*)</title>", done.stdout)
    assert title == "inset(0px 0px 0px 50%) | inset(0px 0px 0px 25%) | 1 | -1"
    assert "a &lt;b&gt;.png" in done.stdout


def test_where_samples_differ_most() -> None:
    deviation = np.zeros((64, 80))
    deviation[41:50, 19:30] = 1
    left, top, side = plots.most_uncertain(deviation, 16)
    assert (left, top, side) == (16, 40, 16)
    assert plots.most_uncertain(deviation, 500) == (0, 0, 64)


def test_recompression_error_is_zero_for_what_is_exact() -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (32, 32, 3), np.uint8)
    trial = Trial(compress(pixels, 50, Sampling.parse("4:4:4")), pixels)
    file = trial.file.pixels, trial.quantized
    assert not plots.recompression_error(pixels, *file).any()
    assert plots.recompression_error(255 - pixels, *file).mean() > 5


def test_maps_say_what_their_darkness_means() -> None:
    values = np.array([[0.0, 1.0], [16.0, 256.0]])
    figure = plots.maps([("map", values)], 4, "grey levels")
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, [[0, 1 / 4], [1 / 2, 1]])
    bar = figure.axes[1]
    for tick, label in zip(bar.get_yticks(), bar.get_yticklabels(), strict=True):
        assert float(label.get_text()) == pytest.approx(256 * tick**4, rel=0.01)
