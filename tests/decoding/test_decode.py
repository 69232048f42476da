import errno
import hashlib
import io
import json
import os
import pathlib
import signal

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import system
from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.errors import ModelError
from tests.decoding.made_up import ShiftedBlur
from tests.decoding.processes import start
from tests.files import jpeg, picture, saved


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with three JPEG files at two depths, and a file of another kind."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(jpeg(24, 40))
    (folder / "b.JPEG").write_bytes(jpeg(16, 16, gray=True))
    (folder / "deep" / "c.jpg").write_bytes(jpeg(33, 17, subsampling=0))
    (folder / "notes.txt").write_text("not for us")
    return folder


def files(folder: pathlib.Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_one_file_gets_an_image_and_a_line(command, photos):
    status, out, err = command(photos / "a.jpg")
    assert (status, err) == (0, "")
    (line,) = out.splitlines()
    assert line.startswith(f"{photos / 'a.jpg'}: exact: ")
    with Image.open(photos / "a.restored.png") as image:
        assert (image.mode, image.size) == ("RGB", (40, 24))


def test_a_folder_is_mirrored_and_inputs_stay_as_they_are(command, photos, tmp_path):
    before = {path: path.read_bytes() for path in photos.rglob("*.*") if path.is_file()}
    status, out, err = command(photos, f"--output={tmp_path / 'out'}")
    assert status == 0
    assert len(out.splitlines()) == 3
    assert "3 restored, 1 passed over" in err
    assert files(tmp_path / "out") == {
        "a.restored.png",
        "b.restored.png",
        "deep/c.restored.png",
    }
    with Image.open(tmp_path / "out" / "b.restored.png") as image:
        assert image.mode == "L"
    assert {path: path.read_bytes() for path in photos.rglob("*.*") if path.is_file()} == before


def test_finished_images_are_skipped_unless_overwritten(command, photos):
    command(photos)
    kept = photos / "a.restored.png"
    before = kept.stat().st_mtime_ns
    (photos / "b.restored.png").unlink()
    status, out, err = command(photos)
    assert status == 0
    assert len(out.splitlines()) == 1
    assert f"{photos / 'a.jpg'}: skipped, {kept} exists\n" in err
    assert "2 skipped, 1 restored" in err
    assert kept.stat().st_mtime_ns == before
    assert command(photos, "--overwrite")[0] == 0
    assert kept.stat().st_mtime_ns > before


def test_bad_files_are_named_and_do_not_end_the_run(command, photos):
    (photos / "a.jpg").write_bytes(b"nothing")
    (photos / "aa.jpg").write_bytes(b"")
    (photos / "new\nline.jpg").write_bytes(b"x")
    status, out, err = command(photos, photos / "gone.jpg")
    assert status == 1
    assert len(out.splitlines()) == 2
    named = [line.split(": ")[0] for line in err.splitlines()]
    for name in ("a.jpg", "aa.jpg", "gone.jpg"):
        assert str(photos / name) in named
    assert "new\\nline.jpg" in err
    assert "4 failed" in err
    assert "Traceback" not in err
    assert not (photos / "a.restored.png").exists()


def test_a_bug_or_a_lack_of_memory_fails_one_file_only(command, photos, monkeypatch):
    restore = decoding.Decoder.restore

    def sometimes(self, file, *arguments, **options):
        if file.width == 40:
            raise MemoryError("too much")
        return restore(self, file, *arguments, **options)

    monkeypatch.setattr(decoding.Decoder, "restore", sometimes)
    status, out, err = command(photos)
    assert status == 1
    assert len(out.splitlines()) == 2
    assert f"{photos / 'a.jpg'}: MemoryError: too much" in err
    assert "Traceback" not in err
    assert "Traceback" in command(photos, "--verbosity=1").err


def test_a_full_disk_is_reported_and_leaves_nothing(command, photos, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = files(photos)
    monkeypatch.setattr(system.os, "fsync", full)
    status, out, err = command(photos)
    assert (status, out) == (1, "")
    assert err.count("No space left on device") == 3
    assert files(photos) == before


def test_samples_mean_and_deviation_are_files_of_their_own(command, photos, sampler):
    several = (f"--model={sampler}", "--samples=2", "--mean=3", "--deviation", "--format=tiff")
    photo = photos / "a.jpg"
    report = photos / "report"
    status, out, err = command(photo, *several, "--seed=4", f"--report={report}")
    assert (status, err) == (0, "")
    made = {"1": ".tiff", "2": ".tiff", "mean": ".tiff", "deviation": ".png", "deviation16": ".png"}
    assert [line.split(": ")[0] for line in out.splitlines()] == [
        f"{photo} ({name})" for name in made
    ]
    paths = {name: photos / f"a.restored.{name}{suffix}" for name, suffix in made.items()}
    records = [json.loads(line) for line in report.read_text().splitlines()]
    assert [record["output"] for record in records] == list(map(str, paths.values()))
    assert [record["seed"] for record in records] == [4, 5, 4, 4, 4]
    assert [record["samples"] for record in records] == [1, 1, 3, 3, 3]
    for path in paths.values():
        with Image.open(path) as image:
            assert image.size == (40, 24)
    first = paths["1"].read_bytes()
    paths["2"].unlink()
    status, out, err = command(photo, *several, "--seed=4")
    assert out.startswith(f"{photo} (2): ")
    assert len(out.splitlines()) == 1
    again = command(photo, *several, "--seed=4")
    assert (again.status, again.out, again.err.count("skipped")) == (0, "", 5)
    assert command(photo, *several).status == 1
    command(photo, *several, "--overwrite")
    assert paths["1"].read_bytes() != first


def test_inputs_that_share_a_name_have_outputs_of_their_own(command, photos):
    (photos / "a.jpeg").write_bytes(jpeg(8, 8))
    for skipped in (0, 2):
        status, _, err = command(photos / "a.jpg", photos / "a.jpeg")
        assert status == 0
        assert err.count(": skipped, ") == skipped
    for name, size in (("a.jpg.restored.png", (40, 24)), ("a.jpeg.restored.png", (8, 8))):
        with Image.open(photos / name) as image:
            assert image.size == size


def test_what_no_output_can_hold_is_refused_before_the_network(command, photos, monkeypatch):
    """A name that is too long with .restored.png, and a side that WebP does not have."""

    monkeypatch.setattr(ShiftedBlur, "restore", lambda *arguments: pytest.fail("it runs"))
    long = photos / f"{'x' * 243}.jpg"
    long.write_bytes(jpeg(16, 16))
    wide = photos / "wide.jpg"
    wide.write_bytes(saved(np.zeros((8, 16384), np.uint8)))
    status, out, err = command(long, wide, "--format=webp")
    assert (status, out) == (1, "")
    first, second, _ = err.splitlines()
    assert first.startswith(f"{long}: its output ")
    assert "File name too long" in first
    assert second.startswith(f"{wide}: 16384x8: WebP holds at most 16383 pixels")


def test_the_report_has_a_record_for_each_image(command, photos, tmp_path, model):
    (photos / "bad.jpg").write_bytes(b"nothing")
    report = tmp_path / "report.jsonl"
    command(photos / "a.jpg", "--seed=3")
    command(photos, f"--report={report}", "--seed=3")
    records = {
        pathlib.Path(record["input"]).name: record
        for record in map(json.loads, report.read_text().splitlines())
    }
    assert {name: record["status"] for name, record in records.items()} == {
        "a.jpg": "skipped",
        "b.JPEG": "restored",
        "bad.jpg": "failed",
        "c.jpg": "restored",
    }
    assert records["bad.jpg"]["reason"]
    record = records["c.jpg"]
    assert (record["width"], record["height"], record["sampling"]) == (17, 33, "4:4:4")
    assert record["certificate"]["exact"] is True
    assert record["certificate"]["levels_total"] == 3 * 3 * 5 * 64
    assert np.array(record["tables"]).shape == (3, 8, 8)
    assert record["quality"] == 50
    assert record["seed"] == 3
    assert record["model"] == "blur"
    content = (photos / "deep" / "c.jpg").read_bytes()
    assert record["input_sha256"] == hashlib.sha256(content).hexdigest()
    assert set(record["seconds"]) == {"read", "network", "projection", "certificate", "write"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--no_such_flag", "a.jpg"],
        ["--blend=2", "a.jpg"],
        ["--projection=some", "a.jpg"],
        ["--samples=4", "a.jpg"],
        ["--mean=4", "a.jpg"],
        ["--deviation", "a.jpg"],
        ["--model=best", "a.jpg"],
        ["--output=-", "a.jpg", "b.jpg"],
        ["--output=a.jpg/b.png", "a.jpg"],
        ["--report=a.jpg/report", "a.jpg"],
        ["-"],
        ["--model={sampler}", "--samples=2", "--output=-", "a.jpg"],
        ["--model={sampler}", "--deviation", "--output=-", "a.jpg"],
        ["--model={sampler}", "--temperature=-1", "a.jpg"],
        ["--model={sampler}", "--samples=0", "a.jpg"],
        ["--bits=12", "a.jpg"],
        ["--bits=16", "--format=tiff", "a.jpg"],
        ["--bits=16", "--output=x.webp", "a.jpg"],
        ["--bits=16", "--model={sampler}", "--mean=4", "a.jpg"],
        ["--earlier_save=0", "a.jpg"],
        ["--earlier_save=30@8,0", "a.jpg"],
        ["--earlier_save=some", "a.jpg"],
    ],
)
def test_wrong_usage_is_one_line_and_2(command, photos, sampler, monkeypatch, arguments):
    monkeypatch.chdir(photos)
    before = files(photos)
    status, out, err = command(*(argument.format(sampler=sampler) for argument in arguments))
    assert (status, out) == (2, "")
    assert err.startswith("jpeg-gan-decode: ")
    assert len(err.splitlines()) == 1
    assert files(photos) == before


def test_metadata_goes_along_unless_it_is_stripped(command, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation
    exif[0x010F] = "maker"
    icc = b"a profile, not looked into" * 10
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(24, 40, exif=exif, icc_profile=icc, xmp=b"<x:xmpmeta/>", comment=b"hm"))
    command(path)
    with Image.open(tmp_path / "a.restored.png") as image:
        assert image.size == (40, 24)  # orientation is kept, not applied
        assert image.getexif()[0x0112] == 6
        assert image.getexif()[0x010F] == "maker"
        assert image.info["icc_profile"] == icc
        assert image.text["XML:com.adobe.xmp"] == "<x:xmpmeta/>"
        assert image.text["Comment"] == "hm"
        assert json.loads(image.text["Restoration"])["model"] == "blur"
    command(path, "--metadata=strip", "--overwrite")
    with Image.open(tmp_path / "a.restored.png") as image:
        assert image.info == {}


def test_seed_and_temperature_are_accepted_and_said_to_have_no_effect(command, photos):
    plain = command(photos / "a.jpg")
    before = np.asarray(Image.open(photos / "a.restored.png"))
    status, out, err = command(photos / "a.jpg", "--seed=9", "--temperature=0.5", "--overwrite")
    assert (status, out) == (0, plain.out)
    assert "no effect" in err
    assert np.array_equal(np.asarray(Image.open(photos / "a.restored.png")), before)


def test_png_and_webp_files_are_restored_as_of_a_save_that_is_given(command, photos, tmp_path):
    for name in ("d.png", "deep/e.webp"):
        Image.open(photos / "a.jpg").save(photos / name, lossless=True)
    report = tmp_path / "report"
    given = ("--earlier_save=50@0,0", "--bits=16", f"--report={report}")
    for skipped in (0, 5):
        status, out, err = command(photos, *given)
        assert status == 0
        assert len(out.splitlines()) == 5 - skipped
        assert f"{skipped} skipped" in err or not skipped
        for line in out.splitlines():
            assert "restored as of an earlier save with quality 50" in line
            assert line.endswith(" 100 % of its estimated luma coefficients within their cells")
    assert (photos / "d.restored.png").exists()
    records = [json.loads(line) for line in report.read_text().splitlines()][:5]
    assert {record["sampling"] for record in records} == {"4:2:0", "4:4:4", "gray", "unknown"}
    for record in records:
        assert (record["quality"], record["bits"], record["projection"]) == (50, 16, "float")
        save = record["earlier_save"]
        assert (save["quality"], save["offset"]) == (50, [0, 0])
        assert save["coefficients_inside"] == save["coefficients_total"] > 0
        assert (record["certificate"], record["violation"]) == (None, None)


def test_of_a_folder_png_files_are_taken_only_if_an_earlier_save_is_asked_for(command, photos):
    Image.open(photos / "a.jpg").save(photos / "d.png")
    for flag in ((), ("--earlier_save=off", "--overwrite")):
        assert command(photos, *flag).status == 0
        assert not (photos / "d.restored.png").exists()
    status, _, err = command(photos / "d.png", "--earlier_save=off")
    assert (status, "not a JPEG but a PNG image" in err) == (1, True)


def test_a_png_file_without_a_save_is_refused_with_the_remedy(command, tmp_path):
    path = tmp_path / "never.png"
    Image.fromarray(picture(90, 120)).save(path)
    status, out, err = command(path)
    assert (status, out) == (1, "")
    assert "no JPEG save shows in it: --earlier_save=QUALITY" in err


def test_a_model_that_does_not_load_ends_the_run(command, photos, monkeypatch):
    def fail(*arguments):
        raise ModelError("weights do not load")

    monkeypatch.setattr(runtimes, "open_runtime", fail)
    assert command(photos) == (1, "", "jpeg-gan-decode: weights do not load\n")


def test_help_is_answered_without_a_framework():
    with start("--help") as run:
        out, err = run.communicate()
    assert (run.returncode, err) == (0, b"")
    assert b"--projection" in out


def test_standard_input_to_standard_output_is_an_image_and_nothing_else(model):
    with start(f"--model={model}", "--output=-", "-") as run:
        out, err = run.communicate(jpeg(24, 40))
    assert run.returncode == 0
    assert out.endswith(b"IEND\xaeB`\x82")
    with Image.open(io.BytesIO(out)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (40, 24))
    (line,) = err.decode().splitlines()
    assert line.startswith("standard input: exact")


def test_a_reader_who_leaves_ends_the_run_quietly(model, photos):
    with start(f"--model={model}", photos) as run:
        run.stdout.close()
        assert b"Traceback" not in run.stderr.read()
    assert run.returncode == 1


def test_an_interrupted_run_ends_with_130_and_no_half_file(model, tmp_path):
    content = jpeg(640, 640)
    for i in range(50):
        (tmp_path / f"{i:02}.jpg").write_bytes(content)
    with start(f"--model={model}", tmp_path) as run:
        assert run.stdout.readline()
        run.send_signal(signal.SIGINT)
        _, err = run.communicate()
    assert run.returncode == 130
    assert err.decode().splitlines()[-1] == "-c: interrupted"
    assert not list(tmp_path.glob(".*"))
    finished = list(tmp_path.glob("*.png"))
    assert len(finished) < 50
    for path in finished:
        with Image.open(path) as image:
            image.load()
