"""Dashboard: the process that serves the pages."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import structlog

from dashboard.server import serve
from dashboard.settings import DashboardSettings
from deploy.settings import Settings
from inference.beacon import Beacon
from streaming.connection import connect
from streaming.heartbeat import Heartbeat

log = structlog.get_logger("dashboard")


class MarkedStop:
    """A stop that says each time it is asked that whoever asks goes on: the server's loop asks ten times a second."""

    def __init__(self, stop: Event, mark: Callable[[], None]) -> None:
        self._stop = stop
        self._mark = mark

    def is_set(self) -> bool:
        """Tell whether to stop."""
        self._mark()
        return self._stop.is_set()


def run(settings: Settings, stop: Event) -> None:
    """Serve the pages until `stop`."""
    url, where, models = str(settings.redis_url), settings.dashboard, settings.models
    bundles = tuple(name for name in (models.eeg_emg, models.fusion, models.fmri) if name)
    told = DashboardSettings(url, settings.data_dir, where.host, where.port, bundles)
    heartbeat = Heartbeat(connect(url, "dashboard-beacon"), "dashboard", "dashboard")
    with Beacon(heartbeat, lambda: {"port": where.port}) as beacon:
        serve(told, MarkedStop(stop, beacon.mark), lambda page: log.info("pages", url=page))
