"""Failover: a GPU that fails ends a scorer's process with a code of its own; supervised, no window is lost."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import exits
from deploy.supervisor import ChildSpec, by_code
from inference.bundle import Bundle
from inference.engines.tensorrt.cache import PlanCache
from inference.engines.tensorrt.preparing import prepare
from inference.errors import DeviceLost
from streaming.connection import Client
from tests.inference.supervised import supervised
from tests.inference.tensorrt.conftest import UseMachine

#: `flexion` on a machine whose driver is the stand-in's.
FLEXION = """
import sys
from pathlib import Path
from inference.engines.tensorrt import driver
from tests.inference.tensorrt.conftest import FakeCuda
driver.load, driver.VERSION_FILE = lambda name: FakeCuda(), Path(sys.argv[1])
from deploy.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.fixture
def scorer(
    machine: UseMachine, redis_url: str, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., ChildSpec]:
    """Return a function that describes a scorer's process on the stand-in machine, which has a plan."""
    machine()
    prepare(bundle, PlanCache(tmp_path / "flexion" / "tensorrt"))

    def spec(name: str, *more: str) -> ChildSpec:
        arguments = (str(tmp_path / "version"), "scorer", "--name", name, "--bundle", str(bundle.path), *more)
        environ = {
            "XDG_CACHE_HOME": str(tmp_path),
            "REDIS_URL": redis_url,
            "FLEXION_MODELS__ENGINES": "tensorrt,onnxruntime-cpu",
            "STANDIN_FAULTS": json.dumps({"lost_while": str(tmp_path / "broken")}),
        }
        return ChildSpec(name, (sys.executable, "-c", FLEXION, *arguments), environ, beats=False)

    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], os.getcwd()]))
    return spec


def test_the_code_of_a_lost_gpu_is_no_refusal() -> None:
    """Its next life may do what this one cannot, so it is started again."""
    assert DeviceLost.exit_code == exits.DEVICE_LOST and not by_code(exits.DEVICE_LOST, b"")


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_processes_go_on_without_the_gpu_and_with_it_again(
    client: Client, bundle: Bundle, scorer: Callable[..., ChildSpec], tmp_path: Path
) -> None:
    """The scorer dies of code 5 and is started again; windows go to the one that waited, and back."""
    with supervised(client, bundle, [scorer("gpu"), scorer("cpu", "--standby")]) as run:
        run.publish_until(lambda: run.engine["backend"] == "tensorrt")
        (tmp_path / "broken").touch()
        run.publish_until(lambda: run.engine["backend"] == "onnxruntime-cpu" and run.children[0].restarts > 0)
        (tmp_path / "broken").unlink()
        run.publish_until(lambda: run.engine["backend"] == "tensorrt")
    engines = [result.engine or {} for result in run.results]
    assert {result.state for result in run.results} == {"scored"}
    assert all(engine["degraded"] is (engine["backend"] != "tensorrt") for engine in engines)
