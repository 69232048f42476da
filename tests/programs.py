"""Python programs in processes forked from one that has made the slow imports.

Importing TensorFlow takes eight seconds of a processor, and a test of a command often less than
one besides. A forked process is otherwise a fresh one: it has its own arguments, environment,
folder and streams, and the next sees nothing of what it did. What a command imports, and what is
printed then, has to be tested in a process of its own.
"""

import atexit
import functools
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

ROOT = pathlib.Path(__file__).parents[1]

# Reads a call a line. Nobody waits for the process in between, which waits for the program.
_SERVER = """
import json, os, runpy, sys, threading, traceback

{imports}

def end(streams):
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            return 120  # as Python itself
    return 0

def status_of(command):
    sys.argv = command[1:] if command[0] in ("-m", "-c") else command
    try:
        if command[0] == "-m":
            sys.path.insert(0, os.getcwd())
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        elif command[0] == "-c":
            sys.path.insert(0, "")
            sys.argv = ["-c", *command[2:]]
            names = {{"__name__": "__main__", "__builtins__": __builtins__}}
            sys.modules["__main__"].__dict__.update(names)
            exec(compile(command[1], "<string>", "exec"), sys.modules["__main__"].__dict__)
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(command[0])))
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as exit:
        if exit.code is None or isinstance(exit.code, int):
            return exit.code or 0
        print(exit.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

def run(call):
    os.chdir(call["cwd"])
    os.environ.update(call["environment"])
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(os.path.join(call["folder"], name), os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    status = status_of(call["command"])
    threading._shutdown()
    os._exit(end((sys.stdout, sys.stderr)) or status)

def reap(options):
    try:
        while os.waitpid(-1, options)[0]:
            pass
    except ChildProcessError:
        pass

for line in sys.stdin:
    reap(os.WNOHANG)
    call = json.loads(line)
    if os.fork():
        continue
    program = os.fork()
    if not program:
        run(call)
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with open(os.path.join(call["folder"], "status"), "w") as file:
        file.write(str(code))
    os._exit(0)
reap(0)
"""


class Running:
    """A program that was started."""

    def __init__(self, server: subprocess.Popen[str], command: list[str], call: dict[str, Any]):
        self._folder = tempfile.TemporaryDirectory()
        self._command = command
        self._server = server
        status = pathlib.Path(self._folder.name, "status")
        os.mkfifo(status)
        self._status = os.open(status, os.O_RDONLY | os.O_NONBLOCK)
        assert server.stdin is not None
        server.stdin.write(json.dumps({**call, "folder": self._folder.name}) + "\n")
        server.stdin.flush()

    def wait(self, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Its exit status and what it printed.

        Raises:
            TimeoutError: it has not ended; the server is ended with all that it started.
        """
        end, ended = time.monotonic() + timeout, []
        while not ended and time.monotonic() < end and self._server.poll() is None:
            ended, _, _ = select.select([self._status], [], [], 1)
        code = os.read(self._status, 16) if ended else b""
        os.close(self._status)
        out, err = (pathlib.Path(self._folder.name, name) for name in ("out", "err"))
        said = [path.read_text() if path.exists() else "" for path in (out, err)]
        self._folder.cleanup()
        if not code:
            if self._server.poll() is None:
                os.killpg(self._server.pid, signal.SIGKILL)
            raise TimeoutError(f"{self._command} has not ended: {said}")
        return subprocess.CompletedProcess(self._command, int(code), *said)


class Python:
    """Runs Python programs.

    Args:
        imports: what each of them finds done: Python.
        environment: variables from the start on.
    """

    def __init__(self, imports: str, **environment: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER.format(imports=imports)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        atexit.register(self.close)

    def start(self, *command: object, cwd: pathlib.Path = ROOT, **environment: str) -> Running:
        """Start a program: "-m" and a module, "-c" and code, or a path; and its arguments."""
        words = [str(word) for word in command]
        call = {"command": words, "cwd": str(cwd), "environment": environment}
        return Running(self._server, words, call)

    def __call__(
        self, *command: object, cwd: pathlib.Path = ROOT, timeout: float = 600, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return self.start(*command, cwd=cwd, **environment).wait(timeout)

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()


@functools.cache
def with_tensorflow() -> Python:
    """Python that has TensorFlow and Keras imported, and nothing done with them."""
    return Python("from keras_jpeg_gan.system import import_tensorflow\nimport_tensorflow()")
