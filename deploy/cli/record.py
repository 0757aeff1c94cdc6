"""``flexion record``: the bridge without scoring; the session can be scored at any time later."""

from __future__ import annotations

import typer

from deploy.cli.live import Host, Minutes, PartnerHost, PartnerId, PartnerName, SourceId, StreamName, find
from deploy.cli.options import (
    Bed,
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


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(record)


def record(
    patient: Patient,
    bed: Bed,
    source_id: SourceId = None,
    name: StreamName = None,
    hostname: Host = None,
    partner_source_id: PartnerId = None,
    partner_name: PartnerName = None,
    partner_hostname: PartnerHost = None,
    montage: Montage = None,
    unit: Unit = None,
    mains: Mains = None,
    minutes: Minutes = None,
    wait: Wait = 5.0,
    port: Port = None,
    data: Data = None,
    redis: RedisUrl = None,
    allow_bundled_redis: BundledRedis = False,
    no_browser: NoBrowser = False,
    as_json: Json = False,
) -> None:
    """Record a patient, without scoring.

    From the one LSL stream that fits the montage, or the two that do together; flexion score scores it at any time
    later.
    """
    from deploy.cli.running import run
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
        }
    )
    plan = find(
        settings,
        patient,
        bed,
        wait,
        stream=(name, source_id, hostname),
        partner=(partner_name, partner_source_id, partner_hostname),
    )
    raise typer.Exit(
        run(
            settings,
            [plan],
            [None],
            browser=not no_browser,
            stay=False,
            as_json=as_json,
            lasting=True,
            scoring=False,
            allow_bundled=allow_bundled_redis,
        )
    )
