"""Dashboard: the process that serves the pages."""

from __future__ import annotations

from threading import Event

import structlog

from dashboard.server import serve
from dashboard.settings import DashboardSettings
from deploy.settings import Settings

log = structlog.get_logger("dashboard")


def run(settings: Settings, stop: Event) -> None:
    """Serve the pages until `stop`."""
    assert settings.redis_url is not None
    where = settings.dashboard
    told = DashboardSettings(settings.redis_url, settings.data_dir, where.host, where.port)
    serve(told, stop, lambda url: log.info("pages", url=url))
