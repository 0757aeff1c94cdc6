"""Scorer: the process that turns windows into results."""

from __future__ import annotations

import os
from threading import Event

from deploy.priority import answer_at_once
from deploy.settings import Settings
from inference.bundle import Bundle, load_bundle, resolve_bundle
from inference.scorer import open_scorer


def run(name: str, settings: Settings, stop: Event, *, standby: bool = False) -> None:
    """Score until `stop`; one that stands by, only while the scorer that has the GPU is away."""
    models = settings.models
    kept = [load_bundle(resolve_bundle(kept)) for kept in models.kept]
    further = [bundle for bundle in kept if isinstance(bundle, Bundle) and bundle.model.signal is not None]
    bundles = [Bundle.load(resolve_bundle(models.eeg_emg)), *further]
    scorer = open_scorer(str(settings.redis_url), bundles, stop, order=models.engines, name=name, standby=standby)
    if models.scorers < (os.cpu_count() or 1):  # a core stays for the bridges, whatever waits to be scored
        answer_at_once()  # from here on; what it took to be ready was no patient's hurry
    scorer.run()
