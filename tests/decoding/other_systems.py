"""What other systems lack, taken away from this one. To be used in a process of its own."""

import os
import sys
import tempfile
from typing import Any

# Attributes of os, and modules, that Linux has and these do not.
_MISSING = {
    "macos": ("sched_getaffinity", "sched_setaffinity"),
    "windows": (
        *("sched_getaffinity", "sched_setaffinity", "sysconf", "sysconf_names", "getloadavg"),
        *("fork", "mkfifo", "getuid", "geteuid", "pathconf", "statvfs", "confstr"),
    ),
}
_NAMED = tempfile.NamedTemporaryFile
_MODULES = {"macos": (), "windows": ("fcntl", "grp", "pwd", "resource", "termios")}


def pretend(system: str) -> None:
    """Let this process find only what `system`, one of macos and windows, has."""
    for name in _MISSING[system]:
        delattr(os, name)
    if system == "macos":
        os.sysconf_names = {k: v for k, v in os.sysconf_names.items() if k != "SC_AVPHYS_PAGES"}
    else:
        tempfile.NamedTemporaryFile = _held_file
    sys.modules.update(dict.fromkeys(_MODULES[system]))

    def no_linux_files(event: str, arguments: tuple[Any, ...]) -> None:
        # threadpoolctl reads /proc/self/maps where sys.platform is linux.
        path = str(arguments[0]) if event == "open" else ""
        if path.startswith(("/proc/", "/sys/")) and path != "/proc/self/maps":
            raise FileNotFoundError(2, "No such file or directory", arguments[0])

    sys.addaudithook(no_linux_files)


def _held_file(*arguments: Any, delete: bool = True, **options: Any) -> Any:
    """A temporary file; unless it is kept, it cannot be opened by its name while it is open."""
    file = _NAMED(*arguments, delete=False, **options)
    if delete:
        os.unlink(file.name)
    return file
