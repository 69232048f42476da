"""jpeg-gan-decode on many files at once, and on the whole robustness set."""

import json
import pathlib
import threading
import time
import warnings

from PIL import Image

from keras_jpeg_gan import system
from tests.files import jpeg


def test_every_odd_and_broken_file_is_restored_or_named(command, shared_data, tmp_path):
    """The whole robustness set in one run, but without the exact projection."""
    folder, output = shared_data / "robustness", tmp_path / "out"
    report = tmp_path / "report.jsonl"
    status, out, err = command(
        *(folder, *folder.glob("*/*.mpo"), f"--output={output}"),
        *("--projection=none", f"--report={report}"),
    )
    assert status == 1
    assert "Traceback" not in err
    records = [json.loads(line) for line in report.read_text().splitlines()]
    restored = [record for record in records if record["status"] == "restored"]
    failed = [record for record in records if record["status"] == "failed"]
    assert len(restored) + len(failed) == len(list(folder.glob("*/*")))
    assert (
        len(out.splitlines())
        == len(restored)
        == len([path for path in output.rglob("*") if path.is_file()])
    )
    said = [line for line in err.splitlines() if ": warning: " not in line]
    assert len([line for line in said if "megapixels: about" not in line]) == len(failed) + 1
    unforeseen = [record["reason"] for record in failed if "Error: " in record["reason"]]
    assert unforeseen == []
    valid = [record for record in restored if "/valid/" in record["input"]]
    assert len(valid) >= 270
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of the originals
        for record in restored:
            with Image.open(record["output"]) as image, Image.open(record["input"]) as original:
                assert image.size == original.size == (record["width"], record["height"])


def test_files_at_once_give_what_one_after_the_other_gives(command, tmp_path, sampler):
    """The same bytes, lines, records and failures, in the order of the inputs."""
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(12):
        content = jpeg(16 + 90 * (k % 4), 40 + k, seed=k, gray=k % 5 == 1)
        (folder / f"{k:02}.jpg").write_bytes(content[:-400] if k % 6 == 3 else content)
    (folder / "05.restored.png").mkdir()
    seen = []
    for threads in (1, 8):
        output, report = tmp_path / f"out{threads}", tmp_path / f"report{threads}"
        arguments = (f"--model={sampler}", f"--output={output}", f"--report={report}")
        status, out, err = command(folder, *arguments, f"--threads={threads}", "--samples=2")
        records = [json.loads(line) for line in report.read_text().splitlines()]
        for record in records:
            record.pop("seconds", None)
            record["output"] = pathlib.Path(record.get("output", "")).name
        made = {path.name: path.read_bytes() for path in output.iterdir()}
        seen.append((status, out, err, records, made))
    assert seen[0] == seen[1]
    status, out, err, records, made = seen[0]
    assert (status, len(out.splitlines()), len(made)) == (1, 20, 20)
    assert [record["input"] for record in records] == sorted(record["input"] for record in records)


def test_lines_are_neither_lost_nor_taken_for_libjpegs(command, tmp_path):
    """While a file is read, the standard error of the whole process is captured."""
    assert command(tmp_path / "gone.jpg").status == 1  # sets the lock
    within, text = threading.Event(), []

    def read() -> None:
        with system.captured_standard_error() as captured:
            within.set()
            time.sleep(0.3)
        text.append(captured.text)

    reader = threading.Thread(target=read)
    reader.start()
    assert within.wait(20)
    err = command(tmp_path / "gone.jpg").err
    reader.join()
    assert text == [""]
    assert err.startswith(f"{tmp_path / 'gone.jpg'}: there is no such file\n")
