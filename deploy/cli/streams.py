"""``flexion streams``: what the amplifiers on this network offer, and how to name one for ``flexion live``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from deploy.cli import output
from deploy.cli.options import Json, Wait

if TYPE_CHECKING:
    from acquisition.discovery import StreamInfo


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(streams)


def streams(wait: Wait = 2.0, as_json: Json = False) -> None:
    """List the LSL streams of this network."""
    from acquisition.discovery import find_streams

    found = find_streams(wait)
    if as_json:
        output.put_json({"schema": output.SCHEMA, "streams": [describe(stream) for stream in found]})
        return
    if not found:
        output.say(f"No stream answered within {wait:g} s. Is the amplifier's software running, on this network?")
        return
    head = ("name", "type", "source_id", "hostname", "channels", "rate_hz", "unit")
    rows = [[describe(stream)[key] for key in head] for stream in found]
    output.put_table("LSL streams", head, rows)


def describe(stream: StreamInfo) -> dict[str, Any]:
    """Return one stream as plain values."""
    units = sorted({unit for unit in stream.units if unit})
    return {
        "name": stream.name,
        "type": stream.type,
        "source_id": stream.source_id,
        "hostname": stream.hostname,
        "channels": stream.channel_count,
        "rate_hz": stream.rate_hz,
        "dtype": stream.dtype,
        "labels": list(stream.labels),
        "unit": ", ".join(units) or None,
    }
