"""The simulated patient: the same bits however it is read; every trait moves with recovery in the right direction."""

from functools import cache
from itertools import islice, pairwise

import numpy as np
import pytest
from scipy import signal

from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, Traits, render, site_position, stream

PLAN = ParadigmPlan(still_s=4.0)
RECOVERIES = (-2.0, 0.0, 2.0)
AMP16 = load_montage("amp16")


@cache
def recording(recovery: float, effect: float = 2.0, seconds: float = 124.0):
    """Return a right-paretic patient's samples: the lesion is on the left, under C1 and C3."""
    return render(Patient(recovery, seed=3, effect=effect, blinks_per_min=0), PLAN, seconds, AMP16).samples.astype(
        float
    )


def column(label: str) -> int:
    """Return the column of a channel."""
    return AMP16.labels.index(label)


def epochs(x: np.ndarray, begin_s: float, end_s: float) -> np.ndarray:
    """Cut the same stretch of each trial: (n_trials, n_samples)."""
    starts = np.arange(4000, len(x) - 9999, 10_000)
    return np.stack([x[s + round(begin_s * 1000) : s + round(end_s * 1000)] for s in starts])


def fall_of_mu(x: np.ndarray, label: str) -> float:
    """Return the fall of 10 Hz power from rest to extension."""
    sos = signal.butter(2, [8.5, 11.5], "bandpass", fs=1000, output="sos")
    power = signal.sosfilt(sos, x[:, column(label)]) ** 2
    return float(1 - epochs(power, 7.8, 9.9).mean() / epochs(power, 5.5, 6.9).mean())


def coherence_with_muscle(x: np.ndarray, site: str, muscle: str) -> float:
    """Return the 15-30 Hz coherence of a site and the rectified muscle in steady extension."""
    eeg = epochs(x[:, column(site)], 7.8, 9.9)
    muscle_noise = signal.sosfilt(signal.butter(2, 40, "highpass", fs=1000, output="sos"), x[:, column(muscle)])
    emg = epochs(np.abs(muscle_noise), 7.8, 9.9)
    f, c = signal.coherence(eeg.ravel(), emg.ravel(), fs=1000, nperseg=700, noverlap=0)
    return float(c[(f >= 15) & (f <= 30)].mean())


def onset_of(x: np.ndarray, muscle: str) -> float:
    """Return when the mean rectified muscle passes half of its plateau, in s after the extension marker."""
    noise = signal.sosfilt(signal.butter(2, 40, "highpass", fs=1000, output="sos"), x[:, column(muscle)])
    envelope = np.convolve(epochs(np.abs(noise), 7.0, 9.9).mean(axis=0), np.ones(40) / 40, "valid")
    return float(np.argmax(envelope > envelope[1000:].mean() / 2) / 1000)


def co_contraction(x: np.ndarray) -> float:
    """Return the antagonist's share of the agonist in extension."""
    noise = signal.sosfilt(signal.butter(2, 40, "highpass", fs=1000, output="sos"), x, axis=0)
    level = [np.sqrt(np.mean(epochs(noise[:, column(m)], 7.8, 9.9) ** 2)) for m in ("BF", "VM")]
    return float(level[0] / level[1])


def rises(values: list[float]) -> bool:
    """Tell whether each value is above the one before."""
    return all(b > a for a, b in pairwise(values))


def test_streamed_blocks_are_the_whole_recording_bit_for_bit():
    """However it is read, a patient is one recording (law 1)."""
    patient = Patient.draw(5, effect=2)
    whole = render(patient, PLAN, 7.5, AMP16)
    blocks = list(islice(stream(patient, PLAN, AMP16), 8))
    assert np.array_equal(np.concatenate([b.samples for b in blocks])[:7500], whole.samples)
    assert [b.first_sample for b in blocks] == [1000 * k for k in range(8)]
    assert tuple(m for b in blocks for m in b.markers) == whole.markers
    assert whole.samples.dtype == np.float32


def test_markers_lie_where_the_plan_says_and_the_last_one_on_the_very_end():
    """A marker is (sample, text); the one that ends the plan has no sample after it."""
    plan = ParadigmPlan(still_s=1.5, n_trials=1)
    markers = render(Patient(0, 1), plan, plan.total_s, AMP16).markers
    phases = ((1500, "preparation"), (3500, "flexion"), (6500, "rest"), (8500, "extension"))
    assert markers == ((0, "session-start"), *phases, (11500, "session-end"))


def test_markers_that_fall_between_two_samples_are_kept_by_exactly_one_block():
    """Rounding at a block's edge neither loses a marker nor sends it twice."""
    plan = ParadigmPlan(still_s=1.99951, preparation_s=0.99999, flexion_s=0.5004, n_trials=4)
    blocks = list(islice(stream(Patient(0, 1), plan, AMP16), 30))
    streamed = [m for b in blocks for m in b.markers]
    assert streamed == [(round(t * 1000), text) for t, text in plan.events()]


