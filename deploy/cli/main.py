"""The tree of verbs, and what becomes of an error: one clear line, an exit code, with ``--json`` the refusal object.

Anything that is not a ``FlexionError`` is a fault of ours: its traceback goes to a file that the line names.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from types import TracebackType
from typing import NoReturn

import typer

from acquisition.errors import FlexionError
from deploy import exits
from deploy.cli import (
    bench,
    cohort,
    config,
    cues,
    demo,
    doctor,
    evaluate,
    fmri,
    fusing,
    imaging,
    live,
    models,
    output,
    record,
    recordings,
    replay,
    roles,
    score,
    sessions,
    streams,
    train,
)
from deploy.errors import WrongUse
from deploy.lsl_config import be_quiet

app = typer.Typer(
    name="flexion",
    help="Score stroke rehabilitation live at the bedside. Research software: not a medical device, not for diagnosis.",
    epilog="Exit codes: 0 all is accounted for, 1 it is not, 2 wrong use, 3 bad input, 4 environment.",
    add_completion=False,
    # Plain help: it is the text of docs/cli.md, and it does not wait for rich.
    rich_markup_mode=None,
)
for verb in (demo, live, replay, score, recordings, record, cues, streams):
    verb.add_to(app)
for group in (sessions, fmri, cohort, train, imaging, fusing, models, bench):
    group.add_to(app)
for verb in (evaluate, doctor, config, roles):
    verb.add_to(app)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; what a GPU does to a role's next life, people read as environment."""
    code = _run(arguments)
    return exits.ENVIRONMENT if code == exits.DEVICE_LOST and not roles.is_role(arguments) else code


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        # The command itself, not the app: that would put a hook of its own in the place of ours.
        return typer.main.get_command(app).main(arguments or ["--help"], "flexion", standalone_mode=False) or exits.OK
    except typer.TyperException as error:
        return _refuse(_wrong_use(error), as_json)
    except FlexionError as error:
        return _refuse(error, as_json)
    except (KeyboardInterrupt, typer.Abort):
        output.say("flexion: interrupted before it was done.")
        return exits.UNBALANCED
    except BrokenPipeError:
        # The reader of our stdout (head, less) has gone; nothing more may be written to it, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.UNBALANCED


def main() -> NoReturn:
    """Run the command of this process."""
    sys.excepthook = report_fault
    be_quiet()
    sys.exit(run(sys.argv[1:]))


def report_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Write a fault's traceback to a file of its own, and one line about it on stderr."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="flexion-fault-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{' '.join(sys.argv)}\n")
        traceback.print_exception(kind, error, trace, file=file)
    words = traceback.format_exception_only(kind, error)[-1].strip()
    output.say(f"flexion: a fault of Flexion itself: {words}. Please report it with {file.name}.")


def _refuse(error: FlexionError, as_json: bool) -> int:
    output.put_refusal(error, as_json=as_json)
    return error.exit_code


def _wrong_use(error: typer.TyperException) -> WrongUse:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "flexion"
    message = error.format_message().rstrip(".")
    return WrongUse(f"{message}.", subject=command, remedy=f"Try {command} --help.")
