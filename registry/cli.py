"""The program: finds commands by entry point, turns errors into exit codes."""

import errno
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from drift.errors import MintmarkError
from registry import __version__
from registry.errors import CouldNotRun, harmless

GROUP = "mintmark.commands"
_LAST_S = 10.0  # for threads to end, after what could not be done was told
_FULL_OR_LOCKED = {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT}


class Text(click.types.StringParamType):
    """What records can hold; only the name of a file that is there may be any bytes."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """The text; refused where it is not UTF-8."""
        text = str(super().convert(value, param, ctx))
        raw = os.fsencode(text)
        told = raw.decode("utf-8", "backslashreplace")
        if told != text and not any(map(os.path.lexists, (text, text.partition("=")[2]))):
            self.fail(f"'{harmless(told)}' is not UTF-8; write it in UTF-8, as terminals do today", param, ctx)
        return text


class Program(click.Group):
    """Commands from every floor and from third parties, each loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(_found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        entry = _found().get(cmd_name)
        if entry is None:
            return None
        command = entry.load()
        return _only_text(command) if isinstance(command, click.Command) else None


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mintmark", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def program(ctx: click.Context, debug: bool) -> None:
    """Say where generated media came from, whether it could be made again, and prove it.

    Exit status, for every command: 0 yes, 1 no (or nothing found), 2 usage,
    3 could not run, 4 undecided, 5 nothing selected.
    """
    ctx.obj = debug


def main() -> None:
    """Run the command line and exit."""
    status = run(sys.argv[1:])
    if status == CouldNotRun.exit_code:
        # A thread that waits for a database to come back would hold the process for as long as that takes.
        threading.Thread(target=_end, args=(status,), daemon=True).start()
    sys.exit(status)


def _end(status: int) -> None:
    """End the process whoever still waits, but wait for threads of our own: they may await what is paid for."""
    while any(thread.name.startswith("mintmark-") and not thread.daemon for thread in threading.enumerate()):
        time.sleep(_LAST_S / 100)
    time.sleep(_LAST_S)
    with suppress(OSError, ValueError):  # closed already
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run one command; the answer is the exit status."""
    try:
        answer = program.main(arguments, prog_name="mintmark", standalone_mode=False)
        return answer if isinstance(answer, int) and not isinstance(answer, bool) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as problem:
        problem.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped by you", 130)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return 0
    except MintmarkError as problem:
        return _fail(arguments, str(problem), problem.exit_code)
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        next_step = "free space or fix the rights" if problem.errno in _FULL_OR_LOCKED else "try again"
        return _fail(arguments, f"{where}{problem.strerror or problem}; {next_step}", 3)
    except Exception as problem:
        told = f"internal error ({type(problem).__name__}: {problem}); `mintmark --debug …` shows where"
        return _fail(arguments, told, 3)


def _fail(arguments: list[str], message: str, status: int) -> int:
    if "--debug" in arguments:
        traceback.print_exc()
    return _say(message, status)


def _say(message: str, status: int) -> int:
    click.echo(harmless(f"mintmark: {message}"), err=True)  # a file's name may hold what a terminal obeys
    return status


def _only_text(command: click.Command) -> click.Command:
    """A command, and those below it, that refuses texts which no record can hold, naming the option."""
    for parameter in command.params:
        if parameter.type is click.STRING:
            parameter.type = Text()
    for below in getattr(command, "commands", {}).values():
        _only_text(below)
    return command


def _found() -> dict[str, EntryPoint]:
    found: dict[str, Any] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found
