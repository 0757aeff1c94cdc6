"""``flexion score``: score recordings in this process; no network, no server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acquisition.errors import FlexionError
from deploy import exits
from deploy.cli import output
from deploy.cli.options import Json
from deploy.cli.said import Reads, Scores, spread

if TYPE_CHECKING:
    from deploy.cli.progress import Progress
    from deploy.cli.table import Row
    from deploy.gathering import Meant

#: Scores the recording at a path: ``score_file`` with all that is the same for several.
Scoring = Callable[..., dict[str, Any]]

Files = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Recordings, session folders, ids, or folders of any of them.")
]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(spread(score))


def score(files: Files, *, scores: Scores, reads: Reads, as_json: Json = False) -> None:
    """Score recordings, here and now.

    In this process, without LSL and without Redis. Several files, or a folder of them, make one table.
    """
    from deploy.cli.sessions import path_of
    from deploy.gathering import gather, has_many
    from deploy.opening import Models
    from deploy.scoring import score_file
    from inference.engines.choice import open_engine

    wanted, reading = scores.wanted(), reads.reading(resample=scores.resample)
    settings = scores.settings(reads.unit)
    named = [(file, path_of(file, settings.data_dir)) for file in files]
    meant = [one for file, path in named for one in gather(file, path)]
    many = len(named) > 1 or has_many(named[0][1])
    models = Models.load(settings.models)
    with closing(open_engine(models.eeg_emg, settings.models.engines)) as engine:
        scoring = partial(
            score_file,
            settings=settings,
            models=models,
            engine=engine,
            patient=scores.patient,
            reading=reading,
            wanted=wanted,
        )
        code = _many(meant, scoring, as_json=as_json) if many else _one(meant[0], scoring, as_json=as_json)
    raise typer.Exit(code)


def _one(meant: Meant, scoring: Scoring, *, as_json: bool) -> int:
    from deploy.cli.progress import Progress

    with Progress(as_json=as_json) as progress:
        result = scoring(meant.path, tell=output.say, watcher=progress.track(meant.name))
    if as_json:
        output.put_json(result)
    else:
        output.put_result(result, meant.name)
    return exits.of_result(result)


def _many(meant: Sequence[Meant], scoring: Scoring, *, as_json: bool) -> int:
    from deploy.cli import table
    from deploy.cli.progress import Progress

    with Progress(as_json=as_json) as progress:
        rows = [_row(one, scoring, progress) for one in meant]
    return table.put(rows, as_json=as_json)


def _row(meant: Meant, scoring: Scoring, progress: Progress) -> Row:
    """Score one of several recordings; one that is refused stops none of the others."""
    from deploy.cli.table import Row

    told: list[str] = []
    track = progress.track(meant.name)
    try:
        result = scoring(meant.path, tell=told.append, watcher=track)
    except FlexionError as error:
        return Row.refused(meant.name, meant.path, error)
    finally:
        progress.over(track)
    return Row.scored(meant.name, result, track.rate_hz, told)
