"""jpeg-gan-evaluate: what it prints, writes and refuses."""

import csv
import json
import pathlib
import subprocess
import sys

import pytest

from tests.evaluation import commands


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return commands.run("evaluate", *arguments)


def test_everything_at_once(
    images: pathlib.Path, tmp_path: pathlib.Path, shared_data: pathlib.Path
) -> None:
    output = tmp_path / "results"
    flags = [
        f"--images={images}", "--models=libjpeg,regression,ours=default", "--quality=10",
        "--methods=sample,float,exact,mean:2,control", "--seeds=2", "--metrics=psnr,psnr_b",
        f"--features={shared_data / 'weights' / 'lpips_alexnet_f16.npz'}",
        f"--peers=again={sys.executable} -c 'import sys, shutil; shutil.copy(*sys.argv[1:])' "
        "{input} {output}", f"--output={output}", f"--cache={tmp_path / 'cache'}",
    ]  # fmt: skip
    result = run(*flags)
    assert result.returncode == 0, result.stderr
    assert "Means over the images" in result.stdout
    lines = json.loads((output / "summary.json").read_text())["lines"]
    found = {(s["model"], s["method"]): s for s in lines}
    methods = [
        ("libjpeg", "decode"), ("regression", "sample"), ("regression", "float"),
        ("regression", "exact"), ("ours", "sample"), ("ours", "float"), ("ours", "exact"),
        ("ours", "mean:2"), ("ours", "control"), ("again", "peer"),
    ]  # fmt: skip
    assert list(found) == methods
    for (model, method), line in found.items():
        assert (line["quality"], line["images"]) == (10, 3)
        assert line["seeds"] == (2 if model == "ours" and method != "mean:2" else 1)
        if method in ("exact", "mean:2", "control"):
            assert line["files_exact"] == line["files"]
            assert line["consistency"] == 0
        assert line["sets"][0]["distance_name"] == "FD AlexNet-64"
    assert found["again", "peer"]["psnr"] == found["libjpeg", "decode"]["psnr"]
    assert found["ours", "float"]["unrounded_consistency"] < 1e-3
    rows = list(csv.DictReader((output / "results.csv").read_text().splitlines()))
    assert len(rows) == 3 * sum(line["seeds"] for line in lines)
    assert {row["image"] for row in rows} == {"1.png", "2.png", "more/1.png"}
    about = json.loads((output / "settings.json").read_text())
    assert len(about["settings"]["weights"]["ours"]) == 64
    assert about["versions"]["libjpeg-turbo"]
    assert "| 4:2:0 | 10 | ours | control |" in (output / "table.md").read_text()
    # All is there already; other settings belong elsewhere.
    assert run(*flags).stdout == result.stdout
    other = run(*flags, "--seeds=3")
    assert other.returncode == 1
    assert "another seeds" in other.stderr


def test_a_protocol_sets_what_is_not_given(images: pathlib.Path) -> None:
    result = run(f"--images={images}", "--models=libjpeg", "--protocol=table4", "--sampling=4:4:4")
    assert result.returncode == 0, result.stderr
    assert "| 4:4:4 | 5 | libjpeg |" in result.stdout
    assert "| Ours | – | – | – | 16.70 ± 0.14 |" in result.stdout
    assert "| Ground truth | – | 0.0000 | ∞ | 10.28 |" in result.stdout
    assert "Comparable with the paper's FID only with --features" in result.stdout
    refused = run(f"--images={images}", "--protocol=table5", "--features=x.pb")
    assert refused.returncode == 2
    assert "training images: give --reference" in refused.stderr
    double = run(f"--images={images}", "--models=libjpeg", "--protocol=double").stdout
    assert "| 4:2:0 | 10, shifted by (5, 3), then 30 | libjpeg |" in double
    rounding = run(f"--images={images}", "--protocol=table2").stdout
    assert "| the paper's, FFHQ | 0.5465 | 0 |" in rounding


def test_only_what_is_listed(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("more/1.png\n\n")
    output = tmp_path / "output"
    flags = f"--images={images}", "--models=libjpeg", f"--list={names}", f"--output={output}"
    assert run(*flags).returncode == 0
    lines = json.loads((output / "summary.json").read_text())["lines"]
    assert all(line["images"] == 1 for line in lines)
    (images / "more" / "1.png").write_bytes((images / "1.png").read_bytes())
    result = run(*flags)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "has an evaluation with another content of the images" in result.stderr
    names.write_text("3.png\n")
    result = run(*flags)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "3.png" in result.stderr


def test_one_bad_image_does_not_end_it(images: pathlib.Path) -> None:
    (images / "0.png").write_bytes(b"broken")
    result = run(f"--images={images}", "--models=libjpeg", "--quality=50")
    assert result.returncode == 1
    assert "0.png: cannot be read" in result.stderr.splitlines()[-1]
    assert "| 4:2:0 | 50 | libjpeg |" in result.stdout


def test_all_bad(tmp_path: pathlib.Path) -> None:
    (tmp_path / "0.png").write_bytes(b"broken")
    result = run(f"--images={tmp_path}", "--models=libjpeg")
    assert result.returncode == 1
    assert "no image could be measured" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ((), 2, "--images"),
        (("--images=.", "--dataset=ffhq"), 2, "--images=DIR or --dataset"),
        (("--images=/nowhere",), 1, "no such folder"),
        (("--dataset=nobodys",), 1, "knows no such dataset"),
        (("--images=.", "--quality=0"), 2, "--quality=0"),
        (("--images=.", "--quality=ten"), 2, "--quality=ten"),
        (("--images=.", "--sampling=4:1:1"), 2, "--sampling=4:1:1"),
        (("--images=.", "--methods=best"), 2, "--methods: method 'best'"),
        (("--images=.", "--metrics=beauty"), 2, "--metrics=beauty"),
        (("--images=.", "--seeds=0"), 2, "seeds"),
        (("--images=.", "--set_metrics=fid"), 2, "--set_metrics=fid"),
        (("--images=.", "--protocol=table9"), 2, "table9"),
        (("--images=.", "--peers=program"), 2, "{input} and {output}"),
        (("--images=examples", "--models=libjpeg,nobody"), 1, "no model 'nobody'"),
        (("--images=examples", "--features=/nowhere.npz"), 1, "/nowhere.npz"),
        (("--images=examples", "--list=/nowhere.txt"), 1, "/nowhere.txt"),
        (("--images=.", "--nonsense"), 2, "nonsense"),
        (("stray",), 2, "stray"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], status: int, reason: str) -> None:
    result = run(*arguments)
    assert result.returncode == status
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
