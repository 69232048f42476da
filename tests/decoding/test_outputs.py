import pytest

from keras_jpeg_gan.decoding.inputs import find_inputs
from keras_jpeg_gan.decoding.outputs import Outputs
from keras_jpeg_gan.errors import ConfigError


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
