"""``flexion live``: score a patient from the amplifier's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import output
from deploy.cli.options import (
    Bundle,
    BundledRedis,
    Data,
    Json,
    Mains,
    Montage,
    NoBrowser,
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
Whose = Annotated[
    str | None, typer.Option("--patient", metavar="NAME", help="Pseudonym; without it sessions begin on the pages.")
]
Where = Annotated[str | None, typer.Option("--bed", metavar="NAME", help="Name of the bed.")]
Minutes = Annotated[float | None, typer.Option("--minutes", help="Planned length; 9 by default.")]
Stay = Annotated[bool, typer.Option("--stay", help="Keep the pages when the session has ended, until Ctrl-C.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(live)


def live(
    patient: Whose = None,
    bed: Where = None,
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

    It is the one that fits the montage, or the two that do together; where several do, say which. Without a patient
    nothing begins by itself: the pages offer the streams of the network, and sessions begin and end there until Ctrl-C.
    """
    from deploy.cli.running import run
    from deploy.priority import go_first
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
    go_first()
    stream, partner = (name, source_id, hostname), (partner_name, partner_source_id, partner_hostname)
    begins = _begins(patient, bed, *stream, *partner)
    plans = [find(settings, str(patient), str(bed), wait, stream=stream, partner=partner)] if begins else []
    if not begins:
        output.say("No patient was named: begin sessions on the pages, bed by bed.")
    raise typer.Exit(
        run(
            settings,
            plans,
            [None] * len(plans),
            browser=not no_browser,
            stay=stay or not begins,
            as_json=as_json,
            lasting=True,
            allow_bundled=allow_bundled_redis,
            swaps=True,
        )
    )


def _begins(patient: str | None, bed: str | None, *streams: str | None) -> bool:
    """Tell whether a session begins by itself: who is in which bed is said then, or nothing of one session is.

    Raises
    ------
    WrongUse
        If only a part of it is said.
    """
    from deploy.errors import WrongUse

    if patient is not None and bed is not None:
        return True
    if patient is None and bed is None and not any(streams):
        return False
    raise WrongUse(
        "A session needs its patient and its bed.",
        subject="--bed" if bed is None else "--patient",
        remedy="Give --patient and --bed, or neither of them nor a stream, to begin sessions on the pages.",
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
