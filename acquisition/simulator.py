"""A simulated patient: EEG and EMG of the paradigm with a known outcome (law 9: origin is always `simulated`).

One latent number, recovery, moves everything that a model may learn: how deep the rhythms of the two hemispheres fall
during movement, how late the muscles start, how much antagonists fire along, how strongly the cortex drives the muscle.
Nuisances (gains, blinks, mains, offsets) are independent of it. The same patient, plan and montage give the same bits,
whole or block by block: every block draws from its own counter of the seed, and filters carry their state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from acquisition.paradigm import MOVEMENTS, PHASES, ParadigmPlan

if TYPE_CHECKING:
    from acquisition.montage import Montage

Array = NDArray[np.float64]

#: Seconds of one generated block. Part of the bits: another block length is another recording.
BLOCK_S = 1.0
#: Fugl-Meyer score of the lower limb (of 34) above which the outcome at three months is called good.
GOOD_ABOVE_FMA = 17.0
#: Delay from the cortex to the leg's muscles in s.
CORTEX_TO_MUSCLE_S = 0.025
#: Time constants in s with which muscles and rhythms follow a change of phase.
MUSCLE_TAU_S, RHYTHM_TAU_S = 0.06, 0.25
#: How far each rhythm is asked to fall in each of ``PHASES``: it begins before the movement and overshoots after it.
DESYNCHRONISATION = {"preparation": 0.35, "flexion": 1.0, "rest": -0.2, "extension": 1.0}
#: Activation of each muscle in the two movements, of 1.
ACTIVATION: dict[str, dict[str, float]] = {
    "RF": {"flexion": 0.45, "extension": 0.80},
    "RFP": {"flexion": 0.85, "extension": 0.45},
    "VM": {"flexion": 0.08, "extension": 1.00},
    "BF": {"flexion": 0.90, "extension": 0.10},
    "ST": {"flexion": 0.85, "extension": 0.08},
    "GMAX": {"flexion": 0.05, "extension": 0.80},
}
#: Activation of a muscle that the table does not name.
SOME_MUSCLE = {"flexion": 0.40, "extension": 0.40}
#: Activation of a muscle that rests.
TONE = 0.04
#: RMS in µV: background of an EEG site, each rhythm at its source, a muscle at full activation.
BACKGROUND_UV, MU_UV, BETA_UV, ALPHA_UV, MUSCLE_UV = 8.0, 9.0, 7.0, 9.0, 120.0
#: Peak of a blink at the forehead in µV, and its length in s.
BLINK_UV, BLINK_S = 180.0, 0.3
#: Low, high of each trait: at the worst recovery, at the best (erd: the rhythm's fall; delay in s; drive: coupling).
ERD_IPSI, ERD_CONTRA = (0.10, 0.90), (0.65, 0.25)
ONSET_DELAY_S, CO_CONTRACTION, DRIVE = (0.36, 0.10), (0.60, 0.04), (0.05, 0.95)
#: Beta falls less than mu, so that its coupling to the muscle stays visible in the movement.
BETA_SHARE = 0.25
#: A third-order approximation of 1/f noise, good from 0.4 Hz to 400 Hz at 1000 Hz.
PINK = (
    np.array([0.049922035, -0.095993537, 0.050612699, -0.004408786]),
    np.array([1.0, -2.494956002, 2.017265875, -0.522189400]),
)
#: Rows of the 10-10 system from the back of the head to the front, in radii of the head.
ROWS = {"FP": 0.95, "AF": 0.75, "F": 0.5, "FC": 0.25, "C": 0.0, "T": 0.0} | {
    "CP": -0.25, "P": -0.5, "PO": -0.75, "O": -0.95,
}  # fmt: skip
#: Longest time in s for which a phase that is over still shapes the muscles: the largest onset delay and lateness.
LOOK_BACK_S = 0.5
#: Keys of a patient's random numbers: who, traits, nuisances, trials, blocks.
WHO, TRAITS, NUISANCES, TRIALS, BLOCKS = range(5)


@dataclass(frozen=True)
class Patient:
    """Everything that makes one simulated patient.

    Parameters
    ----------
    recovery : float
        The latent r, standard normal in a cohort; more is better.
    seed : int
        Fixes every random number of the patient, none of which depends on `recovery`.
    effect : float
        How much `recovery` shows in the signal: 0 not at all (null), 1 hard, 2 easy, as ``lstm-bands`` learned.
    luck : float
        What the follow-up owes to things that no electrode sees, standard normal in a cohort.
    paretic_side : {"left", "right"}
        The leg that moves; the lesion is in the other hemisphere.
    mains_hz : float
        50 or 60.
    eeg_gain, emg_gain : float
        Nuisance: scale of each kind.
    blinks_per_min, mains_uv, offset_uv, noise_uv : float
        Nuisance: blinks, mean mains amplitude, spread of the electrode offsets, white amplifier noise.
    """

    recovery: float
    seed: int
    effect: float = 2.0
    luck: float = 0.0
    paretic_side: Literal["left", "right"] = "right"
    mains_hz: float = 50.0
    eeg_gain: float = 1.0
    emg_gain: float = 1.0
    blinks_per_min: float = 12.0
    mains_uv: float = 4.0
    offset_uv: float = 300.0
    noise_uv: float = 1.0

    @classmethod
    def draw(cls, seed: int, *, effect: float = 2.0, mains_hz: float | None = None) -> Patient:
        """Draw a patient of a cohort: recovery, luck and every nuisance, each independent of the others.

        Parameters
        ----------
        seed : int
            The same seed gives the same patient, whatever the effect.
        effect : float
            See the class.
        mains_hz : float, optional
            50 or 60; drawn when it is not given.
        """
        rng = _rng(seed, WHO)
        drawn_mains_hz = float(rng.choice([50.0, 60.0]))
        return cls(
            recovery=float(rng.standard_normal()),
            seed=seed,
            effect=effect,
            luck=float(rng.standard_normal()),
            paretic_side="left" if rng.random() < 0.5 else "right",
            mains_hz=drawn_mains_hz if mains_hz is None else mains_hz,
            eeg_gain=float(np.exp(0.25 * rng.standard_normal())),
            emg_gain=float(np.exp(0.4 * rng.standard_normal())),
            blinks_per_min=float(rng.uniform(4, 24)),
            mains_uv=float(np.exp(1.2 + 0.6 * rng.standard_normal())),
            offset_uv=float(rng.uniform(50, 500)),
            noise_uv=float(rng.uniform(0.5, 2.0)),
        )

    @property
    def fma(self) -> float:
        """Fugl-Meyer score of the lower limb at the follow-up, 0 to 34."""
        return min(34.0, max(0.0, 19.0 + 6.0 * (0.85 * self.recovery + 0.53 * self.luck)))

    @property
    def good(self) -> bool:
        """Whether the outcome is good: the follow-up score is above ``GOOD_ABOVE_FMA``."""
        return self.fma > GOOD_ABOVE_FMA

    @property
    def lesion_side(self) -> Literal["left", "right"]:
        """The hemisphere of the lesion, opposite to the paretic leg."""
        return "left" if self.paretic_side == "right" else "right"


@dataclass(frozen=True)
class Simulated:
    """A stretch of a simulated recording.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, n_channels), float32
        In µV, in the montage's order; the caller owns it.
    markers : tuple of (int, str)
        Sample of the recording, and text.
    first_sample : int
        Sample of the recording at which the stretch begins.
    """

    samples: NDArray[np.float32]
    markers: tuple[tuple[int, str], ...] = field(default=())
    first_sample: int = 0


@dataclass(frozen=True)
class Traits:
    """What recovery does to one patient, each a fraction of 1 save the delay.

    Each grows or falls steadily with ``recovery`` for one seed; patients of one recovery differ from each other.
    """

    erd_ipsi: float
    erd_contra: float
    onset_delay_s: float
    co_contraction: float
    drive: float

    @classmethod
    def of(cls, patient: Patient) -> Traits:
        """Return the traits of a patient."""
        own = 0.4 * _rng(patient.seed, TRAITS).standard_normal(5)
        share = 1.0 / (1.0 + np.exp(-patient.effect * patient.recovery - own))
        ranges = np.array([ERD_IPSI, ERD_CONTRA, ONSET_DELAY_S, CO_CONTRACTION, DRIVE])
        return cls(*(float(low + s * (high - low)) for s, (low, high) in zip(share, ranges, strict=True)))


def stream(patient: Patient, plan: ParadigmPlan, montage: Montage) -> Iterator[Simulated]:
    """Yield the recording without end, ``BLOCK_S`` at a time.

    Parameters
    ----------
    patient : Patient
        Who.
    plan : ParadigmPlan
        When which phase; after its end the patient sits still.
    montage : Montage
        Its labels, kinds and rate; sites and muscles that are not known to the simulator get generic signals.

    Yields
    ------
    Simulated
        Blocks that follow each other without a gap.
    """
    generator = _Generator(patient, plan, montage)
    while True:
        yield generator.block()


def render(patient: Patient, plan: ParadigmPlan, seconds: float, montage: Montage) -> Simulated:
    """Return the first `seconds` of ``stream`` at once: the same bits.

    Parameters
    ----------
    patient, plan, montage
        As for ``stream``.
    seconds : float
        Length; 0 gives no samples.

    Returns
    -------
    Simulated
        Its markers include one that falls on the very end.
    """
    n_samples = round(seconds * montage.rate_hz)
    samples = np.empty((n_samples, len(montage.labels)), np.float32)
    for block in stream(patient, plan, montage) if n_samples else ():
        part = samples[block.first_sample : block.first_sample + len(block.samples)]
        part[:] = block.samples[: len(part)]
        if block.first_sample + len(block.samples) >= n_samples:
            break
    markers = tuple((round(t_s * montage.rate_hz), text) for t_s, text in plan.events(seconds))
    return Simulated(samples, markers)


def site_position(label: str) -> tuple[float, float]:
    """Return where a 10-10 site lies on the head seen from above.

    Parameters
    ----------
    label : str
        Such as ``C3`` or ``FCz``; a label of no known row lies at the vertex.

    Returns
    -------
    (float, float)
        Right and front in radii of the head.

    Examples
    --------
    >>> site_position("C3"), site_position("FC2"), site_position("Pz")
    ((-0.4, 0.0), (0.2, 0.25), (0.0, -0.5))
    """
    row = label.rstrip("0123456789zZ").upper()
    number = label[len(row) :]
    if row not in ROWS or not number.isdigit():
        return (0.0, ROWS.get(row, 0.0))
    column = (int(number) + 1) // 2
    return (round((-0.2 if int(number) % 2 else 0.2) * column, 3), ROWS[row])


def _rng(seed: int, *key: int) -> np.random.Generator:
    """Return the generator of one purpose of one patient."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, *key))))