@pytest.mark.parametrize("name", ["amp16", "eeg16", "paper22"])
def test_every_built_in_montage_can_be_simulated(name: str):
    """The simulator asks a montage for labels and kinds alone."""
    montage = load_montage(name)
    samples = render(Patient.draw(2), PLAN, 2.0, montage).samples
    assert samples.shape == (2000, montage.n_channels)
    assert np.isfinite(samples).all()
    assert (samples.std(axis=0) > 1).all()


def test_no_seconds_give_no_samples():
    """An empty recording is a recording."""
    assert render(Patient(0, 1), PLAN, 0.0, AMP16).samples.shape == (0, 16)


def test_mu_falls_more_on_the_lesioned_side_and_less_on_the_other_as_recovery_grows():
    """Laterality of the event-related desynchronisation follows recovery."""
    assert rises([fall_of_mu(recording(r), "C1") for r in RECOVERIES])
    assert rises([-fall_of_mu(recording(r), "C2") for r in RECOVERIES])


@pytest.mark.parametrize("muscle", ["RF", "VM"])
def test_cortex_and_muscle_cohere_more_as_recovery_grows(muscle: str):
    """15-30 Hz coherence with the rectified muscle grows although the beta that one sees falls."""
    assert rises([coherence_with_muscle(recording(r, seconds=304.0), "C1", muscle) for r in RECOVERIES])


def test_muscles_start_earlier_as_recovery_grows():
    """The delay from the marker to the muscle shrinks."""
    assert rises([-onset_of(recording(r), "VM") for r in RECOVERIES])


def test_antagonists_fire_along_less_as_recovery_grows():
    """Co-contraction is a sign of the poor outcome."""
    assert rises([-co_contraction(recording(r)) for r in RECOVERIES])


def test_without_effect_recovery_does_not_show_in_a_single_bit():
    """Effect 0 is the null: nothing can be learned from it."""
    assert np.array_equal(recording(-2.0, effect=0.0, seconds=20.0), recording(2.0, effect=0.0, seconds=20.0))


def test_more_effect_sets_good_and_poor_further_apart():
    """Effect 2 is easier than effect 1."""
    spread = [
        Traits.of(Patient(1, 3, effect=e)).erd_ipsi - Traits.of(Patient(-1, 3, effect=e)).erd_ipsi for e in (0, 1, 2)
    ]
    assert spread[0] == 0.0
    assert rises(spread)


def test_the_outcome_follows_recovery_and_luck_with_the_paper_s_cut():
    """Good means a Fugl-Meyer score above 17 of 34."""
    assert Patient(0.0, 1).fma == 19.0
    assert Patient(0.0, 1).good
    assert not Patient(-1.0, 1).good
    assert Patient(9.0, 1).fma == 34.0
    assert Patient(-9.0, 1).fma == 0.0


def test_a_drawn_patient_s_nuisances_have_nothing_to_do_with_recovery():
    """In a cohort of drawn patients no nuisance is correlated with the outcome."""
    patients = [Patient.draw(seed) for seed in range(400)]
    recovery = [p.recovery for p in patients]
    for name in ("luck", "eeg_gain", "emg_gain", "blinks_per_min", "mains_uv", "offset_uv", "noise_uv", "mains_hz"):
        assert abs(np.corrcoef(recovery, [getattr(p, name) for p in patients])[0, 1]) < 0.15, name
    assert abs(np.mean([p.good for p in patients]) - 0.6) < 0.08
    assert Patient.draw(7, effect=2).recovery == Patient.draw(7, effect=0).recovery


def test_the_lesion_is_opposite_to_the_leg():
    """A right leg that is paretic has its lesion on the left."""
    assert Patient(0, 1, paretic_side="right").lesion_side == "left"
    assert Patient(0, 1, paretic_side="left").lesion_side == "right"


def test_mains_are_at_the_frequency_that_the_patient_was_given():
    """50 and 60 Hz both exist."""
    for mains_hz in (50.0, 60.0):
        x = render(Patient(0, 1, mains_hz=mains_hz, mains_uv=30), PLAN, 4.0, AMP16).samples[:, 0].astype(float)
        spectrum = np.abs(np.fft.rfft((x - x.mean()) * np.hanning(4000)))
        assert np.argmax(spectrum[120:]) + 120 == round(mains_hz * 4)


@pytest.mark.parametrize(
    ("label", "at"), [("Cz", (0.0, 0.0)), ("FC5", (-0.6, 0.25)), ("P4", (0.4, -0.5)), ("X9", (0.0, 0.0))]
)
def test_sites_lie_where_their_name_says(label: str, at: tuple[float, float]):
    """A 10-10 name is a place; an unknown one is the vertex."""
    assert site_position(label) == at
