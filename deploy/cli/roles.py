"""The processes that a run is made of; the supervisor starts them, an engineer may run one by hand or elsewhere.

Each takes its settings from flags, FLEXION_* and flexion.toml like every other command.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.options import Bundle, Data, Port, RedisUrl
from deploy.errors import WrongUse

if TYPE_CHECKING:
    from deploy.settings import Settings

Session = Annotated[str, typer.Option("--session", metavar="ID", help="Id of the session.")]
Name = Annotated[str | None, typer.Option("--name", help="What it is called; role and process id by default.")]
Seed = Annotated[int, typer.Option("--seed", help="Which simulated patient.")]
Recovery = Annotated[float, typer.Option("--recovery", help="How well it recovers: 0 is average, 1 good, -1 poor.")]
RecordingPath = Annotated[Path | None, typer.Option("--recording", help="Recording or session folder to play.")]
Standby = Annotated[bool, typer.Option("--standby", help="Only while no scorer with a GPU is heard.")]
AsObject = Annotated[bool, typer.Option("--json", help="A refusal also as an object on stdout.")]
Speed = Annotated[float, typer.Option("--speed", help="How much faster than the patient.")]


def add_to(app: typer.Typer) -> None:
    """Add the roles to the command line, out of sight of its first page."""
    for role in ROLES:
        app.command(hidden=True)(role)


def is_role(arguments: Sequence[str]) -> bool:
    """Tell whether a command line is a role's."""
    return bool(arguments) and arguments[0] in {role.__name__ for role in ROLES}


def bridge(session: Session, data: Data = None, redis: RedisUrl = None, as_json: AsObject = False) -> None:
    """Run one session, from its source to Redis; again after a crash, it goes on."""
    from deploy.child import stop_event

    settings = _begin("bridge", {"data_dir": data, "redis_url": redis}, session=session)
    stop = stop_event()
    from deploy.roles.bridge import run

    raise typer.Exit(run(session, settings, stop))


def scorer(
    name: Name = None,
    bundle: Bundle = None,
    standby: Standby = False,
    redis: RedisUrl = None,
    as_json: AsObject = False,
) -> None:
    """Turn windows into results, for every session."""
    from deploy.child import stop_event

    settings = _begin("scorer", {"models.eeg_emg": bundle, "redis_url": redis})
    stop = stop_event()
    from deploy.roles.scorer import run

    run(_name(name, "scorer"), settings, stop, standby=standby)


def aggregator(name: Name = None, bundle: Bundle = None, redis: RedisUrl = None) -> None:
    """Turn results into outcomes, for every session."""
    from deploy.child import stop_event

    settings = _begin("aggregator", {"models.eeg_emg": bundle, "redis_url": redis})
    stop = stop_event()
    from deploy.roles.aggregator import run

    run(_name(name, "aggregator"), settings, stop)


def dashboard(name: Name = None, port: Port = None, data: Data = None, redis: RedisUrl = None) -> None:
    """Serve the pages of the ward and its beds."""
    from deploy.child import stop_event

    settings = _begin("dashboard", {"dashboard.port": port, "data_dir": data, "redis_url": redis})
    stop = stop_event()
    from deploy.roles.dashboard import run

    run(settings, stop)


def play(
    session: Session,
    seed: Seed = 1,
    recovery: Recovery = 0.0,
    recording: RecordingPath = None,
    speed: Speed = 1.0,
    data: Data = None,
    redis: RedisUrl = None,
) -> None:
    """Offer the stream of a session: a simulated patient, or a recording."""
    from deploy.child import stop_event

    settings = _begin("player", {"data_dir": data, "redis_url": redis})
    stop = stop_event()
    from deploy.roles.player import Playback, Simulation, run

    run(session, Playback(recording, speed) if recording else Simulation(seed, recovery), settings, stop)


def scan(session: Session, seed: Seed = 1, recovery: Recovery = 0.0, data: Data = None, redis: RedisUrl = None) -> None:
    """Simulate the scan of a demonstration's patient, and have it scored."""
    from deploy.child import stop_event

    settings = _begin("scan", {"data_dir": data, "redis_url": redis})
    stop = stop_event()
    from deploy.roles.scan import run

    raise typer.Exit(run(session, seed, recovery, settings, stop))


def _begin(role: str, flags: dict[str, object], **about: str) -> Settings:
    """Return the settings of a role, once it is bound to its supervisor's life and may speak of what it is about."""
    from deploy import logs
    from deploy.child import die_with_parent
    from deploy.settings import load

    die_with_parent()
    settings = load(flags)
    logs.set_up(settings.log, role, **about)
    if settings.redis_url is None:
        raise WrongUse(
            f"The {role} has no Redis.", subject="--redis", remedy="Name one: --redis URL, REDIS_URL, or flexion.toml."
        )
    return settings


def _name(name: str | None, role: str) -> str:
    import os

    return name or f"{role}-{os.getpid()}"


#: All of them, by the names of their functions.
ROLES = (bridge, scorer, aggregator, dashboard, play, scan)
