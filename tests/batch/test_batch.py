def outcome(run) -> tuple[int, str, str]:
    out, err = run.communicate()
    return run.returncode, out, err


def test_help_is_answered_and_shares_the_other_commands_flags(command):
    status, out, err = outcome(command("--help"))
    assert (status, err) == (0, "")
    for flag in ("--seed_from", "--projection", "--max_megapixels", "--worker_cpus"):
        assert flag in out


def test_names_that_are_too_long_are_reported_before_the_run(command, tmp_path):
    (tmp_path / f"{'x' * 243}.jpg").write_bytes(b"")
    arguments = (f"--input={tmp_path}", f"--output={tmp_path / 'out'}", "--dry_run")
    status, out, err = outcome(command(*arguments))
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert first == "1 files, 0.0 MB; 0 left to restore"
    assert second.endswith(f"{'x' * 243}.restored.png: File name too long")


def test_wrong_usage_is_one_line_and_2(command, photos, tmp_path):
    here, there = f"--input={photos}", f"--output={tmp_path / 'out'}"
    cases = {
        (here,): "give --input",
        (here, there, "more"): "give --input",
        (f"{here}/none", there): "none",
        (here, f"--output={photos}/00.jpg"): "is a file",
        (here, there, "--bytes_column=image"): "no file named .parquet",
        (here, there, "--workers=0"): "workers",
        (here, there, "--model=none"): "no model",
        ("--input=ftp://host/x", there): "ftp",
    }
    runs = [command("--model=default", *arguments) for arguments in cases]
    for run, said in zip(runs, cases.values(), strict=True):
        status, printed, err = outcome(run)
        assert (status, printed) == (2, "")
        assert len(err.splitlines()) == 1
        assert said in err
    assert not (tmp_path / "out").exists()
