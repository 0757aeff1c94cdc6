"""Logs: structlog, set up once per process, on stderr; one event per change of state, keys and values.

Stdout belongs to results. Names of patients and free text of users are never logged: whoever logs passes session and
bed.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from deploy.settings import LogSettings

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def set_up(settings: LogSettings, role: str, **about: str) -> structlog.typing.FilteringBoundLogger:
    """Set logging up for this process and return its logger.

    Parameters
    ----------
    settings : LogSettings
        Level and format.
    role : str
        Who speaks; a field of every line.
    about : str
        Further fields of every line, such as the session that a process serves alone.
    """
    level = _LEVELS[settings.level]
    renderer: structlog.typing.Processor
    if settings.format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries (uvicorn, redis) speak through the standard logger.
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s")
    structlog.contextvars.bind_contextvars(role=role, **about)
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger
