"""What the dashboard counts, for Prometheus; no label names a bed, a patient or a session."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from dashboard.scorers import Scorers

#: Media type of the answer.
MEDIA_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The series of one dashboard."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._viewers = Gauge("flexion_dashboard_viewers", "Open streams of pages", ["kind"], registry=self._registry)
        self.relayed = Counter(
            "flexion_dashboard_entries", "Entries of sessions that were read", registry=self._registry
        )
        self.evicted = Counter(
            "flexion_dashboard_viewers_evicted", "Event viewers that were too slow and let go", registry=self._registry
        )
        self.dropped = Counter(
            "flexion_dashboard_frames_dropped", "Wave frames that slow viewers did not get", registry=self._registry
        )
        #: What the scorers say of themselves.
        self.scorers = Scorers()
        self._registry.register(self.scorers)
        for kind in ("events", "wave", "ward"):
            self._viewers.labels(kind)

    def viewers(self, kind: str) -> Gauge:
        """Return the gauge of the open streams of one kind."""
        return self._viewers.labels(kind)

    def text(self, now_s: float) -> bytes:
        """Return all series as Prometheus reads them at this moment of the clock by which scorers were heard."""
        self.scorers.passed(now_s)
        return generate_latest(self._registry)
