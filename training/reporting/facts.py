"""An evaluation, its learning curves and pictures, as the pages ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.reporting.words import value_of

#: Kinds of models that a run is about; all others stand beside them.
SUBJECTS = ("network", "fusion")


@dataclass(frozen=True)
class Facts:
    """What a report is made of.

    Attributes
    ----------
    evaluation : mapping
        ``evaluation.json`` (``flexion.evaluation/1``).
    metrics : sequence of mapping
        The rows of ``metrics.csv``; empty where there is none.
    folder : Path or None
        Of the run, where its pictures lie.
    """

    evaluation: Mapping[str, Any]
    metrics: Sequence[Mapping[str, str]] = ()
    folder: Path | None = None

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
    def modality(self) -> str:
        """Return what the run is of: ``eeg_emg``, ``fmri`` or ``fusion``."""
        return str(self.run.get("modality") or "eeg_emg")

    @property
    def fusion(self) -> Mapping[str, Any]:
        """Return what a run of fusions says of them; empty for another."""
        fusion: Mapping[str, Any] = self.evaluation.get("fusion") or {}
        return fusion

    @property
    def chosen(self) -> Mapping[str, int]:
        """Return how many folds of a run on scans chose each network; empty where there was no choice."""
        chosen: Mapping[str, int] = self._images.get("chosen") or {}
        return chosen

    @property
    def initialised(self) -> str:
        """Return which first weights the networks of a run on scans had; empty for another run."""
        found = self._images.get("initialised") or {}
        said = {name: _first_weights(one) for name, one in found.items()}
        if not said:
            return ""
        one_for_all = set(said.values())
        words = one_for_all.pop() if len(one_for_all) == 1 else "; ".join(f"{n}: {w}" for n, w in said.items())
        return f"initialised: {words}"

    @property
    def mirrored(self) -> str:
        """Return what is to be said of networks whose slices were mirrored while they learned; empty for others."""
        return str(self._images.get("mirrored") or "")

    @property
    def synthetic(self) -> bool:
        """Return whether the patients are simulated; an origin that nobody stated counts as that."""
        return bool(self.run.get("origin") != "clinical")

    @property
    def models(self) -> list[Mapping[str, Any]]:
        """Return every model, networks (or fusions) first."""
        models: Sequence[Mapping[str, Any]] = self.evaluation.get("models") or ()
        return sorted(models, key=lambda model: model["kind"] not in SUBJECTS)

    @property
    def networks(self) -> list[Mapping[str, Any]]:
        """Return the networks that the run is about; of a run of fusions, those."""
        return [model for model in self.models if model["kind"] in SUBJECTS]

    @property
    def baselines(self) -> list[Mapping[str, Any]]:
        """Return what the first of them must beat: baselines, and the heads that it is fused from."""
        made = self.fusion.get("models") or ()
        heads = {head for model in made for head in model.get("heads") or () if model["name"] == self._first["name"]}
        return [model for model in self.models if model["kind"] == "baseline" or model["name"] in heads]

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

    @property
    def subject(self) -> str:
        """Return what the first of them is, at the beginning of a sentence."""
        return "The fusion" if self.modality == "fusion" else "The network"

    @property
    def _images(self) -> Mapping[str, Any]:
        """What is said of the networks of scans: by the run itself, or by the one that a fusion is made of."""
        images: Mapping[str, Any] = self.evaluation.get("images") or self.run
        return images

    def list_of(self, key: str) -> list[Mapping[str, Any]]:
        """Return one of the evaluation's lists; empty where it has none."""
        return list(self.evaluation.get(key) or ())


def _first_weights(said: Mapping[str, Any]) -> str:
    file = said.get("file")
    return str(said["how"]) if file is None else f"{said['how']}, {file} (SHA-256 {str(said['sha256'])[:12]})"
