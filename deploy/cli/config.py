"""``flexion config check``: the settings in force, each with its meaning; whatever does not fit is refused."""

from __future__ import annotations

import typer

from deploy.cli import output
from deploy.cli.options import Json

group = typer.Typer()


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="config")


@group.callback()
def settings() -> None:
    """Check the settings.

    They come from flexion.toml of the working directory (or FLEXION_CONFIG), FLEXION_* variables and flags.
    """


@group.command()
def check(as_json: Json = False) -> None:
    """Check the settings of this folder and environment, and show those in force."""
    from deploy.settings import keys, load
    from streaming.connection import masked

    values = load().model_dump(mode="json")
    if values["redis_url"]:
        values["redis_url"] = masked(values["redis_url"])
    if as_json:
        output.put_json({"schema": output.SCHEMA, "settings": values})
        return
    rows = [(key, _at(values, key), meaning) for key, meaning in keys()]
    output.put_table("Settings in force", ("key", "value", "meaning"), rows)


def _at(values: object, key: str) -> object:
    for part in key.split("."):
        assert isinstance(values, dict)
        values = values[part]
    return ", ".join(values) if isinstance(values, list) else values
