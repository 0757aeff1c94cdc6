"""``flexion streams``: what the amplifiers on this network offer, and how to name one for ``flexion live``."""

from __future__ import annotations

import typer

from deploy.cli import output
from deploy.cli.options import Json, Montage, Unit, Wait


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(streams)


def streams(wait: Wait = 2.0, montage: Montage = None, unit: Unit = None, as_json: Json = False) -> None:
    """List the LSL streams of this network.

    Each with the built-in montages that it fits, and which two fit one together.
    """
    from acquisition.discovery import find_streams
    from deploy.network import describe_network
    from deploy.settings import load

    settings = load({"session.montage": montage, "session.unit": unit})
    found = describe_network(find_streams(wait), settings.session)
    if as_json:
        output.put_json({"schema": output.SCHEMA, **found})
        return
    if not found["streams"]:
        output.say(f"No stream answered within {wait:g} s. Is the amplifier's software running, on this network?")
        return
    head = ("name", "type", "source_id", "hostname", "channel_count", "rate_hz", "unit", "fits")
    rows = [[*(stream[key] for key in head[:-1]), ", ".join(stream["fits"])] for stream in found["streams"]]
    output.put_table("LSL streams", head, rows)
    for stream in found["streams"]:
        # What comes at no rate is markers, which nobody takes for a signal.
        if stream["refused"] and stream["rate_hz"]:
            output.say(stream["refused"])
    if found["pairs"]:
        pairs = [[pair["montage"], *_named(pair["signal"]), *_named(pair["partner"])] for pair in found["pairs"]]
        columns = ("fit", "--name", "--source-id", "--partner-name", "--partner-source-id")
        output.put_table("Two streams together", columns, pairs)


def _named(stream: dict[str, str]) -> tuple[str, str]:
    return stream["name"], stream["source_id"]
