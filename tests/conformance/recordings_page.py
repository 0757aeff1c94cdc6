"""docs/recordings.md: every table under commands is what these commands write, over the shared recordings.

``python -m tests.conformance.recordings_page`` writes the tables anew; a test compares.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from pathlib import Path

from deploy.cli.main import run
from tests.conftest import SHARED_DATA

PAGE = Path(__file__).parents[2] / "docs" / "recordings.md"
#: Commands, and the table that they make: one head, then the rows of each.
BLOCK = re.compile(r"```sh\n((?:flexion recordings .*\n)+)```\n\n(?:\|.*\n)*")


def filled(page: str, folder: Path) -> str:
    """Return the page with its tables made anew in the folder of the recordings."""
    return BLOCK.sub(lambda block: f"```sh\n{block[1]}```\n\n{_table(block[1].splitlines(), folder)}", page)


def _table(commands: list[str], folder: Path) -> str:
    with contextlib.chdir(folder):
        tables = [_written(shlex.split(command)[1:]) for command in commands]
    head = tables[0][:2]
    return "".join(f"{line}\n" for line in [*head, *(row for table in tables for row in table[2:])])


def _written(arguments: list[str]) -> list[str]:
    with contextlib.redirect_stdout(io.StringIO()) as written:
        run(arguments)
    return written.getvalue().splitlines()


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8"), Path(os.path.abspath(SHARED_DATA))), "utf-8")
