"""Aggregator: the process that turns results into outcomes."""

from __future__ import annotations

from threading import Event

from deploy.settings import Settings
from inference.aggregator import open_aggregator
from inference.bundle import Bundle, FusionBundle, resolve_bundle


def run(name: str, settings: Settings, stop: Event) -> None:
    """Aggregate until `stop`."""
    models = settings.models
    bundles = (Bundle.load(resolve_bundle(models.eeg_emg)), FusionBundle.load(resolve_bundle(models.fusion)))
    open_aggregator(str(settings.redis_url), bundles, stop, name=name).run()
