"""Proving: the rest of a self-check, run while the engine serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.bundle import Bundle
from inference.engines import parity
from inference.engines.choice import choose
from inference.engines.engine import MAX_BATCH
from inference.engines.ort import OrtEngine
from inference.errors import EngineDrift, EngineUnavailable
from inference.proving import Proving


def counted(engine: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the sizes of an engine's batches, as they come."""
    sizes: list[int] = []
    run = engine._session.run

    def counting(outputs: Any, inputs: Any, options: Any = None) -> Any:
        sizes.append(len(inputs["x"]))
        return run(outputs, inputs, options)

    monkeypatch.setattr(engine, "_session", SimpleNamespace(run=counting))
    return sizes


def test_it_serves_one_window_at_a_time_until_batches_are_shown(bundle: Bundle, monkeypatch: Any) -> None:
    """One batch a step, up to the size that is wanted, and none of what is larger."""
    choice = choose(bundle, at_once=True)
    assert choice.found.ok and choice.engine.info.max_batch == 1
    sizes = counted(choice.engine, monkeypatch)
    proving = Proving(bundle, choice.engine, choice.further, 4)
    for step in range(1, 100):
        proving.go_on()
        if choice.engine.info.max_batch == 4:
            break
        assert len(sizes) == step
    n_batches = len(sizes)
    proving.go_on()
    assert choice.engine.info.max_batch == 4 and max(sizes) == 4 and len(sizes) == n_batches


def test_whoever_asks_for_the_whole_check_has_nothing_left_to_prove(bundle: Bundle, monkeypatch: Any) -> None:
    """A command that scores a recording waits for it."""
    choice = choose(bundle)
    assert choice.engine.info.max_batch == MAX_BATCH and choice.found.batch_invariant
    sizes = counted(choice.engine, monkeypatch)
    Proving(bundle, choice.engine, choice.further, 2 * MAX_BATCH).go_on()
    assert not sizes


def test_a_batch_that_changes_bits_leaves_one_window_at_a_time(bundle: Bundle, monkeypatch: Any, capsys: Any) -> None:
    """That is no fault of the engine; its self-check ends there, and the log says so."""
    engine = OrtEngine(bundle)
    honest = engine._compute

    def odd(inputs: Any, options: Any = None) -> Any:
        outputs = honest(inputs, options)
        return outputs | {"logit": outputs["logit"] + np.float32(len(inputs["x"]) == 3)}

    monkeypatch.setattr(engine, "_compute", odd)
    checks = engine.selfcheck()
    allowed = {next(checks).max_batch}
    proving = Proving(bundle, engine, checks, 4)
    for _ in range(50):
        proving.go_on()
        allowed.add(engine.info.max_batch)
    assert allowed == {1, 2} and engine.info.max_batch == 1 and not engine.info.batch_invariant
    assert capsys.readouterr().out.count("batches_taken_back") == 1


def test_an_engine_that_gives_other_bits_must_end(bundle: Bundle) -> None:
    """What it scored meanwhile is in doubt, and somebody is told which way out there is."""
    engine = OrtEngine(bundle)
    good = next(engine.selfcheck())
    proving = Proving(bundle, engine, iter([good, replace(good, problems=(parity.OTHER_BITS,))]), 4)
    proving.go_on()
    with pytest.raises(EngineDrift, match=r"onnxruntime-cpu failed its self-check on tiny.* while it served: two runs"):
        proving.go_on()


def test_a_batch_for_which_something_is_lacking_ends_the_proving_and_no_process(bundle: Bundle, capsys: Any) -> None:
    """An engine that cannot compile a larger batch, say: what was shown so far goes on."""

    def lacking(good: parity.Parity) -> Iterator[parity.Parity]:
        yield good
        raise EngineUnavailable("no memory for batches of 4")

    engine = OrtEngine(bundle)
    proving = Proving(bundle, engine, lacking(next(engine.selfcheck())), 4)
    for _ in range(3):
        proving.go_on()
    assert engine.info.max_batch == 1 and capsys.readouterr().out.count("no memory for batches of 4") == 1
