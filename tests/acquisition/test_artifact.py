"""The artifact stage: what it takes away, what it leaves alone, when it stays off."""

from __future__ import annotations

import json

import numpy as np
import pytest

from acquisition.artifact import ArtifactSpec, ArtifactStage, Calibration, calibrate
from acquisition.errors import BadInput, DecisionError

LABELS = ("C3", "C1", "C2", "C4", "P3")
SPEC = ArtifactSpec(calibration_samples=3_000)


def brain(n_samples, seed=0):
    """Return band-limited noise of five sites that share sources."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, 3)) @ np.random.default_rng(9).normal(size=(3, 5)) * 8 + rng.normal(
        size=(n_samples, 5)
    )


def blinks(n_samples, seed=0):
    """Return blinks of 300 ms, some 150 µV in front, every 2 s."""
    wave = np.zeros(n_samples)
    for first in range(500, n_samples - 300, 2_000):
        wave[first : first + 300] = 150 * np.hanning(300)
    return wave[:, None] * np.linspace(1.0, 0.4, 5)


def through(stage, x, settled=True, good=None):
    """Push signal block by block."""
    good = np.ones(5, bool) if good is None else good
    return np.concatenate([stage.push(x[row : row + 100], good, settled=settled) for row in range(0, len(x), 100)])


def calibrated(x=None, spec=SPEC):
    """Return a stage with a calibration in force."""
    stage = ArtifactStage(LABELS, spec)
    stage.begin(0, 400)
    through(stage, brain(3_000) if x is None else x)
    stage.obey(stage.due)
    return stage


def rms(x):
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(x))))


def test_samples_pass_untouched_until_the_calibration():
    """Before the calibration is in force nothing is changed (the very same samples)."""
    stage = ArtifactStage(LABELS, SPEC)
    stage.begin(0, 400)
    x = brain(3_000)
    assert through(stage, x).tobytes() == x.tobytes()
    assert stage.due is not None and stage.in_force == ""


def test_unsettled_blocks_do_not_calibrate():
    """Only settled samples of one segment count; a new segment starts anew."""
    stage = ArtifactStage(LABELS, SPEC)
    stage.begin(0, 400)
    through(stage, brain(400), settled=False)
    through(stage, brain(2_900))
    stage.begin(1, 9_400)
    through(stage, brain(2_900))
    assert stage.due is None
    through(stage, brain(100))
    assert (stage.due.segment, stage.due.first_sample, stage.due.n_good) == (1, 9_400, 30)


def test_clean_signal_is_left_nearly_untouched():
    """What looks like the calibration loses less than 2 % of itself."""
    stage = calibrated()
    x = brain(20_000, seed=1)
    assert rms(through(stage, x) - x) < 0.02 * rms(x)


@pytest.mark.parametrize("calm", [True, False], ids=["calm calibration", "blinks in the calibration"])
def test_blinks_are_suppressed(calm):
    """Blinks lose more than a third of their RMS, also when the patient blinked during the calibration."""
    stage = calibrated(brain(3_000) if calm else brain(3_000) + blinks(3_000))
    x, artifact = brain(20_000, seed=1), blinks(20_000)
    assert rms(through(stage, x + artifact) - x) < 0.62 * rms(artifact)


def test_electrode_pop_is_winsorised():
    """A jump of 5 mV on one channel comes out no larger than eight robust scales."""
    stage = calibrated()
    x = brain(2_000, seed=1)
    x[1_000:1_040, 2] += 5_000
    out = through(stage, x)
    assert np.abs(out).max() < 8.5 * max(stage.calibration.scales_uv)


def test_gain_makes_no_steps_at_the_grids_edges():
    """The gain runs in a straight line through a block, so a slow artifact has no jump where blocks meet."""
    stage = calibrated()
    slow = (60 * np.sin(2 * np.pi * np.arange(4_000) / 4_000))[:, None] * np.linspace(1.0, 0.4, 5)
    steps = np.abs(np.diff(through(stage, slow), axis=0)).max(axis=1)
    assert steps[99::100].max() < 1.5 * np.delete(steps, np.s_[99::100]).max()


def test_segment_begins_without_memory():
    """After a gap neither the RMS nor the gain of the old segment is left."""
    stage = calibrated()
    x = brain(1_000, seed=2)
    through(stage, x + 500)
    stage.begin(1, 0)
    again = through(stage, x)
    assert again.tobytes() == through(calibrated(), x).tobytes()


def test_bad_channel_is_excluded_by_name_and_passes_untouched():
    """A channel that was bad in the calibration is named, and left alone for the session."""
    stage = ArtifactStage(LABELS, SPEC)
    stage.begin(0, 0)
    through(stage, brain(3_000), good=np.array([True, True, False, True, True]))
    assert stage.due.excluded == ("C2",)
    assert stage.due.channels == ("C3", "C1", "C4", "P3")
    assert stage.due.n_good == 30
    stage.obey(stage.due)
    x = brain(2_000, seed=1) + blinks(2_000)
    out = through(stage, x)
    assert out[:, 2].tobytes() == x[:, 2].tobytes()
    assert out[:, 0].tobytes() != x[:, 0].tobytes()


def test_silent_channel_is_excluded():
    """A channel without any signal after the filter has no scale to be clipped at."""
    x = brain(3_000)
    x[:, 4] = 0.0
    assert calibrated(x).calibration.excluded == ("P3",)


def verdicts(rows):
    """Return the verdicts on cells."""
    return [np.array(row, bool) for row in rows]


def off(good):
    """Calibrate with these verdicts."""
    blocks = list(brain(3_000).reshape(30, 100, 5))
    return calibrate(blocks, verdicts(good), LABELS, 0, 0, SPEC)


def test_too_few_channels_keep_the_stage_off():
    """With fewer than four EEG channels there is no subspace to speak of."""
    calibration = off([[1, 1, 1, 0, 0]] * 30)
    assert calibration.off and calibration.reason == "3 usable EEG channels, 4 are needed"
    assert calibration.excluded == ("C4", "P3")


def test_too_few_good_cells_keep_the_stage_off():
    """Less than half of the 30 s good: the stage stays off, and says so."""
    calibration = off([[1, 1, 1, 1, 1]] * 14 + [[1, 1, 1, 1, 0], [1, 1, 1, 0, 1]] * 8)
    assert calibration.off and calibration.reason == "14 of 30 cells good, 15 are needed"
    assert not off([[1, 1, 1, 1, 1]] * 15 + [[1, 1, 1, 1, 0], [1, 1, 1, 0, 1], [1, 1, 0, 1, 1]] * 5).off


def test_off_is_for_the_session():
    """A stage that is off never calibrates again and changes nothing."""
    stage = ArtifactStage(LABELS, SPEC)
    stage.begin(0, 0)
    through(stage, brain(3_000), good=np.zeros(5, bool))
    stage.obey(stage.due)
    x = brain(4_000)
    assert through(stage, x).tobytes() == x.tobytes()
    assert (stage.due, stage.in_force, stage.calibration.off) == (None, "", True)


def test_bad_cells_are_left_out_of_the_calibration():
    """Cells in which an included channel was bad do not widen the scales."""
    blocks = brain(3_000).reshape(30, 100, 5)
    clean = calibrate(list(blocks[:20]), verdicts([[1] * 5] * 20), LABELS, 0, 0, SPEC)
    spoilt = np.concatenate([blocks[:20], 1_000 * blocks[20:]])
    marked = calibrate(list(spoilt), verdicts([[1] * 5] * 20 + [[0] + [1] * 4] * 10), LABELS, 0, 0, SPEC)
    assert (marked.scales_uv, marked.basis) == (clean.scales_uv, clean.basis)


def test_calibration_survives_json_bit_for_bit():
    """Stored as numbers, read back, never computed again: same values, same hash (law 1)."""
    calibration = calibrated().calibration
    back = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert back == calibration
    assert back.hash == calibration.hash == calibration.to_json()["hash"]


SPOILT = [
    ({"scales_uv": [1.0] * 4}, "values that do not fit its channels"),
    ({"basis": [[0.0] * 5] * 4}, "values that do not fit its channels"),
    ({"thresholds_uv": [float("nan")] * 5}, "values that do not fit its channels"),
    ({"n_good": 29}, "has the hash '.*', but its values give"),
    ({"scales_uv": "wide"}, r"is not one \(ValueError"),
    ({"basis": None}, r"is not one \(TypeError"),
]


@pytest.mark.parametrize(("change", "words"), SPOILT, ids=[words for _, words in SPOILT])
def test_spoilt_calibration_is_refused(change, words):
    """A calibration that was changed, cut or garbled is refused in words (law 10)."""
    with pytest.raises(DecisionError, match=words):
        Calibration.from_json(calibrated().calibration.to_json() | change)


def test_calibration_without_a_key_is_refused():
    """A line that is no calibration says which value it lacks."""
    with pytest.raises(DecisionError, match=r"is not one \(KeyError: 'segment'\)"):
        Calibration.from_json({})


def test_session_has_one_calibration():
    """The same one may be told twice (a restart reads the record again), another one not."""
    stage = calibrated()
    stage.obey(stage.calibration)
    with pytest.raises(DecisionError, match=r"comes after .*; a session has one"):
        stage.obey(calibrated(brain(3_000, seed=5)).calibration)


def test_calibration_of_another_montage_is_refused():
    """A calibration names its channels; all must be EEG channels of the montage."""
    with pytest.raises(DecisionError, match="names C1, C2, which is no EEG channel"):
        ArtifactStage(("C3", "C4", "P3"), SPEC).obey(calibrated().calibration)


@pytest.mark.parametrize("n_samples", [3_050, 900])
def test_spec_of_a_useless_calibration_is_refused(n_samples):
    """A calibration is a multiple of 100 samples and long enough for its statistics."""
    with pytest.raises(BadInput, match=f"calibration of {n_samples} samples is too short or no multiple of 100"):
        ArtifactSpec(calibration_samples=n_samples)
