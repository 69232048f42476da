import errno
import json
import os

import pytest

import keras_jpeg_gan
from keras_jpeg_gan.decoding.files.report import Report, reason_of, shown
from keras_jpeg_gan.errors import ConfigError, JpegFormatError


def test_every_record_is_a_line_of_its_own_after_those_of_earlier_runs(tmp_path):
    path = tmp_path / "report"
    for name in ("a", "new\nline"):
        with Report(path) as report:
            report.add(name, "skipped", {"output": None})
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["input"] for record in records] == ["a", "new\nline"]
    assert {record["version"] for record in records} == {keras_jpeg_gan.__version__}


def test_a_report_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"report .* directory"):
        Report(tmp_path)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (JpegFormatError("a PNG image"), "a PNG image"),
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT), "a"), "No such file or directory (a)"),
        (OSError("read error"), "read error"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_unexpected_errors_are_prefixed_with_their_class(error, reason):
    assert reason_of(error) == reason


@pytest.mark.parametrize("name", ["", "a\nb", "a\x1b[31m", "\udcff"])
def test_names_are_shown_on_one_line(name):
    assert shown(name) == ascii(name)
    assert shown("Grüße 写真.jpg") == "Grüße 写真.jpg"
