"""``flexion record``: the bridge without scoring."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
