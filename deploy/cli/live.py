"""``flexion live``: score a patient from the amplifier's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import output
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

if TYPE_CHECKING:
    from deploy.opening import Plan
    from deploy.settings import Settings

SourceId = Annotated[str | None, typer.Option("--source-id", metavar="ID", help="source_id of the stream.")]
StreamName = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the stream.")]
Host = Annotated[str | None, typer.Option("--hostname", metavar="HOST", help="Machine of the stream.")]
PartnerId = Annotated[
    str | None, typer.Option("--partner-source-id", metavar="ID", help="source_id of a second stream.")
]
PartnerName = Annotated[str | None, typer.Option("--partner-name", metavar="NAME", help="Name of a second stream.")]
PartnerHost = Annotated[
    str | None, typer.Option("--partner-hostname", metavar="HOST", help="Machine of a second stream.")
]
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
    partner_source_id: PartnerId = None,
    partner_name: PartnerName = None,
    partner_hostname: PartnerHost = None,
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

    It is the one that fits the montage, or the two that do together; where several do, say which.
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
            "models.eeg_emg": bundle,
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
            stay=stay,
            as_json=as_json,
            lasting=True,
            allow_bundled=allow_bundled_redis,
        )
    )


def find(
    settings: Settings,
    patient: str,
    bed: str,
    wait_s: float,
    *,
    stream: tuple[str | None, ...],
    partner: tuple[str | None, ...],
) -> Plan:
    """Find the stream, or both, and say it where there are two; each is known by name, source_id and host."""
    from acquisition.discovery import SourceSpec
    from deploy.network import pair_words
    from deploy.opening import find_source

    second = SourceSpec(*partner) if any(partner) else None
    plan = find_source(SourceSpec(*stream), settings, patient=patient, bed=bed, wait_s=wait_s, partner=second)
    if words := pair_words(plan.source):
        output.say(words)
    return plan
