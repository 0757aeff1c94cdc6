"""Aggregator: the process that turns results into outcomes."""

from __future__ import annotations

from threading import Event

from deploy.settings import ModelSettings, Settings
from inference.aggregator import open_aggregator
from inference.bundle import Bundle, FusionBundle, load_bundle, resolve_bundle


def run(name: str, settings: Settings, stop: Event) -> None:
    """Aggregate until `stop`."""
    open_aggregator(str(settings.redis_url), _bundles(settings.models), stop, name=name).run()


def _bundles(models: ModelSettings) -> list[Bundle | FusionBundle]:
    """Load what sessions may be bound to; not by way of a run's own models, which bring the signal's libraries."""
    images = [Bundle.load_image(resolve_bundle(models.fmri))] if models.fmri else []
    kept = [load_bundle(resolve_bundle(name)) for name in models.kept]
    eeg_emg, fusion = Bundle.load(resolve_bundle(models.eeg_emg)), FusionBundle.load(resolve_bundle(models.fusion))
    return [eeg_emg, fusion, *images, *kept]
