"""What all commands share: absl's flags, the library's extras, exit statuses and error lines."""

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
    """The command line asks for something that cannot be."""


class RunError(JpegGanError):
    """Nothing can be done any more, whatever the next file is: the run ends."""


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

    A wrong flag, a missing extra or a `UsageError` is one line and status 2, another
    `JpegGanError` one line and status 1, Ctrl-C status 130, --help status 0. A traceback is shown
    with --verbosity=1.

    Args:
        main: takes the positional arguments, returns the exit status.
        module: name of the module whose flags --help shows. It must be importable without the
            extra: `main` imports what belongs to it.
        usage: what --help says first.
        extra: the extra of setup.cfg that the command belongs to.
        needs: the modules of that extra without which `main` is not run.
    """
    program = pathlib.Path(sys.argv[0]).name
    if sys.stderr is None:  # closed; what is printed there would go to standard output
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
