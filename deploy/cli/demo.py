"""``flexion demo``: simulated patients, scored live, in the browser; everything private to this run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.options import Data, Json, NoBrowser, Port, RedisUrl

if TYPE_CHECKING:
    from acquisition.montage import Montage
    from deploy.opening import Plan
    from deploy.settings import Settings

#: Beds that one machine serves (contract).
MOST_BEDS = 8
#: The latent recovery of the patient in each bed: a good one, a poor one, and those between.
RECOVERIES = (1.2, -1.2, 0.4, -0.4, 1.8, -1.8, 0.8, -0.8)

Seconds = Annotated[float | None, typer.Option("--seconds", help="Seconds of signal; without it, until Ctrl-C.")]
Beds = Annotated[int, typer.Option("--beds", help="Number of patients, 1 to 8.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(demo)


def demo(
    seconds: Seconds = None,
    beds: Beds = 1,
    no_browser: NoBrowser = False,
    port: Port = None,
    data: Data = None,
    redis: RedisUrl = None,
    as_json: Json = False,
) -> None:
    """Score simulated patients, in the browser.

    Needs no amplifier and no setup: Redis, streams and pages are private to this run. The first
    patient's scan is simulated and scored 20 s into the run.
    """
    from acquisition.montage import load_montage
    from deploy.cli.running import run
    from deploy.errors import WrongUse
    from deploy.lsl_config import be_private
    from deploy.settings import load

    if not 1 <= beds <= MOST_BEDS:
        raise WrongUse(f"{beds} beds were asked for.", subject="--beds", remedy=f"Give a number from 1 to {MOST_BEDS}.")
    if seconds is not None and seconds <= 0:
        raise WrongUse(f"{seconds:g} s of signal were asked for.", subject="--seconds", remedy="Give more than 0.")
    be_private()
    settings = load({"dashboard.port": port, "data_dir": data, "redis_url": redis})
    montage = load_montage(settings.session.montage)
    plans = [_plan(bed, seconds, settings, montage) for bed in range(1, beds + 1)]
    plays = [("--seed", str(bed), "--recovery", str(RECOVERIES[bed - 1])) for bed in range(1, beds + 1)]
    # The first patient's alone: what the others lack is named on their pages, and one core bears eight beds.
    scans = plays[:1] if settings.models.fmri else ()
    shown = {"browser": not no_browser, "stay": seconds is None}
    raise typer.Exit(run(settings, plans, plays, scans, **shown, as_json=as_json, lasting=False))


def _plan(bed: int, seconds: float | None, settings: Settings, montage: Montage) -> Plan:
    from deploy.opening import Plan, played_source

    source, markers_source = played_source(f"Flexion demo {bed}", montage.n_channels)
    return Plan(
        mode="demo",
        origin="simulated",
        patient=f"demo-{bed}",
        bed=f"demo-{bed}",
        montage=montage,
        source=source,
        markers_source=markers_source,
        mains_hz=settings.session.mains_hz,
        planned_s=seconds,
    )
