"""Forked programs are like programs in processes of their own."""

import pathlib
import subprocess
import sys

import pytest

from tests.programs import Python

PROGRAM = """
import os, sys
print(sys.argv[1:], os.getcwd(), os.environ.get("GIVEN"), sys.stdin.read() == "", __name__)
print("aside", file=sys.stderr)
{end}
"""


@pytest.fixture(scope="module")
def python():
    python = Python("import sys, types; sys.modules['there'] = types.ModuleType('there')")
    yield python
    python.close()


def alone(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, input="", **options
    )


@pytest.mark.parametrize(
    "end",
    ["", "sys.exit()", "sys.exit(3)", "sys.exit('why')", "raise ValueError(4)",
     "os.kill(os.getpid(), 15)"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["-c", "path", "-m"])
def test_a_forked_program_is_like_one_alone(
    python: Python, tmp_path: pathlib.Path, end: str, how: str
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(end=end))
    command = {
        "-c": ("-c", PROGRAM.format(end=end)),
        "path": (tmp_path / "program.py",),
        "-m": ("-m", "program"),
    }[how]
    found = python(*command, "a", "b c", cwd=tmp_path)
    expected = alone(*command, "a", "b c", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
    assert found.stderr.splitlines()[0] == "aside"
    assert found.stderr.splitlines()[-1:] == expected.stderr.splitlines()[-1:]


def test_nothing_is_left_for_the_next(python: Python, tmp_path: pathlib.Path) -> None:
    code = "import os, there; print(os.environ.get('GIVEN')); there.mark = 1"
    assert python("-c", code, GIVEN="yes").stdout == "yes\n"
    code = "import os, there; print(os.environ.get('GIVEN'), hasattr(there, 'mark'))"
    assert python("-c", code).stdout == "None False\n"


def test_programs_run_side_by_side(python: Python, tmp_path: pathlib.Path) -> None:
    fifo = tmp_path / "fifo"
    code = f"import os; os.path.exists({str(fifo)!r}) or os.mkfifo({str(fifo)!r});"
    one = python.start("-c", f"{code} print(open({str(fifo)!r}).read())")
    other = python.start("-c", f"{code} open({str(fifo)!r}, 'w').write('told')")
    assert (other.wait(60).returncode, one.wait(60).stdout) == (0, "told\n")


def test_a_program_that_does_not_end_ends_with_its_server() -> None:
    python = Python("")
    with pytest.raises(TimeoutError, match="has not ended"):
        python("-c", "import time; time.sleep(100)", timeout=1)
