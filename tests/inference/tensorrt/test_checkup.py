"""The checkup: one table that ends at the first line that is not well."""

from __future__ import annotations

import re
from typing import Any

import pytest

from inference.bundle import Bundle
from inference.engines import oracle
from inference.engines.engine import Engine
from inference.engines.tensorrt import driver
from inference.engines.tensorrt.cache import PlanCache
from inference.engines.tensorrt.checkup import examine
from tests.inference.tensorrt.conftest import FakeCuda, UseMachine


def test_a_machine_that_is_well_fills_the_table(machine: UseMachine, bundle: Bundle, plans: PlanCache) -> None:
    """Driver, library, memory, plan, every bucket, what serves, the engine; and the plan is there for scorers."""
    machine()
    findings = {one.name: one for one in examine(bundle)}
    assert all(one.ok for one in findings.values())
    assert list(findings) == [
        "driver", "library", "memory", "plan", "float64", "1 windows", "8 windows", "32 windows", "serving", "engine",
    ]  # fmt: skip
    assert findings["driver"].found.startswith("Stand-in GPU, compute capability 9.0, 1074 MB, driver 580.65.06")
    assert re.search(
        r"from the golden ones, 0\.0001 allowed; same bits twice, whatever lies", findings["8 windows"].found
    )
    assert re.search(r"ms a call by a graph with the same bits \(eager [\d.]+ ms\)", findings["8 windows"].found)
    assert findings["serving"].found == "in buckets of 1, 8, 32, which give a window the same bits"
    assert findings["engine"].found.endswith("at most 32 windows a call") and list(plans.root.glob("*/*.plan"))


def test_the_model_in_float64_is_asked_where_it_is_there(
    machine: UseMachine, bundle: Bundle, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the table says that it was not."""
    machine()
    assert {one.name: one.found for one in examine(bundle)}["float64"].startswith("not compared: it needs torch")
    monkeypatch.setattr(oracle, "exact_run", lambda bundle: engine.run)
    assert {one.name: one.found for one in examine(bundle)}["float64"] == "within the tolerance on 11 windows"


def test_what_is_not_as_hoped_is_said_and_no_fault(machine: UseMachine, bundle: Bundle) -> None:
    """A graph that cannot be captured, a bucket with other bits."""
    machine(bits="by bucket", capture="refused")
    findings = {one.name: one.found for one in examine(bundle)}
    assert "eager, since it cannot be captured: Loops cannot be captured" in findings["8 windows"]
    assert "and other bits than the largest bucket" in findings["1 windows"]
    assert findings["serving"] == "in buckets of 8, 32, which give a window the same bits"


@pytest.mark.parametrize(
    ("faults", "last", "words"),
    [
        ({"no_cuda": True}, "memory", r"finds no CUDA"),
        ({"build": "memory"}, "plan", r"Cuda Runtime \(out of memory\)\. Free the GPU"),
        ({"load": "dies"}, "plan", r"Trying the plan of tiny .* SIGSEGV"),
        ({"bits": "off"}, "plan", r"may not serve: its logits are off"),
    ],
)
def test_the_table_ends_at_what_is_not_well(
    machine: UseMachine, bundle: Bundle, faults: dict[str, Any], last: str, words: str
) -> None:
    """With the words and the way out."""
    machine(**faults)
    findings = list(examine(bundle))
    assert [one.ok for one in findings] == [True] * (len(findings) - 1) + [False]
    assert findings[-1].name == last and re.search(words, findings[-1].found)


def test_without_a_gpu_nothing_else_is_looked_at(
    machine: UseMachine, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorRT is not imported."""
    machine()
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda(n_devices=0))
    [only] = examine(bundle)
    assert (only.name, only.ok) == ("driver", False) and "has no GPU for this process" in only.found
