"""The bundle that ships: it tells simulated patients apart that it never saw, and says where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acquisition.chain import ChainSpec
from acquisition.montage import load_montage
from acquisition.simulator import Patient
from inference.bundle import Bundle, resolve_bundle
from inference.engines.ort import OrtEngine
from inference.normalisation import zscore
from training import demo_bundle
from training.demo_bundle import Run, build, simulate
from training.export import graph_of
from training.fit import FitSpec
from training.networks import BandLstm
from training.auc import auc
from training.synthesis import Task, windows_of
from training.weighting import FITTED, N_DRAWS, session_logit

AMP16 = load_montage("amp16")
#: Far from every seed of the run that made the bundle.
UNSEEN = 77_000_000


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """Return the bundle that ships."""
    return Bundle.load(resolve_bundle("lstm-bands"))


@pytest.fixture(scope="module")
def engine(shipped: Bundle) -> Iterator[OrtEngine]:
    """Return it, running."""
    engine = OrtEngine(shipped)
    yield engine
    engine.close()


def score(engine: OrtEngine, patient: Patient, seconds: float = 54.0) -> float:
    """Return a patient's session logit, through the chain and the engine of the bedside."""
    windows = list(windows_of(Task(patient, seconds, still_s=8.0), AMP16))
    logits = [engine.run({"x": zscore(w.x_uv, w.channel_quality)[np.newaxis]})["logit"][0] for w in windows]
    return session_logit(logits, [w.weight for w in windows])


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_it_tells_unseen_good_patients_from_poor_ones(engine: OrtEngine, mains_hz: float):
    """Every patient who recovers well scores above every one who does not, under either mains."""
    good = [score(engine, Patient(1.5, UNSEEN + i, effect=2.0, mains_hz=mains_hz)) for i in range(3)]
    poor = [score(engine, Patient(-1.5, UNSEEN + 9 + i, effect=2.0, mains_hz=mains_hz)) for i in range(3)]
    assert min(good) > max(poor)


def test_it_was_trained_behind_the_chain_of_today(shipped: Bundle):
    """A conditioning that changed needs a bundle that was made anew: `make bundle` (law 6)."""
    assert shipped.signal.fingerprint == ChainSpec().fingerprint
    shipped.check(AMP16.labels, 1000.0, 10_000, ChainSpec().fingerprint, 60.0, kinds=AMP16.kinds)


def test_it_says_that_it_is_synthetic_in_the_manifest_and_on_the_card(shipped: Bundle):
    """Nobody can take it for a clinical model (law 9)."""
    assert shipped.model.head.origin == "synthetic"
    text = (shipped.path / "card.md").read_text(encoding="utf-8")
    assert "origin: synthetic" in text
    assert "not a medical device" in text
    assert "{" not in text


def test_its_calibration_covers_a_whole_session_with_draws(shipped: Bundle):
    """A line for each number of windows, 200 draws each, for both aggregations; more windows, narrower draws."""
    for curve in shipped.model.calibration.values():
        assert curve.n == FITTED
        assert np.shape(curve.draws_a) == np.shape(curve.draws_b) == (len(FITTED), N_DRAWS)
        assert min(curve.a) >= 0


def test_its_test_patients_were_told_apart(shipped: Bundle):
    """The card's own figures: an AUC of at least 0.8 after 12 windows and after a whole session."""
    figures = shipped.model.head.training["test_auc_by_windows"]
    for n in ("12", "53"):
        value, low, high = figures[n]
        assert value >= 0.8
        assert 0.5 < low < value < high <= 1.0


def test_its_golden_windows_hold_and_batches_change_no_bit(engine: OrtEngine):
    """The gate that every engine passes before it serves."""
    found = engine.selfcheck()
    assert found.ok, found.problems
    assert found.batch_invariant


def test_it_is_small_enough_to_ship(shipped: Bundle):
    """The whole folder, for a repository."""
    assert sum(path.stat().st_size for path in shipped.path.iterdir()) < 1_500_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_without_an_effect_it_is_at_chance(engine: OrtEngine):
    """What recovery does not show in, no score can know: effect 0 is the null."""
    patients = [Patient.draw(UNSEEN + 100 + i, effect=0.0) for i in range(40)]
    found = auc([p.good for p in patients], [score(engine, p) for p in patients])
    assert 0.3 < found < 0.7


@pytest.fixture(scope="module")
def small_run() -> Run:
    """Return a run of half a minute."""
    return Run(patients=36, seed=5, n_short=4, n_whole=6, fit=FitSpec(seed=5, epochs=8, patience=8, learning_rate=2e-3))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_small_run_makes_a_whole_bundle(small_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Simulate, train, export, calibrate, test, write: loaded, checked, and with a card of its own figures."""
    sessions = simulate(small_run)
    bundle = build(small_run, sessions, tmp_path / "bundle")
    manifest = json.loads((bundle.path / "manifest.json").read_text(encoding="utf-8"))
    seeds = [s.patient.seed for members in sessions.values() for s in members]
    assert len(seeds) == len(set(seeds)) == 36
    assert manifest["calibration"]["logit_mean_quality"]["n"] == [1, 2, 3, 6]
    assert set(manifest["training"]["test_auc_by_windows"]) == {"3", "6"}
    assert manifest["training"]["patients"] == {part: len(members) for part, members in sessions.items()}
    assert len(bundle.model.golden) == 8
    assert OrtEngine(bundle).selfcheck().ok
    assert "trained: best epoch" in capsys.readouterr().err


def test_the_command_replaces_a_bundle_only_by_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A run that fails leaves the old bundle as it was."""
    out = tmp_path / "bundle"
    out.mkdir()
    (out / "model.onnx").write_bytes(b"old")
    monkeypatch.setattr(demo_bundle, "simulate", lambda run: {"train": [run]})
    with pytest.raises(KeyError):
        demo_bundle.main(["--out", str(out), "--patients", "1"])
    assert (out / "model.onnx").read_bytes() == b"old"


def test_a_graph_that_differs_from_its_network_is_not_shipped(net: BandLstm):
    """Parity is a gate, not a remark."""
    model = graph_of(net, 10_000, 16).SerializeToString()
    assert demo_bundle.parity(net, model) < 1e-5
    net.head.bias.data += 1.0
    with pytest.raises(ValueError, match=r"the graph's logits differ from the network's by 1\.0e\+00, more than 1e-04"):
        demo_bundle.parity(net, model)
    net.head.bias.data -= 1.0


def test_the_card_has_no_blank_left(shipped: Bundle):
    """Every figure of the template is filled in."""
    text = (shipped.path / "card.md").read_text(encoding="utf-8")
    assert text.startswith(f"# lstm-bands {shipped.model.head.version}\n")
    assert text.count("\n|") >= 2 + 4 + 2 + 5
