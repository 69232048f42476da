import os
import pathlib

import pytest

from keras_jpeg_gan.decoding.inputs import find_inputs
from keras_jpeg_gan.decoding.outputs import Outputs
from keras_jpeg_gan.errors import ConfigError


@pytest.fixture
def tree(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder of names, which is also the current one; nothing opens the files."""
    for name in (
        "photos/b.JPG",
        "photos/a.jpeg",
        "photos/notes.txt",
        "photos/deep/er/c.jpe",
        "photos/deep/d.jfif",
        "photos/deep/b.restored.png",
        "other/e.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(inputs) -> list[str]:
    return [item.name for item in inputs.files]


def test_a_folder_gives_its_jpeg_names_at_any_depth_and_counts_the_others(tree):
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


def test_what_is_missing_or_holds_nothing_is_a_problem_of_its_own(tree):
    (tree / "empty").mkdir()
    inputs = find_inputs(["gone.jpg", "empty", "other/e.jpg"])
    assert named(inputs) == ["other/e.jpg"]
    assert [name for name, _ in inputs.problems] == ["gone.jpg", "empty"]


def test_no_file_is_taken_for_standard_input_or_the_current_folder(tree):
    (tree / "-").write_bytes(b"")
    for arguments in (["./-"], ["?"], [str(tree / "-")]):
        (item,) = find_inputs(arguments).files
        assert item.path is not None
        assert item.path.samefile(tree / "-")
    assert find_inputs(["-"]).files[0].path is None
    assert find_inputs([""]).problems == [("", "there is no such file")]
    assert find_inputs(["a" * 300 + ".jpg"]).problems[0][1] == "there is no such file"


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


def places(arguments, output=None, image_format=None) -> list[str]:
    inputs = find_inputs(arguments)
    outputs = Outputs(inputs, output, image_format)
    return [str(outputs.of(item)) for item in inputs.files]


def test_outputs_stand_beside_their_inputs(tree):
    assert places(["photos/a.jpeg", "other"]) == [
        "photos/a.restored.png",
        "other/e.restored.png",
    ]
    assert places(["other"], None, "tiff") == ["other/e.restored.tiff"]


def test_a_folder_of_outputs_mirrors_the_tree(tree):
    assert places(["photos"], "out")[2:] == [
        "out/deep/d.restored.png",
        "out/deep/er/c.restored.png",
    ]
    assert places(["photos/deep", "other", "photos/a.jpeg"], "out") == [
        "out/deep/d.restored.png",
        "out/deep/er/c.restored.png",
        "out/other/e.restored.png",
        "out/a.restored.png",
    ]


def test_one_file_goes_to_one_file_or_into_a_folder(tree):
    assert places(["other/e.jpg"], "x.webp") == ["x.webp"]
    assert places(["other/e.jpg"], "photos") == ["photos/e.restored.png"]
    assert places(["other/e.jpg"], "new/") == ["new/e.restored.png"]
    assert places(["other/e.jpg"], "-") == ["None"]
    assert places(["-"], "x.png") == ["x.png"]
    assert places(["-"], "new/") == ["new/stdin.restored.png"]


@pytest.mark.parametrize(
    ("arguments", "output", "image_format"),
    [
        (["-"], None, None),
        (["photos"], "-", None),
        (["other/e.jpg", "photos/a.jpeg"], "-", None),
        (["other/e.jpg"], "x.jpg", None),
        (["other/e.jpg"], "x.png", "webp"),
        (["other/e.jpg"], "photos/notes.txt/x.png", None),
        (["photos"], "photos/notes.txt", None),
    ],
)
def test_what_does_not_go_together_is_refused(tree, arguments, output, image_format):
    with pytest.raises(ConfigError):
        Outputs(find_inputs(arguments), output, image_format)


def test_two_inputs_of_one_output_are_not_written_over_each_other(tree):
    (tree / "photos/a.jpg").write_bytes(b"")
    inputs = find_inputs(["photos/a.jpeg", "photos/../photos/a.jpg"])
    outputs = Outputs(inputs, None, None)
    outputs.of(inputs.files[0])
    with pytest.raises(ConfigError, match=r"photos/a\.jpeg"):
        outputs.of(inputs.files[1])


def test_no_output_replaces_an_input_not_even_through_a_link(tree):
    (tree / "e.restored.png").write_bytes(b"")
    (tree / "link").symlink_to(tree / "e.restored.png")
    for other in ("e.restored.png", "link"):
        inputs = find_inputs(["other/e.jpg", other])
        outputs = Outputs(inputs, ".", None)
        with pytest.raises(ConfigError, match=f"replace {other}"):
            outputs.of(inputs.files[0])
