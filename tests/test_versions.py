"""Versions and the hash of the code."""

import pathlib

import pytest

from keras_jpeg_gan import versions


def test_versions_name_what_results_depend_on() -> None:
    found = versions.versions()
    assert {"keras_jpeg_gan", "python", "numpy", "Pillow", "libjpeg-turbo", "processor"} <= set(
        found
    )
    assert all(found.values())


def test_the_code_is_known_by_names_and_contents(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "__file__", str(tmp_path / "versions.py"))
    hashes = []
    for name, content in (("a.py", "1"), ("a.py", "2"), ("b/c.py", ""), ("notes.txt", "3")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        hashes.append(versions.code_sha256())
    assert len(set(hashes)) == 3
    assert hashes[2] == hashes[3]
    (tmp_path / "a.py").rename(tmp_path / "d.py")
    assert versions.code_sha256() not in hashes
