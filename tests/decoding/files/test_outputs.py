import pytest

from keras_jpeg_gan.decoding.files.inputs import find_inputs
from keras_jpeg_gan.decoding.files.outputs import Outputs, distinct_stems
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


def test_files_that_differ_in_their_suffix_alone_keep_it(tree):
    for name in ("photos/a.jpg", "photos/a.JPG", "photos/a.jpg.jpg"):
        (tree / name).write_bytes(b"")
    assert places(["photos"], "out", "webp")[:5] == [
        "out/a.JPG.2.restored.webp",
        "out/a.jpeg.restored.webp",
        "out/a.jpg.3.restored.webp",
        "out/a.jpg.restored.webp",  # a.jpg.jpg's, which shares its name with no other
        "out/b.restored.webp",
    ]
    assert places(["photos/a.JPG", "photos/a.jpg"]) == [
        "photos/a.JPG.restored.png",
        "photos/a.jpg.2.restored.png",
    ]
    assert places(["photos/a.jpg"]) == ["photos/a.restored.png"]


@pytest.mark.parametrize(
    ("files", "outputs"),
    [
        ("a.jpg b.jpg", "a b"),
        ("a.jpg a.jpeg", "a.jpg a.jpeg"),
        ("a.JPG a.jpeg a.jpg", "a.JPG a.jpeg a.jpg.2"),
        ("a.jpg A.jpeg", "a.jpg A.jpeg"),
        ("A.jpg a.jpg", "A.jpg a.jpg.2"),
        ("a.jpg a.jpeg a.jpg.jpg", "a.jpg.2 a.jpeg a.jpg"),
        ("x/a.jpg y/a.jpeg", "x/a y/a"),
        ("x/a.jpg X/a.jpeg", "x/a.jpg X/a.jpeg"),
        ("STRASSE.jpg straße.jpg", "STRASSE.jpg straße.jpg.2"),
    ],
)
def test_outputs_differ_in_more_than_the_case_of_letters(files, outputs):
    """On macOS and Windows a.png and A.PNG are one file."""
    paths = files.split()
    found = distinct_stems(paths)
    assert [found[path] for path in paths] == outputs.split()
    assert distinct_stems(reversed(paths)) == found


def test_one_input_twice_has_one_output(tree):
    inputs = find_inputs(["photos/a.jpeg", "photos/../photos/a.jpeg"])
    outputs = Outputs(inputs, None, None)
    assert str(outputs.of(inputs.files[0])) == "photos/a.restored.png"
    with pytest.raises(ConfigError, match=r"already that of photos/a\.jpeg"):
        outputs.of(inputs.files[1])


@pytest.mark.parametrize(
    "output", [None, "photos", "new/"], ids=["beside", "folder", "folder to be made"]
)
def test_names_that_are_too_long_are_refused_before_anything_is_restored(tree, output):
    """255 bytes are the most that a name may have: é has two."""
    for stem, fits in (("é" * 121, True), ("é" * 122, False)):
        path = tree / "long" / f"{stem}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
        inputs = find_inputs([str(path)])
        outputs = Outputs(inputs, output, None)
        if fits:
            outputs.of(inputs.files[0])
        else:
            with pytest.raises(ConfigError, match="File name too long"):
                outputs.of(inputs.files[0])


def test_no_output_replaces_an_input_not_even_through_a_link(tree):
    (tree / "e.restored.png").write_bytes(b"")
    (tree / "link").symlink_to(tree / "e.restored.png")
    for other in ("e.restored.png", "link"):
        inputs = find_inputs(["other/e.jpg", other])
        outputs = Outputs(inputs, ".", None)
        with pytest.raises(ConfigError, match=f"replace {other}"):
            outputs.of(inputs.files[0])
