"""Engine: what every backend gives, whatever runs below it.

``warmup`` once, ``selfcheck`` before serving and on from there, ``run`` for each batch, ``close`` at the end. An engine
answers the same bits for a window whatever its neighbours in the batch are (law 1); where a backend cannot,
``info.max_batch`` is 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.engines.parity import Parity

#: Windows in one call; beyond it a batch gains nothing on a CPU core and delays the heartbeat and the commit.
MAX_BATCH = 16


@dataclass(frozen=True)
class EngineInfo:
    """What runs; travels with every result (law 6).

    Attributes
    ----------
    backend : str
        Name in the ordered list, such as ``onnxruntime-cpu``.
    device : str
        ``cpu`` or the GPU's name.
    precision : str
        ``fp32`` is the reference.
    degraded : bool
        True when it was not the first choice.
    version : str
        Version of the library below.
    batch_invariant : bool
        Whether the self-check found the same bits in every batch; never assumed.
    max_batch : int
        Most windows per call, as far as the self-check has come.
    """

    backend: str
    device: str
    precision: str
    degraded: bool
    version: str
    batch_invariant: bool
    max_batch: int

    def shown(self, found: Parity) -> EngineInfo:
        """Return it with what a self-check has found."""
        return replace(self, batch_invariant=found.batch_invariant, max_batch=found.max_batch)

    def to_json(self) -> dict[str, Any]:
        """Return what a result carries of its engine."""
        return {
            "backend": self.backend,
            "device": self.device,
            "precision": self.precision,
            "degraded": self.degraded,
            "version": self.version,
        }


class Engine(Protocol):
    """One model, ready to run in this process."""

    @property
    def info(self) -> EngineInfo:
        """What runs."""
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Return the outputs by name.

        Parameters
        ----------
        inputs : mapping of str to ndarray
            By name, as the manifest says: ``x`` (batch, n_samples, n_channels) float32, already z-scored, for an
            ``eeg_emg`` bundle; ``slices`` (n, 3, 224, 224) float32 for an ``fmri`` one.

        Returns
        -------
        mapping of str to ndarray
            ``logit`` (batch,) and the others that the manifest names.

        Raises
        ------
        EngineError
            If an input is not what the manifest says or holds a non-finite value, or if the backend fails.
        """
        ...

    def warmup(self) -> None:
        """Run once, so that the first window of a patient does not pay for the backend's lazy parts."""
        ...

    def selfcheck(self) -> Iterator[Parity]:
        """Run the golden windows: the manifest's logits, the same bits twice, the same bits in every batch.

        Yields
        ------
        Parity
            What is known, first of every window alone, then after each further batch; ``info`` follows it.
        """
        ...

    def close(self) -> None:
        """Free the model; the engine cannot be used again."""
        ...
