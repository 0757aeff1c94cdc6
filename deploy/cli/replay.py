"""``flexion replay``: play a recorded session or a recording again, through the whole path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from acquisition.errors import FlexionError
from deploy import exits
from deploy.cli import output
from deploy.cli.options import Json, NoBrowser, Port, RedisUrl
from deploy.cli.said import Reads, Scores, spread
from deploy.errors import NotPlayed, WrongUse

if TYPE_CHECKING:
    from deploy.cli.table import Row
    from deploy.cli.turns import Manner, Ran, Take
    from deploy.gathering import Meant
    from deploy.opening import Models
    from deploy.settings import Settings

#: The bed of a replay that nobody gave another name.
BED = "replay"
#: As fast as it can be taken.
MAX = "max"

File = Annotated[
    str, typer.Argument(metavar="FILE", help="Recording, session folder, id of a session, or a folder of any of them.")
]
Speed = Annotated[str, typer.Option("--speed", help="'max': no LSL; a number: through a real LSL stream.")]
Loop = Annotated[bool, typer.Option("--loop", help="Over and over, until Ctrl-C.")]
Rounds = Annotated[int, typer.Option("--rounds", metavar="N", help="Over and over, N times.")]
Pages = Annotated[bool, typer.Option("--pages", help="Serve the pages meanwhile; always on at a finite speed.")]
BedName = Annotated[str, typer.Option("--bed", metavar="NAME", help="Bed under which it is shown.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(spread(replay))


def replay(
    file: File,
    *,
    speed: Speed = "1",
    loop: Loop = False,
    rounds: Rounds = 1,
    scores: Scores,
    reads: Reads,
    bed: BedName = BED,
    pages: Pages = False,
    port: Port = None,
    redis: RedisUrl = None,
    no_browser: NoBrowser = False,
    as_json: Json = False,
) -> None:
    """Score a recorded session again.

    Through Redis, scorer and aggregator; at a finite speed also through LSL. A folder of recordings makes one table.
    """
    from deploy.cli.running import tell
    from deploy.cli.sessions import path_of
    from deploy.cli.turns import Manner, play, prepare
    from deploy.gathering import gather, has_many
    from deploy.lsl_config import be_private
    from deploy.opening import Models

    be_private()
    factor, times, reading = _factor(speed), _times(loop, rounds), reads.reading(resample=scores.resample)
    manner = Manner(factor, times, bed, scores.patient, scores.wanted(), reading)
    settings = scores.settings(reads.unit, **{"redis_url": redis, "dashboard.port": port})
    path = path_of(file, settings.data_dir)
    models = Models.load(settings.models)
    shown = {"pages": pages or factor is not None, "browser": not no_browser, "as_json": as_json}
    if has_many(path):
        raise typer.Exit(_many(gather(file, path), settings, models, manner, **shown))
    take = prepare(gather(file, path)[0], settings, models, manner)
    for sentence in take.told:
        output.say(sentence)
    ran = play([take], settings, models, **shown)
    tell(list(ran.results.values()), ran.refusals, settings, as_json=as_json)
    raise typer.Exit(ran.code)


def _many(
    meant: Sequence[Meant], settings: Settings, models: Models, manner: Manner, *, as_json: bool, **shown: bool
) -> int:
    """Play several recordings one after the other, and return the worst exit code; one refused stops none other."""
    from deploy.cli import table
    from deploy.cli.turns import NONE, play, prepare

    if manner.rounds != 1:
        raise WrongUse("A folder is not looped.", subject="--loop", remedy="Name the one recording that is to be.")
    takes, rows = [], []
    for one in meant:
        try:
            takes.append(prepare(one, settings, models, manner))
        except FlexionError as error:
            rows.append(table.Row.refused(one.name, one.path, error))
    ran = play(takes, settings, models, as_json=as_json, **shown) if takes else NONE
    rows += [row_of(take, ran) for take in takes]
    names = [one.name for one in meant]
    code = table.put(sorted(rows, key=lambda row: names.index(row.name)), as_json=as_json)
    return exits.worst([code, ran.code])


def row_of(take: Take, ran: Ran) -> Row:
    """Return what became of one of several recordings."""
    from deploy.cli.table import Row

    name, session = take.meant.name, take.info.session
    if session in ran.refusals:
        refusal = ran.refusals[session]
        return Row(name, {**refusal, "error": {**refusal["error"], "subject": name}}, exits.BAD_INPUT)
    if session in ran.results:
        return Row.scored(name, ran.results[session], take.info.rate_hz, take.told)
    return Row.refused(name, take.meant.path, NotPlayed("It had no turn before the run was ended.", remedy="Play it."))


def _factor(speed: str) -> float | None:
    """Return how much faster than the patient; None for as fast as it can be taken."""
    if speed == MAX:
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0.0 < factor < 1000.0:
        raise WrongUse(f"--speed is {speed!r}.", subject="--speed", remedy="Give 'max' or a number above 0, such as 1.")
    return factor


def _times(loop: bool, rounds: int) -> int:
    """Return how often it is played; `ENDLESS` until somebody ends it."""
    from deploy.replaying import ENDLESS

    if rounds < 1:
        raise WrongUse(f"--rounds is {rounds}.", subject="--rounds", remedy="Give 2 or more, or --loop for no end.")
    if loop and rounds != 1:
        raise WrongUse("--loop has no end, --rounds has one.", subject="--loop", remedy="Give one of the two.")
    return ENDLESS if loop else rounds
