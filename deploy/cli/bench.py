"""``flexion bench``: how fast this machine is, beside others doing the same job."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

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

Minutes = Annotated[
    float, typer.Option("--minutes", min=0.05, metavar="MIN", help="For how long each draws at full speed in a round.")
]
Alone = Annotated[bool, typer.Option("--alone", help="Without uPlot: for an hour, to see what is held then.")]
Watching = Annotated[
    float,
    typer.Option("--seconds", min=30.0, metavar="S", help="For how long the page is watched; 30 s is one number."),
]
Views = Annotated[
    int, typer.Option("--views", min=1, metavar="N", help="How often the page is opened for the first time.")
]
BedCount = Annotated[int, typer.Option("--beds", min=1, metavar="N", help="Simulated beds.")]
Viewers = Annotated[int, typer.Option("--viewers", min=1, metavar="N", help="Viewers of each bed.")]
Stalled = Annotated[int, typer.Option("--stalled", min=0, metavar="N", help="Viewers that never read, beside those.")]
Fanned = Annotated[float, typer.Option("--seconds", min=2.0, metavar="S", help="For how long each round is counted.")]
Calls = Annotated[int, typer.Option("--rounds", min=1, metavar="N", help="Calls of each engine at each batch.")]
Batches = Annotated[str, typer.Option("--batches", metavar="N,N", help="Windows in a call, one number or more.")]
Bundles = Annotated[list[str] | None, typer.Option("--bundle", metavar="NAME", help="Again for another. [both LSTMs]")]
Peers = Annotated[
    list[str] | None,
    typer.Option("--peer", metavar="NAME=PYTHON", help="Engine in an environment of its own; again for another."),
]
Busy = Annotated[int, typer.Option("--busy", min=0, metavar="N", help="Then again beside N busy processes.")]
Swaps = Annotated[int, typer.Option("--swaps", min=1, metavar="N", help="How often what serves is changed.")]
PerSecond = Annotated[float, typer.Option("--per-second", min=0.1, metavar="N", help="Windows that come in a second.")]
Calm = Annotated[float, typer.Option("--seconds", min=1.0, metavar="S", help="Time before each change.")]


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


@group.command()
def screen(
    seconds: Watching = 600.0,
    views: Views = 10,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Measure in a browser how late the screen is, and how soon it is there.

    A demonstration runs meanwhile, with all its processes; the browser is Chromium, driven by playwright. Takes as long
    as the page is watched, and a minute.
    """
    from deploy.bench import screen as bench
    from deploy.lsl_config import be_private

    be_private()
    with tempfile.TemporaryDirectory(prefix="flexion-bench-") as folder:
        found = bench.run(Path(folder), seconds, views, output.say)
    head, rows = found.table()
    if as_json:
        output.put_json({"schema": output.SCHEMA, **found.to_json()})
    elif markdown:
        from deploy.bench.report import markdown as table

        print("\n\n".join([found.words, table(head, rows), "\n".join(found.figures())]), flush=True)
    else:
        output.put_table(found.words, head, rows)


class Found(Protocol):
    """What a bench of the pages found."""

    @property
    def words(self) -> str:
        """What was measured, as a title."""
        ...

    def rows(self) -> Sequence[Sequence[str]]:
        """Rows of the table."""
        ...

    def markdown(self) -> str:
        """Tables as the docs have them."""
        ...

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        ...


def _put(found: Found, head: Sequence[str], *, markdown: bool, as_json: bool) -> None:
    if as_json:
        output.put_json({"schema": output.SCHEMA, **found.to_json()})
    elif markdown:
        print(found.markdown(), flush=True)
    else:
        output.put_table(found.words, head, found.rows())


@group.command()
def drawing(
    minutes: Minutes = 1.0,
    rounds: Rounds = 3,
    alone: Alone = False,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Draw sixteen channels in a browser, beside uPlot on the same stream.

    Frames a second, also with the processor slowed down, script per frame, the browser's share of a core, and what its
    scripts hold after garbage was collected. Takes about three times MINUTES for each round.
    """
    from deploy.bench import drawing as bench

    found = bench.measure(60 * minutes, rounds, output.say, alone=alone)
    _put(found, bench.HEAD, markdown=markdown, as_json=as_json)


@group.command()
def fanout(
    beds: BedCount = 32,
    viewers: Viewers = 2,
    stalled: Stalled = 50,
    seconds: Fanned = 60.0,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Serve many viewers of many beds, beside some that never read, and beside a relay of JSON.

    Share of a core, memory, and how late frames come. Takes about four times SECONDS.
    """
    from deploy.bench import fanout as bench

    with tempfile.TemporaryDirectory(prefix="flexion-bench-") as folder:
        found = bench.run(Path(folder), beds, viewers, stalled, seconds, output.say)
    _put(found, bench.HEAD, markdown=markdown, as_json=as_json)


@group.command()
def engines(
    rounds: Calls = 100,
    batches: Batches = "1,8,32",
    bundle: Bundles = None,
    peer: Peers = None,
    busy: Busy = 0,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Run the bundles that ship on ONNX Runtime, torch and OpenVINO, beside each other.

    Each is a process of its own, and they take turns. What is not installed here can run in an environment of its own
    that has numpy and the engine's library. With lstm-raw, which reads every sample, a round takes seconds.
    """
    from deploy.bench import engines as bench
    from deploy.bench.engine_peers import Peer

    peers = bench.chosen([Peer.parse(text) for text in peer or ()])
    sizes = bench.sizes(batches)
    found = bench.measure(peers, bundle or bench.BUNDLES, sizes, rounds, busy, output.say)
    _put(found, bench.HEAD, markdown=markdown, as_json=as_json)
    if not (markdown or as_json):
        output.put_table(found.start_words, bench.START_HEAD, found.start_rows())


@group.command()
def swap(
    swaps: Swaps = 6,
    per_second: PerSecond = 2.0,
    calm: Calm = 20.0,
    bundle: Bundle = None,
    markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Change the bundles that serve, again and again, while windows come.

    How long windows wait for their scores meanwhile and otherwise, how long a change takes, and whether a window is
    lost. Takes SECONDS and about 10 s for each change.
    """
    from deploy import logs
    from deploy.bench import swap as bench
    from deploy.settings import load

    settings = load({"models.eeg_emg": bundle})
    logs.set_up(settings.log, "bench")
    with tempfile.TemporaryDirectory(prefix="flexion-bench-") as folder:
        found = bench.measure(Path(folder), settings, swaps, per_second, calm, output.say)
    _put(found, bench.HEAD, markdown=markdown, as_json=as_json)
