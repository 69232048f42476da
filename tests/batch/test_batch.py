def outcome(run) -> tuple[int, str, str]:
    out, err = run.communicate()
    return run.returncode, out, err


def test_help_is_answered_and_shares_the_other_commands_flags(command):
    status, out, err = outcome(command("--help"))
    assert (status, err) == (0, "")
    for flag in ("--seed_from", "--projection", "--max_megapixels", "--worker_cpus"):
        assert flag in out


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
