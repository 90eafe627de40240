"""How every command begins and ends: the same words, the same exit status, and one sentence for each kind of end."""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from core.errors import CourseError

DONE, FAILED, MENDABLE, INTERRUPTED = 0, 1, 2, 130


class Failed(Exception):
    """The command did its work and the result is a failure; the message says where."""


class Interrupted(Exception):
    """The user stopped it; the message says what there is and how to go on."""


def words(arguments: Sequence[str] | None = None) -> list[str]:
    """A command's words, with `~` for the home folder also where no shell sees it, as in `--out=~/maps`.

    Args:
        arguments: by default those that the program was started with.
    """
    given = sys.argv[1:] if arguments is None else arguments
    home = os.path.expanduser("~").replace("\\", r"\\")
    return [re.sub(r"^([^/=~]+=)?~(?=[/\\]|$)", rf"\g<1>{home}", word) for word in given]


def jobs(text: str) -> int:
    """The type of an option `--jobs`.

    Raises:
        CourseError: it is no number from 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise CourseError(f"--jobs is {text}; give how many run at a time, from 1.")
    return int(text)


def finish(run: Callable[[], object]) -> int:
    """Runs a command and returns its exit status.

    0: done; 1: what was asked for failed; 2: the user can mend it; 130: interrupted. A reader of the output that goes
    away, as `head` does, ends it quietly, and a character that the terminal lacks is printed as its code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        run()
        sys.stdout.flush()
        return DONE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left unsaid goes nowhere
        return DONE
    except Failed as error:
        status, message = FAILED, str(error)
    except CourseError as error:
        status, message = MENDABLE, str(error)
    except Interrupted as error:
        status, message = INTERRUPTED, str(error)
    except KeyboardInterrupt:
        status, message = INTERRUPTED, "Interrupted; nothing half-written was left, so simply run it again."
    print(f"error: {message}", file=sys.stderr)
    return status


def main(module: ModuleType, prog: str, arguments: Sequence[str] | None = None) -> int:
    """Runs the command that a module holds: `add_arguments(parser)`, and `run(options)`."""
    parser = argparse.ArgumentParser(prog=prog, description=(module.__doc__ or "").split("\n")[0])
    module.add_arguments(parser)
    return finish(lambda: module.run(parser.parse_args(words(arguments))))
