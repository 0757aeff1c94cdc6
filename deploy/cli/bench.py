"""``flexion bench``: how fast this machine is, beside others doing the same job."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import output
from deploy.cli.options import Bundle, Json

if TYPE_CHECKING:
    from deploy.bench.profile import Profile
    from deploy.bench.report import Report

group = typer.Typer()
Seconds = Annotated[float, typer.Option("--seconds", min=20.0, metavar="S", help="Length of the recording.")]
Rounds = Annotated[int, typer.Option("--rounds", min=1, metavar="N", help="How often each job is timed.")]
WithProfile = Annotated[bool, typer.Option("--profile", help="Also tell where scoring spends its time.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Tables for docs/benchmarks.md and docs/figures.md.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="bench")


@group.callback()
def bench() -> None:
    """Measure how fast this machine is."""


@group.command()
def replay(
    seconds: Seconds = 540.0,
    rounds: Rounds = 5,
    profile: WithProfile = False,
    bundle: Bundle = None,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Read, condition, cut and score a recording, beside MNE.

    A simulated patient's, 9 minutes of 16 channels. Takes about 2 minutes on a quiet machine.
    """
    from deploy.bench.recorded import MAINS_HZ, MONTAGE
    from deploy.bench.replay import ReplayBench
    from deploy.settings import load

    settings = load({"session.montage": MONTAGE, "session.mains_hz": MAINS_HZ, "models.eeg_emg": bundle})
    with (
        tempfile.TemporaryDirectory(prefix="flexion-bench-") as folder,
        closing(ReplayBench(Path(folder), settings, seconds)) as measured,
    ):
        found = measured.run(rounds, output.say)
        spent = measured.profile() if profile else None
    if as_json:
        output.put_json({"schema": output.SCHEMA, **found.to_json(), "profile": spent.to_json() if spent else None})
    elif markdown:
        print(as_markdown(found, spent), flush=True)
    else:
        for title, head, rows in tables(found, spent):
            output.put_table(title, head, rows)


def tables(found: Report, spent: Profile | None) -> list[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    """Return title, head and rows of every table."""
    from deploy.bench import profile, report

    bench = (found.words, report.HEAD, found.rows())
    return [bench] if spent is None else [bench, *((where, *table) for where, table in profile.tables(spent))]


def as_markdown(found: Report, spent: Profile | None) -> str:
    """Return the tables as docs/benchmarks.md has them, then the rows of docs/figures.md."""
    from deploy.bench.report import markdown

    parts = [f"{title}\n\n{markdown(head, rows)}" for title, head, rows in tables(found, spent)]
    return "\n\n".join([*parts, "\n".join(found.figures())])
