"""``flexion live``: score a patient from the amplifier's stream."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.cli.options import (
    Bed,
    Bundle,
    BundledRedis,
    Data,
    Json,
    Mains,
    Montage,
    NoBrowser,
    Patient,
    Port,
    RedisUrl,
    Unit,
    Wait,
)

SourceId = Annotated[str | None, typer.Option("--source-id", metavar="ID", help="source_id of the stream.")]
StreamName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the stream.")]
Host = Annotated[str | None, typer.Option("--hostname", metavar="HOST", help="Machine of the stream.")]
Minutes = Annotated[float | None, typer.Option("--minutes", help="Planned length; 9 by default.")]
Stay = Annotated[bool, typer.Option("--stay", help="Keep the pages when the session has ended, until Ctrl-C.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(live)


def live(
    patient: Patient,
    bed: Bed,
    source_id: SourceId = None,
    name: StreamName = None,
    hostname: Host = None,
    montage: Montage = None,
    unit: Unit = None,
    mains: Mains = None,
    minutes: Minutes = None,
    bundle: Bundle = None,
    wait: Wait = 5.0,
    port: Port = None,
    data: Data = None,
    redis: RedisUrl = None,
    allow_bundled_redis: BundledRedis = False,
    stay: Stay = False,
    no_browser: NoBrowser = False,
    as_json: Json = False,
) -> None:
    """Score a patient live, from an LSL stream.

    It is the one that fits the montage; where several do, say which.
    """
    from acquisition.discovery import SourceSpec
    from deploy.cli.running import run
    from deploy.opening import find_source
    from deploy.settings import load

    settings = load(
        {
            "data_dir": data,
            "redis_url": redis,
            "dashboard.port": port,
            "session.montage": montage,
            "session.unit": unit,
            "session.mains_hz": mains,
            "session.minutes": minutes,
            "models.eeg_emg": bundle,
        }
    )
    plan = find_source(SourceSpec(name, source_id, hostname), settings, patient=patient, bed=bed, wait_s=wait)
    raise typer.Exit(
        run(
            settings,
            [plan],
            [None],
            browser=not no_browser,
            stay=stay,
            as_json=as_json,
            lasting=True,
            allow_bundled=allow_bundled_redis,
        )
    )
