"""What the routes may use, and how they get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from dashboard.archive import Archive
from dashboard.hub import Hub
from dashboard.metrics import Metrics
from dashboard.patients import Patients
from dashboard.settings import DashboardSettings


@dataclass(frozen=True)
class Parts:
    """The parts of one application.

    Parameters
    ----------
    settings : DashboardSettings
        What the dashboard was told.
    hub : Hub
        What is read from Redis.
    metrics : Metrics
        What is counted.
    archive : Archive
        What is read from the folders of recorded sessions.
    patients : Patients
        Whose those are.
    """

    settings: DashboardSettings
    hub: Hub
    metrics: Metrics
    archive: Archive
    patients: Patients


def parts_of(connection: HTTPConnection) -> Parts:
    """Return the parts of the application that a request came to."""
    return cast(Parts, connection.app.state.parts)


#: What a route asks for to get the parts.
Has = Annotated[Parts, Depends(parts_of)]
