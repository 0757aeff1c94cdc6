"""``flexion doctor``: what this machine has and lacks, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from deploy import exits
from deploy.cli import output
from deploy.cli.options import Data, Json, Port, RedisUrl

if TYPE_CHECKING:
    from deploy.doctor import Finding

_SIGNS = {"ok": "ok", "warning": "!", "missing": "MISSING"}


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(doctor)


def doctor(data: Data = None, redis: RedisUrl = None, port: Port = None, as_json: Json = False) -> None:
    """Check what a session needs here.

    Redis, LSL, disk, port, bundles and versions; exit code 4 when a session could not run.
    """
    from deploy.doctor import examine
    from deploy.settings import load

    findings = list(examine(load({"data_dir": data, "redis_url": redis, "dashboard.port": port})))
    if as_json:
        output.put_json({"schema": output.SCHEMA, "checks": [finding.to_json() for finding in findings]})
    else:
        rows = [(_SIGNS[finding.level], finding.check, _words(finding)) for finding in findings]
        output.put_table("This machine", ("", "check", "found"), rows)
    if any(finding.level == "missing" for finding in findings):
        raise typer.Exit(exits.ENVIRONMENT)


def _words(finding: Finding) -> str:
    return " ".join(f"{sentence.rstrip('.')}." for sentence in (finding.words, finding.remedy) if sentence)
