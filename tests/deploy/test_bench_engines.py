"""``flexion bench engines``: peers in processes of their own, and what is made of their times."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from acquisition.errors import BadEnvironment, BadInput
from deploy.bench import engines as bench
from deploy.bench.engine_peers import EngineProcess, Peer, Unable, neighbours
from deploy.bench.spread import Spread
from inference.bundle import Bundle
from inference.engines.ort import OrtEngine
from inference.engines.parity import golden_window
from inference.errors import UnknownEngine
from tests.inference import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small bundle."""
    folder = tmp_path_factory.mktemp("bench") / "tiny"
    tiny.build(folder)
    return folder


def cell(engine: str, p50_ms: float, busy_ms: tuple[float, ...] = (), batch: int = 1) -> bench.Cell:
    """Return a cell whose calls all took the same time."""
    return bench.Cell("b", engine, batch, Spread("", np.full(3, p50_ms)), Spread("", np.array(busy_ms)), 1e-7)


@pytest.fixture
def bare(tmp_path: Path) -> str:
    """Return a Python that lacks OpenVINO, whatever this one has."""
    script, python = tmp_path / "bare.py", tmp_path / "python"
    script.write_text(
        "import runpy, sys\nsys.modules['openvino'] = None\n_, module, sys.argv[1:] = sys.argv[1], sys.argv[2], "
        "sys.argv[3:]\nrunpy.run_module(module, run_name='__main__')\n"
    )
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    python.chmod(0o700)
    return str(python)


def test_a_whole_bench(folder: Path, bare: str) -> None:
    """Two engines in turn, beside a busy neighbour, against float64; one that is not there is told."""
    said: list[str] = []
    peers = [Peer("onnxruntime-cpu"), Peer("torch"), Peer("openvino", bare)]
    found = bench.measure(peers, [str(folder)], [1, 2], 2, 1, said.append)
    told = json.loads(json.dumps(found.to_json()))
    assert [(one["engine"], one["batch"]) for one in told["cells"]] == [
        ("onnxruntime-cpu", 1), ("torch", 1), ("onnxruntime-cpu", 2), ("torch", 2)
    ]  # fmt: skip
    for one in told["cells"]:
        assert one["quiet_ms_per_window"]["n"] == one["busy_ms_per_window"]["n"] == 2
        assert 0.0 < one["largest_logit_difference"] < 1e-5 and one["busy_p99_by_quiet_p50"] > 0.0
    ours, torch = (one["speed_by_the_best_other"] for one in told["cells"][:2])
    assert ours == pytest.approx(1.0 / torch)
    assert all(start["repeatable"] and start["cold_s"] > 0.0 and not start["problems"] for start in told["starts"])
    assert all(0.0 < start["golden_s"] < start["check_s"] for start in told["starts"])
    assert told["absent"]["openvino"].startswith("openvino cannot be loaded on this machine: import of openvino halted")
    assert list(told["absent"]) == ["openvino"] and told["absent"]["openvino"] in found.words
    table = found.markdown()
    assert table.count("| onnxruntime-cpu |") == 3 and "first result" in table and said[0].endswith("torch")


def test_an_engine_that_refuses_a_bundle_is_left_out(tmp_path: Path) -> None:
    """Its words are kept; the others are measured."""
    model = tiny.graph()
    model.graph.node[-1].op_type, model.graph.node[-1].input[1] = "Unsqueeze", "axis1"
    body = tiny.write(tmp_path / "odd", tiny.manifest(), model.SerializeToString())
    found = bench.measure([Peer("torch")], [str(body.path)], [1], 1, 0, lambda words: None)
    assert (
        not found.rows() and "does not know the operator Unsqueeze" in found.to_json()["absent"][f"torch {body.path}"]
    )


def test_without_torch_there_is_no_oracle(folder: Path) -> None:
    """Then no difference is claimed; without neighbours no tail."""
    found = bench.measure([Peer("onnxruntime-cpu")], [str(folder)], [1], 1, 0, lambda words: None)
    [one] = found.to_json()["cells"]
    assert one["largest_logit_difference"] is one["busy_ms_per_window"] is one["speed_by_the_best_other"] is None


