"""A scorer whose engine changes under it: a real process with a real engine, supervised."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.supervisor import ChildSpec
from inference.bundle import Bundle
from streaming.connection import Client
from streaming.events import EventLog
from tests.inference import tiny
from tests.inference.supervised import supervised

#: `flexion` whose canaries look all the time, and whose engine is one bit off while a file is there.
FLEXION = """
import sys
from pathlib import Path
import numpy as np
from inference import canary
canary.INTERVAL_S = 0.2
from inference.engines.ort import OrtEngine
from deploy.cli.main import run
honest = OrtEngine.run
def off(engine, inputs):
    outputs = honest(engine, inputs)
    return outputs | {"logit": np.nextafter(outputs["logit"], np.float32(np.inf))} if broken.exists() else outputs
OrtEngine.run, broken = off, Path(sys.argv[1])
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_engine_that_is_one_bit_off_ends_its_process_which_comes_back_through_its_golden_windows(
    client: Client, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is told once; what is back starts from its own golden windows, and no window is lost."""
    monkeypatch.chdir(Path(__file__).parents[2])
    broken = tmp_path / "broken"
    command = (sys.executable, "-c", FLEXION, str(broken), "scorer", "--name", "one", "--bundle", str(bundle.path))
    spec = ChildSpec("one", command, {"REDIS_URL": client.url}, beats=False)
    with supervised(client, bundle, [spec]) as run:
        run.publish_until(lambda: len(run.results) == 5)
        broken.touch()
        run.publish_until(lambda: run.children[0].restarts > 0)
        broken.unlink()
        run.publish_until(lambda: len(run.results) == 20)
    assert {result.state for result in run.results} == {"scored"}
    notices = [event.data for event in EventLog(client, tiny.SESSION).read() if event.type == "notice"]
    assert len(notices) == run.children[0].restarts
    # Whoever looks first finds it: the canary, or what was left of the self-check.
    assert notices[0]["text"].startswith("The engine onnxruntime-cpu ") and " tiny 1.0.0" in notices[0]["text"]