class _Filter:
    """A linear filter along the first axis that carries its state from block to block."""

    def __init__(self, b: Array, a: Array, n_columns: int) -> None:
        from scipy.signal import lfilter  # takes most of a second: not for a process that only names a patient

        self._lfilter = lfilter
        self._b, self._a = b, a
        self._state = np.zeros((max(len(a), len(b)) - 1, n_columns))

    def __call__(self, x: Array) -> Array:
        y, self._state = self._lfilter(self._b, self._a, x, axis=0, zi=self._state)
        return np.asarray(y)


def _coloured(b: Array, a: Array, rate_hz: float, n_columns: int) -> _Filter:
    """Return a filter scaled so that white noise of RMS 1 leaves it with RMS 1."""
    from scipy.signal import lfilter

    response = lfilter(b, a, np.eye(1, round(8 * rate_hz))[0])
    return _Filter(b / math.sqrt(float(np.sum(response**2))), a, n_columns)


def _band(low_hz: float, high_hz: float, rate_hz: float, n_columns: int) -> _Filter:
    """Return a band-pass for white noise, clear of the Nyquist frequency."""
    from scipy.signal import butter

    b, a = butter(2, [low_hz, min(high_hz, 0.45 * rate_hz)], "bandpass", fs=rate_hz)
    return _coloured(b, a, rate_hz, n_columns)


