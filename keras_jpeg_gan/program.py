"""What all commands share: absl's flags with this library's exit statuses and error lines."""

import os
import pathlib
import signal
import sys
import traceback
from collections.abc import Callable

from absl import flags, logging

from keras_jpeg_gan.errors import JpegGanError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 128 + signal.SIGINT


class UsageError(JpegGanError):
    """The command line asks for something that cannot be."""


class RunError(JpegGanError):
    """Nothing can be done any more, whatever the next file is: the run ends."""


def run(main: Callable[[list[str]], int], module: str, usage: str) -> None:
    """Parse the flags, run `main` with the other arguments, and exit with its status.

    A wrong flag or a `UsageError` is one line and status 2, another `JpegGanError` one line
    and status 1, Ctrl-C status 130, --help status 0. A traceback is shown with --verbosity=1.

    Args:
        main: takes the positional arguments, returns the exit status.
        module: name of the module whose flags --help shows.
        usage: what --help says first.
    """
    program = pathlib.Path(sys.argv[0]).name
    if sys.stderr is None:  # closed; what is printed there would go to standard output
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    wants_help = flags.DEFINE_bool("help", False, "show this help", short_name="h")
    try:
        arguments = _parsed(sys.argv)
        if wants_help.value:
            print(f"{usage}\n\n{flags.FLAGS.module_help(sys.modules[module])}")
            sys.exit(OK)
        logging.use_absl_handler()
        sys.exit(main(arguments))
    except (flags.Error, UsageError) as error:
        _explain(program, error)
        sys.exit(USAGE)
    except JpegGanError as error:
        _explain(program, error)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _parsed(argv: list[str]) -> list[str]:
    """Set the flags, and return the other arguments."""
    try:
        return flags.FLAGS(argv)[1:]
    except flags.Error:
        raise
    except Exception as error:  # ml_collections lets through whatever a config raises
        raise UsageError(f"a --config flag fails: {reason(error)}") from error


def reason(error: Exception) -> str:
    """An error in one line, for those whose words alone do not say what they are."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _explain(program: str, error: Exception) -> None:
    if logging.get_verbosity() >= logging.DEBUG:
        traceback.print_exc()
    first, *_ = str(error).splitlines() or [repr(error)]
    print(f"{program}: {first}", file=sys.stderr)
