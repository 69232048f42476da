"""Outputs that exist: each is named, and skipped only if it is what the command would make."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, RestoreOptions
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.files.provenance import Work, work_of
from keras_jpeg_gan.jpeg.metadata import Metadata
from tests.files import jpeg, picture

NOTHING = Metadata(b"", b"", b"", (), 1, None)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(24, 40))
    return path


@pytest.mark.parametrize("image_format", writer.FORMATS)
def test_the_same_work_is_skipped_and_other_work_is_refused(
    command, photo, sampler, model, image_format
):
    output = photo.with_name("a.restored" + writer.FORMATS[image_format][0])
    usual = (photo, f"--model={sampler}", f"--format={image_format}", "--seed=3")
    assert command(*usual).status == 0
    content = output.read_bytes()
    assert command(*usual) == (0, "", f"{photo}: skipped, {output} exists\n")
    others = {
        "--seed=4": "seed 3, not 4",
        f"--model={model}": "model grain, not blur",
        "--projection=float": "projection exact, not float",
        "--blend=0.5": "blend 1, not 0.5",
        "--temperature=2": "temperature 1, not 2",
        "--earlier_save=30": "earlier save auto, not 30",
        "--metadata=strip": "metadata kept, not stripped",
    }
    for other, said in others.items():
        status, out, err = command(*usual, other)
        assert (status, out) == (1, "")
        (line,) = (line for line in err.splitlines() if "no effect" not in line)
        assert line.startswith(f"{photo}: {output} was made differently (")
        assert said in line
        assert line.endswith("): --overwrite replaces it")
    photo.write_bytes(jpeg(24, 40, seed=1))
    assert "input SHA-256" in command(*usual).err
    assert output.read_bytes() == content
    assert command(*usual, "--overwrite", "--seed=4").status == 0
    assert output.read_bytes() != content


def test_flags_without_effect_on_the_pixels_do_not_matter(command, photo):
    """A regression has no seed; more memory, threads and patience change nothing."""
    assert command(photo).status == 0
    for flag in (
        "--seed=4",
        "--temperature=2",
        "--threads=1",
        "--allow_truncated",
        "--max_scans=9",
    ):
        assert command(photo, flag).err.endswith("a.restored.png exists\n")
    assert command(photo, "--bits=16").status == 1


def test_an_image_that_does_not_say_what_made_it_is_not_taken_for_finished(command, photo):
    output = photo.with_name("a.restored.png")
    Image.fromarray(picture(24, 40)).save(output)
    for content in (output.read_bytes(), b"", output.read_bytes()[:60]):
        output.write_bytes(content)
        status, _, err = command(photo)
        assert status == 1
        assert err == (
            f"{photo}: {output} exists but does not say what made it: --overwrite replaces it\n"
        )
        assert output.read_bytes() == content


def test_without_metadata_an_image_is_skipped_with_the_doubt(command, photo):
    assert command(photo, "--metadata=strip").status == 0
    status, out, err = command(photo, "--metadata=strip")
    assert (status, out) == (0, "")
    assert "a.restored.png exists (without metadata it does not say what made it" in err
    assert command(photo).status == 1


def test_nothing_is_made_beside_other_work(command, photo, sampler):
    """An image that is missing is not added to those of another seed."""
    several = (photo, f"--model={sampler}", "--samples=3")
    assert command(*several).status == 0
    photo.with_name("a.restored.2.png").unlink()
    status, _, err = command(*several, "--seed=1")
    assert status == 1
    assert "a.restored.1.png was made differently (seed 0, not 1)" in err
    assert not photo.with_name("a.restored.2.png").exists()


def test_a_skipped_file_counts_only_with_its_own_name(command, photo):
    """The output of another file at the place of this one's is not this one's."""
    other = photo.with_name("b.jpg")
    other.write_bytes(jpeg(24, 40, seed=2))
    output = photo.with_name("x.png")
    assert command(other, f"--output={output}").status == 0
    status, _, err = command(photo, f"--output={output}")
    assert status == 1
    assert "input SHA-256" in err


def work(**changes) -> Work:
    usual = {"product": "image", "input_sha256": "0" * 64, "model": "m", "model_sha256": "1" * 64,
             "seed": 0, "samples": 1, "projection": "exact", "blend": 1.0, "temperature": 1.0,
             "bits": 8, "earlier_save": "auto"}  # fmt: skip
    return Work(**{**usual, **changes})


def test_a_note_gives_its_work_back_and_nothing_else_does():
    assert work_of(work(seed=None).note("exact")) == work(seed=None)
    assert json.loads(work().note("exact: all"))["result"] == "exact: all"
    for note in (None, "", "made by hand", "{}", "[]", "3", '{"seed": 1}'):
        assert work_of(note) is None


def test_models_are_the_same_if_their_weights_are():
    assert work(model="copy").differences(work()) == []
    assert work(model="m", model_sha256="2" * 64).differences(work()) == [
        f"model SHA-256 {'2' * 12}…, not {'1' * 12}…"
    ]


@pytest.mark.parametrize("image_format", writer.FORMATS)
@pytest.mark.parametrize("shape", [(1, 1), (31, 17), (5, 300)])
@pytest.mark.parametrize("exif", [b"", Image.Exif().tobytes()])
def test_notes_are_found_in_every_format_and_pixels_stay(tmp_path, image_format, shape, exif):
    pixels = picture(*shape)
    metadata = Metadata(exif, b"", b"", ("two\nlines",), 1, None)
    path = tmp_path / f"a{writer.FORMATS[image_format][0]}"
    for note in ("odd", "even"):
        content = writer.encode(pixels, image_format, metadata, note)
        path.write_bytes(content)
        assert writer.read_note(path) == note
        with Image.open(io.BytesIO(content)) as image:
            assert np.array_equal(np.asarray(image), pixels)
    path.write_bytes(writer.encode(pixels, image_format, None, "unwritten"))
    assert writer.read_note(path) is None
    path.write_bytes(writer.encode(picture(*shape, gray=True), image_format, NOTHING, "gray"))
    assert writer.read_note(path) == "gray"


def test_the_hash_is_of_the_files_own_bytes(model):
    content = jpeg(24, 40)
    padded, cut = content + bytes(100), content[:-2]
    decoder = Decoder(model)
    found = {decoder.read(data).sha256 for data in (content, padded, cut)}
    given = decoder.read(content, RestoreOptions(earlier_save="30")).sha256
    assert len(found) == 3
    assert given in found