def _lag(tau_s: float, rate_hz: float, n_columns: int) -> _Filter:
    """Return a first-order lag."""
    keep = math.exp(-1.0 / (tau_s * rate_hz))
    return _Filter(np.array([1.0 - keep]), np.array([1.0, -keep]), n_columns)


def _delay(delay_s: float, rate_hz: float, n_columns: int) -> _Filter:
    """Return a pure delay."""
    taps = np.zeros(round(delay_s * rate_hz) + 1)
    taps[-1] = 1.0
    return _Filter(taps, np.ones(1), n_columns)


class _Timeline:
    """The plan's markers as the recording reaches them, with those that still matter kept."""

    def __init__(self, plan: ParadigmPlan) -> None:
        self._events = plan.timeline()
        self._upcoming = next(self._events, None)
        self._trial = -1
        #: (seconds, text, trial), oldest first: the one in force at the block's start less LOOK_BACK_S, and all since.
        self.recent: list[tuple[float, str, int]] = []

    def advance(self, start_s: float, end_s: float) -> None:
        """Take the markers before `end_s`; drop those that no longer matter at `start_s`."""
        while self._upcoming is not None and self._upcoming[0] < end_s:
            t_s, text = self._upcoming
            self._trial += text == PHASES[0]
            self.recent.append((t_s, text, self._trial))
            self._upcoming = next(self._events, None)
        while len(self.recent) > 1 and self.recent[1][0] <= start_s - LOOK_BACK_S:
            del self.recent[0]


