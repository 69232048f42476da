"""The decoder where Linux' own calls and files are missing, as on macOS and Windows."""

import pytest

from tests.decoding.processes import start
from tests.files import jpeg

SCRIPT = """
from tests.decoding.other_systems import pretend
pretend({system!r})
from keras_jpeg_gan.decoding import decode
decode.run()
"""


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_the_command_needs_nothing_that_only_linux_has(tmp_path, system):
    """With the bundled network, files of both encoders, and an output folder to be made."""
    (tmp_path / "a.jpg").write_bytes(jpeg(24, 40))
    (tmp_path / "b.jpg").write_bytes(jpeg(24, 40, gray=True))
    arguments = (tmp_path, f"--output={tmp_path / 'out'}/")
    with start(*arguments, script=SCRIPT.format(system=system)) as run:
        out, err = run.communicate()
    assert (run.returncode, err.decode()) == (0, "2 restored\n")
    assert len(out.splitlines()) == len(list((tmp_path / "out").iterdir())) == 2
