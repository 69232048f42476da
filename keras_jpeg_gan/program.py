"""What all commands share: absl's flags, our extras, exit statuses and one-line errors."""

import importlib.util
import os
import pathlib
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

from absl import flags, logging

from keras_jpeg_gan.errors import JpegGanError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 128 + signal.SIGINT


class UsageError(JpegGanError):
    """The command line asks for something impossible."""


class RunError(JpegGanError):
    """No other file can be processed either, so the run ends."""


def install(extra: str) -> str:
    """The command that installs an extra of this package."""
    return f"pip install 'keras-jpeg-gan[{extra}]'"


def run(
    main: Callable[[list[str]], int],
    module: str,
    usage: str,
    extra: str = "",
    needs: Sequence[str] = (),
) -> None:
    """Parse the flags, run `main` with the other arguments, and exit with its status.

    A wrong flag, a missing extra or a `UsageError` prints one line and exits with 2. Any other
    `JpegGanError` prints one line and exits with 1. Ctrl-C exits with 130, --help with 0.
    --verbosity=1 adds a traceback.

    Args:
        main: takes the positional arguments and returns the exit status.
        module: the module whose flags --help lists. It must be importable without the extra:
            `main` imports what the extra brings.
        usage: text that --help prints first.
        extra: the extra of setup.cfg that the command belongs to.
        needs: modules of that extra without which `main` does not run.
    """
    program = pathlib.Path(sys.argv[0]).name
    if sys.stderr is None:  # closed: what we print there would go to standard output
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    missing = [name for name in needs if importlib.util.find_spec(name) is None]
    wants_help = flags.DEFINE_bool("help", False, "show this help", short_name="h")
    try:
        # A missing module may have been the one to define a flag.
        arguments = _parsed(sys.argv, known_only=bool(missing))
        if wants_help.value:
            print(f"{usage}\n\n{flags.FLAGS.module_help(sys.modules[module])}", flush=True)
            sys.exit(OK)
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise UsageError(f"{', '.join(missing)} {verb} not installed: {install(extra)}")
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
    except BrokenPipeError:  # whoever was reading the output has stopped
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(FAILED)


def _parsed(argv: list[str], known_only: bool) -> list[str]:
    """Set the flags, and return the other arguments, unknown flags among them if `known_only`."""
    try:
        return flags.FLAGS(argv, known_only=known_only)[1:]
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
