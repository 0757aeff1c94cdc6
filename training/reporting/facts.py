"""An evaluation and its learning curves, as the pages ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.reporting.words import value_of


@dataclass(frozen=True)
class Facts:
    """What a report is made of.

    Attributes
    ----------
    evaluation : mapping
        ``evaluation.json`` (``flexion.evaluation/1``).
    metrics : sequence of mapping
        The rows of ``metrics.csv``; empty where there is none.
    """

    evaluation: Mapping[str, Any]
    metrics: Sequence[Mapping[str, str]] = ()

    @property
    def run(self) -> Mapping[str, Any]:
        """Return which run it was."""
        run: Mapping[str, Any] = self.evaluation["run"]
        return run

    @property
    def cohort(self) -> Mapping[str, Any]:
        """Return whose patients."""
        cohort: Mapping[str, Any] = self.run["cohort"]
        return cohort

    @property
    def synthetic(self) -> bool:
        """Return whether the patients are simulated; an origin that nobody stated counts as that."""
        return bool(self.run.get("origin") != "clinical")

    @property
    def models(self) -> list[Mapping[str, Any]]:
        """Return every model, networks first."""
        models: Sequence[Mapping[str, Any]] = self.evaluation.get("models") or ()
        return sorted(models, key=lambda model: model["kind"] != "network")

    @property
    def networks(self) -> list[Mapping[str, Any]]:
        """Return the networks."""
        return [model for model in self.models if model["kind"] == "network"]

    @property
    def baselines(self) -> list[Mapping[str, Any]]:
        """Return what stands beside them."""
        return [model for model in self.models if model["kind"] != "network"]

    @property
    def parameters(self) -> int | None:
        """Return how many parameters the network has, where the run says so."""
        value = value_of(self.run.get("parameters"))
        return None if value is None else round(value)

    @property
    def n(self) -> int:
        """Return how many patients the network was judged on."""
        return int(self._first["n"])

    @property
    def n_good(self) -> int:
        """Return how many of them had a good outcome."""
        return int(self._first["n_good"])

    @property
    def _first(self) -> Mapping[str, Any]:
        return self.models[0]

    def list_of(self, key: str) -> list[Mapping[str, Any]]:
        """Return one of the evaluation's lists; empty where it has none."""
        return list(self.evaluation.get(key) or ())
