"""Scorer: the process that turns windows into results."""

from __future__ import annotations

from threading import Event

from deploy.settings import Settings
from inference.bundle import Bundle, resolve_bundle
from inference.scorer import open_scorer


def run(name: str, settings: Settings, stop: Event) -> None:
    """Score until `stop`."""
    bundle = Bundle.load(resolve_bundle(settings.models.eeg_emg))
    open_scorer(str(settings.redis_url), [bundle], stop, order=settings.models.engines, name=name).run()