def test_ratios_are_told_below_one_too() -> None:
    """By the best of the others at the same batch; the tail by the quiet median."""
    slow, quick, worst = cell("slow", 4.0, (8.0, 8.0)), cell("quick", 1.0), cell("worst", 10.0)
    assert (slow.speed_by([quick, worst]), quick.speed_by([slow, worst])) == (0.25, 4.0)
    assert (slow.tail, quick.tail) == (2.0, None)
    assert slow.row([quick])[-4:] == ("3", "1.0e-07", "0.25×", "2.00×")


def test_logits_are_those_of_the_engine(folder: Path) -> None:
    """Whatever the batch; and in float64 they are nearly the same."""
    expected = [
        float(OrtEngine(Bundle.load(folder)).run({"x": golden_window(window, seed, (200, 4))[np.newaxis]})["logit"][0])
        for window, seed in (("noise", 0), ("hold", 1), ("noise", 2))
    ]
    with EngineProcess(Peer("torch")) as torch, EngineProcess(Peer("onnxruntime-cpu")) as ort:
        for engine in (torch, ort):
            engine.ask("open", bundle=str(folder))
        assert ort.ask("logits", n=3, batch=2)["logits"] == expected
        np.testing.assert_allclose(torch.ask("oracle", n=3)["logits"], expected, rtol=0, atol=1e-6)


def test_an_order_that_cannot_be_done_is_answered_in_words(folder: Path) -> None:
    """And the process goes on."""
    with EngineProcess(Peer("onnxruntime-cpu")) as engine:
        with pytest.raises(Unable, match="manifest.json cannot be read"):
            engine.ask("open", bundle=str(folder / "nowhere"))
        assert engine.ask("open", bundle=str(folder))["backend"] == "onnxruntime-cpu"


def test_an_environment_without_what_is_needed_is_told() -> None:
    """A Python that ends at once has no words of its own."""
    with pytest.raises(BadEnvironment, match=r"The process of torch died \(/bin/true\)"):
        EngineProcess(Peer("torch", "/bin/true"))


def test_a_process_that_was_killed_is_told(folder: Path) -> None:
    """The next order finds it gone."""
    with EngineProcess(Peer("onnxruntime-cpu")) as engine:
        engine._process.kill()
        engine._process.wait()
        with pytest.raises(BadEnvironment, match="The process of onnxruntime-cpu died"):
            engine.ask("open", bundle=str(folder))


def test_neighbours_are_busy_and_gone_afterwards() -> None:
    """Each on a thread of its own."""
    before = set(psutil.Process().children())
    with neighbours(2):
        busy = set(psutil.Process().children()) - before
        assert len(busy) == 2
        deadline_s = time.monotonic() + 30
        while any(process.cpu_times().user < 0.2 for process in busy):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
    assert not any(process.is_running() for process in busy)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("openvino", BadInput, "has no Python"),
        ("openvino=/nowhere/python", BadInput, "/nowhere/python cannot be run"),
        ("tensorflow=/bin/true", UnknownEngine, "no engine 'tensorflow'"),
    ],
)
def test_a_peer_that_cannot_be_is_refused(text: str, error: type[Exception], words: str) -> None:
    """Before anything is started."""
    with pytest.raises(error, match=words):
        Peer.parse(text)


def test_a_peer_takes_the_place_of_the_one_here() -> None:
    """The usual three, and any other by its name."""
    named = [Peer("openvino", "/a"), Peer("tensorrt", "/b")]
    assert [(one.name, one.python) for one in bench.chosen(named)][2:] == [("openvino", "/a"), ("tensorrt", "/b")]


@pytest.mark.parametrize("text", ["", "1,", "0", "1,-2", "a"])
def test_batches_that_are_none_are_refused(text: str) -> None:
    """Exit code 3."""
    with pytest.raises(BadInput, match="is no list of batches"):
        bench.sizes(text)


def test_the_command_says_what_it_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object on stdout."""
    from deploy.cli.bench import engines

    engines(rounds=1, batches="1", bundle=[str(folder)], as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["bench"] == "engines" and told["rounds"] == 1 and told["machine"]["processor"]
