"""``flexion streams``: what the amplifiers on this network offer, and how to name one for ``flexion live``."""

from __future__ import annotations

import typer

from deploy.cli import output
from deploy.cli.options import Json, Wait


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(streams)


def streams(wait: Wait = 2.0, as_json: Json = False) -> None:
    """List the LSL streams of this network."""
    from acquisition.discovery import find_streams
    from deploy.opening import describe_stream

    found = [describe_stream(stream) for stream in find_streams(wait)]
    if as_json:
        output.put_json({"schema": output.SCHEMA, "streams": found})
        return
    if not found:
        output.say(f"No stream answered within {wait:g} s. Is the amplifier's software running, on this network?")
        return
    head = ("name", "type", "source_id", "hostname", "channel_count", "rate_hz", "unit")
    rows = [[stream[key] for key in head] for stream in found]
    output.put_table("LSL streams", head, rows)
