"""The page of `jpeg-gan-decode --compare`: what is on it, that it works, and when there is none."""

import base64
import io
import os
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import JpegFile
from keras_jpeg_gan.decoding.files import viewer
from keras_jpeg_gan.jpeg.metadata import Metadata
from tests.browser import what_it_says
from tests.files import jpeg, picture, saved


def images(page: str) -> list[np.ndarray]:
    """The pixels of all pictures of a page, in order."""
    urls = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert len(urls) == page.count("<img")
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(url)))) for url in urls]


def sections(page: str) -> list[str]:
    return re.findall("<section>.*?</section>", page, re.DOTALL)


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> pathlib.Path:
    """Two files to restore, and one that cannot be; the names are hostile, or nearly."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a & <b>.jpg").write_bytes(jpeg(40, 56))
    (folder / "cut.jpg").write_bytes(b"no picture")
    (folder / "gray.jpg").write_bytes(jpeg(24, 32, gray=True) + b"trailing")
    return folder


def test_each_file_is_there_before_and_after_with_its_certificate(command, photos, tmp_path):
    status, out, err = command(photos, f"--compare={tmp_path / 'pages'}")
    (path,) = (tmp_path / "pages").iterdir()
    assert path.name == "comparison.html"
    assert (status, f"before and after: {path}\n" in err) == (1, True)
    page = path.read_text()
    assert not re.search(r"""(src|href)=["']?(?!["']?data:)|url\(""", page)  # all in itself
    assert not re.search(r"<b>|<script>.*\{\{", page)
    assert [re.search("<h2>(.*)</h2>", part)[1].split("/")[-1] for part in sections(page)] == [
        "a &amp; &lt;b&gt;.jpg", "cut.jpg", "gray.jpg"
    ]  # fmt: skip
    one, cut, gray = sections(page)
    for name, part in (("a & <b>", one), ("gray", gray)):
        before, after = images(part)
        file = JpegFile.read(photos / f"{name}.jpg")
        np.testing.assert_array_equal(before, file.pixels)
        np.testing.assert_array_equal(after, Image.open(photos / f"{name}.restored.png"))
        (said,) = (line for line in out.splitlines() if f"{name}.jpg" in line)
        assert said.endswith(re.search("<p>(.*)</p>", part)[1])
    assert "<img" not in cut
    assert "not restored: not a JPEG" in cut
    warnings = [line.partition(": warning: ")[2] for line in err.splitlines() if "warning" in line]
    assert re.findall('"warning">warning: (.*)</p>', page) == warnings


def test_samples_mean_and_map_are_chosen_from(command, sampler, photos, tmp_path):
    file = photos / "gray.jpg"
    command(
        f"--model={sampler}", "--samples=2", "--mean=3", "--deviation", f"--compare={tmp_path}",
        "--seed=7", "--temperature=0.5", file,
    )  # fmt: skip
    page = (tmp_path / "comparison.html").read_text()
    names = re.findall("<option>(.*?)</option>", page)
    assert names == ["sample 1", "sample 2", "mean", "deviation"]
    assert names == re.findall('data-product="(.*?)"', page)
    written = [photos / f"gray.restored.{k}.png" for k in ("1", "2", "mean", "deviation")]
    for shown, path in zip(images(page)[1:], written, strict=True):
        np.testing.assert_array_equal(shown, Image.open(path))
    assert page.count("<p>deviation: ") == 1  # not of the numbers in 16 bits, too
    assert ", model grain, seed 7, temperature 0.5<" in page


def test_sixteen_bits_are_shown_in_eight(command, photos, tmp_path):
    command("--bits=16", f"--compare={tmp_path}", photos / "gray.jpg")
    _, after = images((tmp_path / "comparison.html").read_text())
    assert after.dtype == np.uint8
    exact = np.asarray(Image.open(photos / "gray.restored.png")) / 257
    assert np.abs(after - exact).max() <= 0.5


def test_a_page_never_replaces_another(command, photos, tmp_path):
    pages = tmp_path / "comparison.html", tmp_path / "comparison-2.html"
    command(f"--compare={tmp_path}", photos / "gray.jpg")
    first = pages[0].read_bytes()
    command(f"--compare={tmp_path}", photos / "gray.jpg")
    assert pages[0].read_bytes() == first
    assert "gray.restored.png exists</p>" in pages[1].read_text()


@pytest.mark.parametrize("folder", ["photos/gray.jpg", "photos/gray.jpg/deep", "closed"])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(
    command, photos, tmp_path, monkeypatch, folder
):
    (tmp_path / "closed").mkdir()
    access = os.access  # root may write anywhere
    monkeypatch.setattr(
        os, "access", lambda path, mode: path.name != "closed" and access(path, mode)
    )
    status, out, err = command(f"--compare={tmp_path / folder}", photos)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"--compare={tmp_path / folder}: " in err
    assert not list(photos.glob("*.png"))


def test_a_full_disk_ends_the_run_and_leaves_no_page(command, photos, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    folder = tmp_path / "pages"
    command(photos / "gray.jpg")
    monkeypatch.setattr(os, "fsync", full)  # only the page is written
    status, _, err = command(f"--compare={folder}", photos / "gray.jpg")
    assert status == 1
    assert err.splitlines()[-1].endswith("comparison.html: No space left on device")
    assert not list(folder.iterdir())


def test_pictures_stand_upright_and_keep_their_profile():
    pixels = picture(30, 50)
    turned = viewer.picture(pixels, Metadata(orientation=6, icc_profile=b"a profile"))
    assert (turned.width, turned.height, turned.factor) == (30, 50, 1)
    with Image.open(io.BytesIO(turned.png)) as image:
        np.testing.assert_array_equal(np.asarray(image), np.rot90(pixels, -1))
        assert image.info["icc_profile"] == b"a profile"
        assert not image.getexif()


def test_very_large_pictures_are_reduced():
    large = viewer.picture(np.zeros((4097, 3), np.uint8))
    assert (large.width, large.height, large.factor) == (2, 2049, 2)


LOOK = """
  const select = document.querySelector("select"), frame = document.querySelector(".frame");
  const zoom = number => document.querySelector(`[data-zoom="${number}"]`).click();
  const width = () => pair.getBoundingClientRect().width;
  const rendering = () => getComputedStyle(shown()).imageRendering;
  seen.push(cut(), width(), shown().dataset.product);
  point("pointerdown", 0.5); point("pointermove", 0.75); point("pointerup", 0.75);
  point("pointermove", 0.1, { buttons: 0 });
  seen.push(cut());
  pair.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
  seen.push(cut());
  zoom(8);
  seen.push(width(), rendering(), frame.scrollLeft > 0);
  const at = x => {
    const box = pair.getBoundingClientRect();
    return Math.round((x - box.left) / box.width * 1000);
  };
  const kept = at(300);
  frame.dispatchEvent(new WheelEvent("wheel", { ctrlKey: true, deltaY: -100, clientX: 300,
    clientY: 200, cancelable: true }));
  seen.push(width() > 8 * 320, Math.abs(at(300) - kept) <= 1);
  zoom("");
  seen.push(width(), rendering());
  select.value = "deviation";
  select.dispatchEvent(new Event("change"));
  seen.push(shown().dataset.product, [...pair.querySelectorAll(".after:not([hidden])")].length);
"""


def test_line_zoom_and_choice_work_in_a_browser(command, sampler, tmp_path):
    (tmp_path / "a.jpg").write_bytes(saved(picture(240, 320), quality=20))
    given = (f"--model={sampler}", "--samples=2", "--deviation", tmp_path / "a.jpg")
    command(f"--compare={tmp_path}", *given)
    seen, _ = what_it_says(tmp_path / "comparison.html", LOOK)
    assert seen == [
        "inset(0px 0px 0px 50%)", "320", "sample 1", "inset(0px 0px 0px 75%)",
        "inset(0px 0px 0px 73%)", "2560", "pixelated", "true", "true", "true", "320", "auto",
        "deviation", "1",
    ]  # fmt: skip
