import os
import pathlib

from PIL import Image

from keras_jpeg_gan.decoding.files.inputs import Input, find_inputs, size_of
from keras_jpeg_gan.decoding.memory import Limits
from tests.files import jpeg


def named(inputs) -> list[str]:
    return [item.name for item in inputs.files]


def test_a_folder_gives_its_jpeg_files_at_any_depth_and_counts_the_others(tree):
    inputs = find_inputs(["photos"])
    assert named(inputs) == [
        "photos/a.jpeg",
        "photos/b.JPG",
        "photos/deep/d.jfif",
        "photos/deep/er/c.jpe",
    ]
    assert inputs.passed_over == 2
    assert not inputs.problems
    assert not inputs.single


def test_a_quoted_glob_is_what_the_shell_would_have_made_of_it(tree):
    assert named(find_inputs(["photos/*.[jJ]*"])) == ["photos/a.jpeg", "photos/b.JPG"]
    assert len(find_inputs(["**/*.j*"]).files) == 4
    assert find_inputs(["*.gif"]).problems == [("*.gif", "no file matches")]


def test_a_name_with_glob_characters_is_a_name_where_it_exists(tree):
    (tree / "[1].jpg").write_bytes(b"")
    assert named(find_inputs(["[1].jpg"])) == ["[1].jpg"]


def test_what_is_missing_or_empty_is_a_problem_of_its_own(tree):
    (tree / "empty").mkdir()
    inputs = find_inputs(["gone.jpg", "empty", "other/e.jpg"])
    assert named(inputs) == ["other/e.jpg"]
    assert [name for name, _ in inputs.problems] == ["gone.jpg", "empty"]


def test_no_file_is_mistaken_for_standard_input_or_the_current_folder(tree):
    (tree / "-").write_bytes(b"")
    for arguments in (["./-"], ["?"], [str(tree / "-")]):
        (item,) = find_inputs(arguments).files
        assert item.path is not None
        assert item.path.samefile(tree / "-")
    assert find_inputs(["-"]).files[0].path is None
    assert find_inputs([""]).problems == [("", "there is no such file")]
    assert find_inputs(["a" * 300 + ".jpg"]).problems[0][1] == "there is no such file"


SIDECARS = (
    "photos/._a.jpeg",
    "photos/@eaDir/a.jpeg/SYNOFILE_THUMB_M.jpg",
    "photos/deep/.thumbnails/12.jpg",
    "photos/deep/.@__thumb/s100d.jpg",
    "photos/.AppleDouble/a.jpg",
    "__MACOSX/photos/._b.jpg",
)


def test_what_systems_put_beside_photographs_is_passed_over_and_counted(tree):
    """AppleDouble files and thumbnails, as file managers, NAS systems and macOS' archives do."""
    before = find_inputs(["."])
    for name in (*SIDECARS, "photos/Thumbs.db"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"\0\5\x16\7")
    after = find_inputs(["."])
    assert named(after) == named(before)
    assert after.passed_over == before.passed_over + 7
    assert not after.problems
    for pattern in ("photos/**/*.jp*", "photos/*", "*"):
        assert not set(SIDECARS) & set(named(find_inputs([pattern])))
    assert find_inputs(["photos/*"]).passed_over >= 2  # a folder of thumbnails counts as one


def test_what_is_named_is_taken_whatever_its_name(tree):
    for name in SIDECARS:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"")
        assert named(find_inputs([name])) == [name]
    assert named(find_inputs(["photos/deep/.thumbnails"])) == ["photos/deep/.thumbnails/12.jpg"]
    assert named(find_inputs(["photos/@eaDir/*/*.jpg"])) == [SIDECARS[1]]
    assert named(find_inputs(["photos/._*"])) == ["photos/._a.jpeg"]


def test_links_are_not_followed_out_of_the_folder(tree):
    (tree / "photos/inside.jpg").symlink_to(tree / "photos/b.JPG")
    (tree / "photos/outside.jpg").symlink_to(tree / "other/e.jpg")
    (tree / "photos/folder").symlink_to(tree / "other")
    (tree / "photos/nowhere.jpg").symlink_to(tree / "gone.jpg")
    os.mkfifo(tree / "photos/pipe.jpg")
    inputs = find_inputs(["photos"])
    assert "photos/inside.jpg" in named(inputs)
    assert len(inputs.files) == 5
    assert inputs.passed_over == 5


def item(path: pathlib.Path) -> Input:
    return Input(str(path), path, pathlib.PurePath(path.name))


def test_a_header_tells_the_size(tmp_path):
    path = tmp_path / "a.jpg"
    for content, size in (
        (jpeg(30, 50), (30, 50)),
        (jpeg(30, 50, progressive=True, comment=b"long" * 10_000), (30, 50)),
        (jpeg(30, 50)[:700], (30, 50)),
        (b"", (0, 0)),
        (b"nothing", (0, 0)),
        (jpeg(30, 50)[:100], (0, 0)),
    ):
        path.write_bytes(content)
        assert size_of(item(path), Limits()) == size
    path.write_bytes(jpeg(30, 50))
    assert size_of(item(path), Limits(max_megapixels=0.001)) == (0, 0)
    assert size_of(item(path), Limits(max_pixels_per_byte=0.1)) == (0, 0)
    assert size_of(item(tmp_path / "gone.jpg"), Limits()) == (0, 0)
    assert size_of(item(tmp_path), Limits()) == (0, 0)
    for name in ("a.png", "a.webp"):
        Image.new("RGB", (70, 20)).save(tmp_path / name)
        assert size_of(item(tmp_path / name), Limits()) == (20, 70)


def test_a_pipe_is_not_read_for_its_size(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert size_of(item(tmp_path / "pipe.jpg"), Limits()) == (0, 0)
    assert size_of(Input("standard input", None, pathlib.PurePath("stdin")), Limits()) == (0, 0)