class _Generator:
    """The state between two blocks of one recording."""

    def __init__(self, patient: Patient, plan: ParadigmPlan, montage: Montage) -> None:
        self.patient = patient
        self.traits = Traits.of(patient)
        self.timeline = _Timeline(plan)
        self.rate_hz = float(montage.rate_hz)
        self.n = round(BLOCK_S * self.rate_hz)
        self.n_blocks = 0
        eeg = np.array([kind == "eeg" for kind in montage.kinds])
        self.eeg, self.emg = np.flatnonzero(eeg), np.flatnonzero(~eeg)
        self.n_channels = len(eeg)
        self.activation = [self._activation(montage.labels[i].upper()) for i in self.emg]
        self._place([montage.labels[i] for i in self.eeg])
        rng = _rng(patient.seed, NUISANCES)
        self._fix_nuisances(rng)
        self._make_filters(rng)

    def _activation(self, muscle: str) -> dict[str, float]:
        """Return the activation of a muscle in each phase: its own, and what it fires along with the others."""
        along = self.traits.co_contraction
        return {phase: TONE + own + along * (1.0 - own) for phase, own in ACTIVATION.get(muscle, SOME_MUSCLE).items()}

    def _place(self, sites: list[str]) -> None:
        """Set how background, sources and blinks reach each site."""
        at = np.array([site_position(site) for site in sites]).reshape(-1, 2)
        lesion = -1.0 if self.patient.lesion_side == "left" else 1.0
        sources = np.array([(0.3 * lesion, 0.0), (-0.3 * lesion, 0.0), (-0.4, -0.5), (0.4, -0.5)])
        self.leadfield = np.exp(-((at[None] - sources[:, None]) ** 2).sum(axis=2) / (2 * 0.2**2))
        self.blink_weight = np.exp(-np.hypot(at[:, 0], 0.95 - at[:, 1]) / 0.45)
        spread = np.exp(-((at[None] - at[:, None]) ** 2).sum(axis=2) / (2 * 0.35**2)) + 0.7 * np.eye(len(at))
        self.mixing = spread / np.sqrt((spread**2).sum(axis=0))

    def _fix_nuisances(self, rng: np.random.Generator) -> None:
        """Draw what stays for the whole recording and has nothing to do with recovery."""
        self.offsets_uv = self.patient.offset_uv * rng.standard_normal(self.n_channels)
        self.mains_uv = self.patient.mains_uv * np.exp(0.5 * rng.standard_normal(self.n_channels))
        self.mains_turns = rng.random(self.n_channels)

    def _make_filters(self, rng: np.random.Generator) -> None:
        rate_hz = self.rate_hz
        mu_hz, beta_hz, alpha_hz = rng.uniform((9, 18.5, 9), (11, 21.5, 11))
        self.background = _coloured(*PINK, rate_hz, len(self.eeg))
        self.mu = _band(mu_hz - 1.2, mu_hz + 1.2, rate_hz, 2)
        self.beta = _band(beta_hz - 2.5, beta_hz + 2.5, rate_hz, 2)
        self.alpha = _band(alpha_hz - 1.0, alpha_hz + 1.0, rate_hz, 2)
        self.muscle = _band(25.0, 300.0, rate_hz, len(self.emg))
        self.rhythm_lag = _lag(RHYTHM_TAU_S, rate_hz, 1)
        self.muscle_lag = _lag(MUSCLE_TAU_S, rate_hz, len(self.emg))
        self.nerve = _delay(CORTEX_TO_MUSCLE_S, rate_hz, 1)
        self.blink = _Filter(np.hanning(round(BLINK_S * rate_hz)), np.ones(1), 1)

    def block(self) -> Simulated:
        """Return the next block."""
        first = self.n_blocks * self.n
        self.timeline.advance(first / self.rate_hz, (first + self.n) / self.rate_hz)
        rng = _rng(self.patient.seed, BLOCKS, self.n_blocks)
        self.n_blocks += 1
        beta = self.beta(rng.standard_normal((self.n, 2)))
        x_uv = self.patient.noise_uv * rng.standard_normal((self.n, self.n_channels)) + self.offsets_uv
        x_uv[:, self.eeg] += self.patient.eeg_gain * self._eeg(rng, beta, first)
        x_uv[:, self.emg] += self.patient.emg_gain * self._emg(rng, beta[:, :1], first)
        x_uv += self._mains(first)
        return Simulated(x_uv.astype(np.float32), self._markers(first), first)

    def _eeg(self, rng: np.random.Generator, beta: Array, first: int) -> Array:
        """Return background, rhythms and blinks, shape (n, n_sites)."""
        fall = self.rhythm_lag(self._by_phase(first, 0.0, DESYNCHRONISATION)[:, None])
        depth = np.array([self.traits.erd_ipsi, self.traits.erd_contra])
        mu = MU_UV * self.mu(rng.standard_normal((self.n, 2))) * np.maximum(0.0, 1.0 - depth * fall)
        seen_beta = BETA_UV * beta * np.maximum(0.0, 1.0 - BETA_SHARE * depth * fall)
        alpha = ALPHA_UV * self.alpha(rng.standard_normal((self.n, 2)))
        background = BACKGROUND_UV * self.background(rng.standard_normal((self.n, len(self.eeg)))) @ self.mixing
        chance = self.patient.blinks_per_min / 60.0 / self.rate_hz
        blinks = BLINK_UV * self.blink((rng.random((self.n, 1)) < chance).astype(np.float64)) * self.blink_weight
        return np.asarray(background + np.hstack([mu + seen_beta, alpha]) @ self.leadfield + blinks)

    def _emg(self, rng: np.random.Generator, beta: Array, first: int) -> Array:
        """Return the muscles, shape (n, n_muscles).

        The lesioned side's beta drives them before it is attenuated: with the attenuated one better patients, whose
        beta falls more, would show the weaker coupling.
        """
        noise = self.muscle(rng.standard_normal((self.n, len(self.emg))))
        asked = np.zeros_like(noise)
        for i, activation in enumerate(self.activation):
            asked[:, i] = self._by_phase(first, self.traits.onset_delay_s, activation)
        drive = np.maximum(0.0, 1.0 + self.traits.drive * self.nerve(beta))
        return np.asarray(MUSCLE_UV * np.maximum(TONE, self.muscle_lag(asked)) * drive * noise)

    def _by_phase(self, first: int, delay_s: float, values: Mapping[str, float]) -> Array:
        """Return the value of the phase that was asked for `delay_s` ago, shape (n,); 0 where `values` has none.

        Every trial has its own vigour and is late by a little of its own.
        """
        out = np.zeros(self.n)
        for t_s, phase, trial in self.timeline.recent:
            vigour, late_s = self._trial(trial)
            begin = round((t_s + delay_s + late_s) * self.rate_hz) - first
            out[max(0, begin) :] = values.get(phase, 0.0) * (vigour if phase in MOVEMENTS else 1.0)
        return out

    def _trial(self, trial: int) -> tuple[float, float]:
        """Return a trial's vigour (about 1) and its lateness in s."""
        if trial < 0:
            return 1.0, 0.0
        rng = _rng(self.patient.seed, TRIALS, trial)
        return float(np.clip(1.0 + 0.12 * rng.standard_normal(), 0.6, 1.4)), float(rng.uniform(0.0, 0.04))

    def _mains(self, first: int) -> Array:
        """Return mains and two harmonics, their phase counted from the recording's first sample."""
        turns = np.arange(first, first + self.n)[:, None] * (self.patient.mains_hz / self.rate_hz) + self.mains_turns
        wave = sum(share * np.sin(2 * np.pi * k * turns) for k, share in ((1, 1.0), (2, 0.25), (3, 0.1)))
        return np.asarray(self.mains_uv * wave)

    def _markers(self, first: int) -> tuple[tuple[int, str], ...]:
        at = ((round(t_s * self.rate_hz), text) for t_s, text, _ in self.timeline.recent)
        return tuple((sample, text) for sample, text in at if first <= sample < first + self.n)
