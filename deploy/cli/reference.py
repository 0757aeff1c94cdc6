"""docs/cli.md: the output of every command's ``--help``, so that the page cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: Width of the page; a terminal's own would make another one.
WIDTH = 100
HEAD = """# The command line

Written by `make docs` from the commands' own `--help`; a test compares.
"""


def reference() -> str:
    """Return the whole page."""
    sections = [f"## {name}\n\n```text\n{text}```\n" for name, text in _helps()]
    return "\n".join([HEAD, *sections])


def _helps() -> Iterator[tuple[str, str]]:
    import typer

    from deploy.cli.main import app

    yield from _help(typer.main.get_command(app), "flexion", None)


def _help(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=name.rpartition(" ")[2], parent=parent)
    context.terminal_width = context.max_content_width = WIDTH
    yield name, command.get_help(context).rstrip() + "\n"
    for word, child in getattr(command, "commands", {}).items():
        yield from _help(child, f"{name} {word}", context)


if __name__ == "__main__":
    print(reference(), end="")
