"""Canary: an engine must go on giving the bits that it gave at its start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.canary import Canary
from inference.engines.engine import Engine
from inference.engines.ort import OrtEngine
from inference.errors import EngineDrift, EngineError


def test_an_engine_that_stays_as_it_is_is_looked_at_once_an_interval(bundle: Bundle, engine: Engine) -> None:
    """Not at every turn of the loop."""
    now_s = [0.0]
    canary = Canary(bundle, engine, clock=lambda: now_s[0], interval_s=60.0)
    for now_s[0] in (0.0, 59.9, 60.0, 119.9, 120.0):
        canary.look()
    assert canary.looks == 2


@pytest.mark.parametrize("change", [lambda logit: np.nextafter(logit, np.float32(9)), lambda logit: logit * np.nan])
def test_one_other_bit_is_drift(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Tolerances are for other engines; the same one gives the same bits. A number that is none is found too."""
    engine = OrtEngine(bundle)
    canary = Canary(bundle, engine, interval_s=0.0)
    right = engine.run

    def wrong(inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        return {"logit": change(right(inputs)["logit"])}

    monkeypatch.setattr(engine, "run", wrong)
    with pytest.raises(EngineDrift, match=r"onnxruntime-cpu has changed.*Do not lean on windows scored since \d\d:"):
        canary.look()


def test_an_engine_that_fails_is_not_hidden(bundle: Bundle) -> None:
    """Its own words come through."""
    engine = OrtEngine(bundle)
    canary = Canary(bundle, engine, interval_s=0.0)
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        canary.look()
