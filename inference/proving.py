"""Proving: an engine that serves goes on with its self-check, batch by batch, until those that it needs are shown.

A scorer serves as soon as its golden windows are right; until a batch was shown to change no bit, it takes one window
at a time. So nobody waits for a check that only makes many beds faster.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.engines.parity import Parity
from inference.errors import EngineDrift, EngineUnavailable

log = structlog.get_logger("proving")


class Proving:
    """Bring one engine's self-check forward.

    Parameters
    ----------
    bundle : Bundle
        The model.
    engine : Engine
        Past its golden windows.
    further : iterator of Parity
        What is left of its self-check; each step runs one batch.
    size : int
        The largest batch that is wanted; larger ones are not tried.
    """

    def __init__(self, bundle: Bundle, engine: Engine, further: Iterator[Parity], size: int) -> None:
        self._bundle = bundle
        self._engine = engine
        self._further = further
        self._size = size

    def go_on(self) -> None:
        """Run one more batch, if there is one to run.

        Raises
        ------
        EngineDrift
            If the engine gave other bits for a window than before: it is not to be trusted with any.
        EngineError
            If it fails.
        """
        shown = self._engine.info.max_batch
        if shown >= self._size:
            return
        try:
            found = next(self._further, None)
        except EngineUnavailable as error:  # what a larger batch needs is not to be had; smaller ones go on
            self._further = iter(())
            log.warning("batches_end", bundle=self._bundle.words, largest=shown, cause=str(error))
            return
        if self._engine.info.max_batch < shown:
            log.warning("batches_taken_back", bundle=self._bundle.words, engine=self._engine.info.to_json(), were=shown)
        if found is not None and not found.ok:
            raise EngineDrift(
                f"The engine {self._engine.info.backend} failed its self-check on {self._bundle.words} while it "
                f"served: {'; '.join(found.problems)}.",
                subject=self._bundle.name,
                remedy="It stops, and its scorer is started again; do not lean on windows that it scored. If it comes "
                "again, name another engine.",
            )
