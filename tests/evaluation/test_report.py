"""The report of an evaluation: what it shows, and that it works in a browser."""

import json
import pathlib
import re

from keras_jpeg_gan.evaluation import report
from tests.browser import what_it_says
from tests.evaluation.commands import run


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
  seen.push(cut());
  point("pointerdown", 0.5); point("pointermove", 0.25); point("pointerup", 0.25);
  seen.push(cut());
  point("pointerdown", 0.5, { button: 2, buttons: 2 });
  seen.push(getComputedStyle(pair.querySelector(".truth")).zIndex);
  point("pointerup", 0.5);
  seen.push(getComputedStyle(pair.querySelector(".truth")).zIndex);
"""


def test_the_line_can_be_dragged_in_a_browser(tmp_path: pathlib.Path) -> None:
    image = {"name": "a <b>.png", "value": "1.5", "before": "", "after": "", "original": "",
             "width": 256, "height": 256}  # fmt: skip
    extremes = {"model": "m", "case": "c", "by": "LPIPS", "libjpeg": "libjpeg", "best": [image],
                "worst": []}  # fmt: skip
    page = report.render({"lines": [], "failures": {}}, {"settings": {}, "versions": {}}, extremes)
    (tmp_path / "page.html").write_text(page)
    seen, text = what_it_says(tmp_path / "page.html", DRAG)
    assert seen == ["inset(0px 0px 0px 50%)", "inset(0px 0px 0px 25%)", "1", "-1"]
    assert "a &lt;b&gt;.png" in text
