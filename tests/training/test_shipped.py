"""The bundles that ship: they tell simulated patients apart that they never saw, and say where they come from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from acquisition.chain import ChainSpec
from acquisition.montage import load_montage
from acquisition.simulator import Patient
from inference.bundle import MANIFEST, SHIPPED, Bundle, FusionBundle, load_bundle, resolve_bundle
from inference.engines.ort import OrtEngine
from inference.engines.parity import settle
from inference.fmri.preparation import PreparationSpec
from inference.normalisation import zscore
from tests.training.simulated_windows import windows_of
from training.statistics.auc import auc
from training.statistics.weighting import FITTED, N_DRAWS, session_logit

AMP16 = load_montage("amp16")
#: Far from every seed of the run that made the bundle.
UNSEEN = 77_000_000
ALL = [load_bundle(path.parent) for path in sorted(SHIPPED.glob(f"*/{MANIFEST}"))]
MODELS = [bundle for bundle in ALL if isinstance(bundle, Bundle)]
FUSIONS = [bundle for bundle in ALL if isinstance(bundle, FusionBundle)]
#: What a folder may take in a repository: an LSTM, and an image network of a million weights.
MOST_BYTES = {"eeg_emg": 1_500_000, "fmri": 6_000_000}


def each(bundles: list) -> pytest.MarkDecorator:
    """Return the mark that runs a test with each of these bundles."""
    return pytest.mark.parametrize("shipped", bundles, ids=lambda bundle: bundle.name)


each_model = each(MODELS)
each_of_windows = each([bundle for bundle in MODELS if bundle.model.head.kind == "eeg_emg"])
each_of_scans = each([bundle for bundle in MODELS if bundle.model.head.kind == "fmri"])


@pytest.fixture(scope="module")
def engine() -> Iterator[OrtEngine]:
    """Return the bundle that the bedside takes if nothing else is named, running."""
    engine = OrtEngine(Bundle.load(resolve_bundle("lstm-bands")))
    yield engine
    engine.close()


def score(engine: OrtEngine, patient: Patient, seconds: float = 54.0) -> float:
    """Return a patient's session logit, through the chain and the engine of the bedside."""
    windows = list(windows_of(patient, seconds, still_s=8.0))
    logits = [engine.run({"x": zscore(w.x_uv, w.channel_quality)[np.newaxis]})["logit"][0] for w in windows]
    return session_logit(logits, [w.weight for w in windows])


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_unseen_good_patients_are_told_from_poor_ones(engine: OrtEngine, mains_hz: float):
    """Every patient who recovers well scores above every one who does not, under either mains."""
    good = [score(engine, Patient(1.5, UNSEEN + i, effect=2.0, mains_hz=mains_hz)) for i in range(3)]
    poor = [score(engine, Patient(-1.5, UNSEEN + 9 + i, effect=2.0, mains_hz=mains_hz)) for i in range(3)]
    assert min(good) > max(poor)


@pytest.mark.thorough
@pytest.mark.timeout(600)
def test_without_an_effect_it_is_at_chance(engine: OrtEngine):
    """What recovery does not show in, no score can know: effect 0 is the null."""
    patients = [Patient.draw(UNSEEN + 100 + i, effect=0.0) for i in range(40)]
    found = auc([p.good for p in patients], [score(engine, p) for p in patients])
    assert 0.3 < found < 0.7


@each_of_windows
def test_it_was_trained_behind_the_chain_of_today(shipped: Bundle):
    """A conditioning that changed needs bundles that are made anew: `make models` (law 6)."""
    assert shipped.signal.fingerprint == ChainSpec().fingerprint
    for mains_hz in (50.0, 60.0):
        shipped.check(AMP16.labels, 1000.0, 10_000, ChainSpec().fingerprint, mains_hz, kinds=AMP16.kinds)


@each_model
def test_it_says_that_it_is_synthetic_in_the_manifest_and_on_the_card(shipped: Bundle):
    """Nobody can take it for a clinical model (law 9)."""
    assert shipped.model.head.origin == "synthetic"
    text = (shipped.path / "card.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {shipped.name} {shipped.model.head.version}\n")
    assert "origin: synthetic" in text
    assert "not a medical device" in text
    assert "{" not in text


@each_of_windows
def test_its_calibration_has_draws_for_both_aggregations(shipped: Bundle):
    """A line for each number of windows that its patients have, 200 draws each, none of which turns a score round."""
    assert set(shipped.model.calibration) == {"logit_mean_quality", "prob_mean"}
    for curve in shipped.model.calibration.values():
        assert curve.n == FITTED[: len(curve.n)]
        assert np.shape(curve.draws_a) == np.shape(curve.draws_b) == (len(curve.n), N_DRAWS)
        assert min(curve.a) >= 0


@each_of_windows
def test_its_figures_have_intervals(shipped: Bundle):
    """On the card and in the manifest, by number of windows."""
    figures = shipped.model.head.training["test_auc_by_windows"]
    assert figures
    for value, low, high in figures.values():
        assert 0.0 <= low <= value <= high <= 1.0


def test_the_bedside_s_own_test_patients_were_told_apart():
    """An AUC of at least 0.8 after 12 windows and after a whole session; above chance for sure."""
    figures = Bundle.load(resolve_bundle("lstm-bands")).model.head.training["test_auc_by_windows"]
    for n in ("12", "53"):
        value, low, _ = figures[n]
        assert value >= 0.8 and low > 0.5


@each_model
@pytest.mark.timeout(180)
def test_its_golden_windows_hold_and_batches_change_no_bit(shipped: Bundle):
    """The gate that every engine passes before it serves."""
    engine = OrtEngine(shipped)
    found = settle(engine.selfcheck())
    engine.close()
    assert found.ok, found.problems
    assert found.batch_invariant


@each_model
def test_it_is_small_enough_to_ship(shipped: Bundle):
    """The whole folder, for a repository."""
    size = sum(path.stat().st_size for path in shipped.path.iterdir())
    assert size < MOST_BYTES[shipped.model.head.kind]


@each_of_scans
def test_it_takes_scans_as_they_are_prepared_today(shipped: Bundle):
    """A preparation that changed needs a bundle that is made anew (law 6)."""
    spec = PreparationSpec.from_json(shipped.image.preparation)
    assert spec == PreparationSpec() and spec.fingerprint == PreparationSpec().fingerprint


@each_of_scans
def test_its_calibration_is_of_patients(shipped: Bundle):
    """One line for each aggregation, 200 draws, none of which turns a score round; the sanity check is there."""
    assert set(shipped.model.calibration) == {"logit_mean_quality", "prob_mean"}
    for curve in shipped.model.calibration.values():
        assert np.shape(curve.draws_a) == np.shape(curve.draws_b) == (1, N_DRAWS)
        assert min(curve.a) >= 0
    assert abs(shipped.image.sanity.correlation) < 0.5


@each(FUSIONS)
def test_a_fusion_is_of_the_models_that_ship(shipped: FusionBundle):
    """One that was fitted behind others would be refused at the first scan."""
    known = {"eeg_emg": "lstm-bands", "fmri": "cnn-shufflenet"}
    assert shipped.fusion.fitted_on == {kind: Bundle.load(resolve_bundle(name)).sha256 for kind, name in known.items()}


def test_both_modalities_and_their_fusion_ship():
    """What a bed starts with."""
    models, fusions = {"lstm-bands", "lstm-raw", "cnn-shufflenet"}, {"fusion-equal", "fusion-stack"}
    assert {bundle.name for bundle in ALL} == models | fusions
