"""What all commands share: absl's flags, with our exit statuses and one-line errors."""

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
    """The command line asks for something impossible."""


class RunError(JpegGanError):
    """No other file can be processed either, so the run ends."""


def run(main: Callable[[list[str]], int], module: str, usage: str) -> None:
    """Parse the flags, run `main` with the other arguments, and exit with its status.

    A wrong flag or a `UsageError` prints one line and exits with 2. Any other `JpegGanError`
    prints one line and exits with 1. Ctrl-C exits with 130, --help with 0. --verbosity=1 adds a
    traceback.

    Args:
        main: takes the positional arguments and returns the exit status.
        module: the module whose flags --help lists.
        usage: text that --help prints first.
    """
    program = pathlib.Path(sys.argv[0]).name
    if sys.stderr is None:  # closed: what we print there would go to standard output
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
    except Exception as error:  # ml_collections passes on whatever a config raises
        raise UsageError(f"a --config flag fails: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Describe an error in one line, with its class, since its message may not say what it is."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _explain(program: str, error: Exception) -> None:
    if logging.get_verbosity() >= logging.DEBUG:
        traceback.print_exc()
    first, *_ = str(error).splitlines() or [repr(error)]
    print(f"{program}: {first}", file=sys.stderr)
