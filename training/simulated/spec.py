"""What a simulated cohort is asked to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from training.errors import TrainingError

#: How much recovery shows: not at all (the null), hard to see, easy to see.
EFFECTS = (0, 1, 2)
#: What decides who has no EEG: nothing, or the recovery itself (the worse, the likelier).
Missing = Literal["random", "severity"]
#: Share of the patients with EEG: the paper's 86 of 102.
EEG_OF_ALL = 86 / 102
#: More patients than any cohort of this kind has: three digits name them.
MAX_PATIENTS = 999
#: Hours of one recording beyond which it is a slip of the pen.
MAX_MINUTES = 120.0
#: More sites than letters have no name.
MAX_SITES = 26


class SynthError(TrainingError):
    """A simulated cohort that cannot be made as asked, or not there."""

    kind = "synth"


@dataclass(frozen=True)
class SynthSpec:
    """The settings of a simulated cohort: with the same ones it is the same bytes.

    Parameters
    ----------
    patients : int
        How many there are; each has a BOLD scan where `bold` says so.
    with_eeg : int
        How many of them have an EEG and EMG recording.
    minutes : float
        Length of a recording.
    effect : {0, 1, 2}
        How much recovery shows in EEG, EMG and BOLD. The table of patients is the same whatever it is.
    seed : int
        Fixes every random number.
    bold : bool
        Whether there are BOLD scans.
    sites : int
        Hospitals; each has its mains frequency, gains and noise, none of which knows of the outcome.
    missing : {"random", "severity"}
        Which patients have no EEG.
    still_s : float
        Seconds of sitting still before the first trial.
    montage : str
        Name of a built-in montage.

    Raises
    ------
    SynthError
        If a value makes no sense; names it.
    """

    patients: int = 102
    with_eeg: int = 86
    minutes: float = 9.0
    effect: int = 2
    seed: int = 1
    bold: bool = True
    sites: int = 3
    missing: Missing = "random"
    still_s: float = 30.0
    montage: str = "amp16"

    def __post_init__(self) -> None:
        self._within("patients", 1, MAX_PATIENTS)
        self._within("with_eeg", 0, self.patients)
        self._within("sites", 1, MAX_SITES)
        self._within("seed", 0, 2**63 - 1)
        self._within("still_s", 0, 60 * MAX_MINUTES)
        shortest = (self.still_s + ParadigmPlan().trial_s) / 60
        self._within("minutes", shortest, MAX_MINUTES)
        self._one_of("effect", EFFECTS)
        self._one_of("missing", get_args(Missing))
        load_montage(self.montage)

    def _within(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise _wrong(name, value, f"{low:g} to {high:g}")

    def _one_of(self, name: str, allowed: tuple[Any, ...]) -> None:
        value = getattr(self, name)
        if value not in allowed:
            raise _wrong(name, value, ", ".join(map(str, allowed)))

    @property
    def seconds(self) -> int:
        """Whole seconds of a recording."""
        return round(60 * self.minutes)

    @property
    def plan(self) -> ParadigmPlan:
        """The paradigm: as many whole trials as fit after the still start; 51 of them in nine minutes."""
        n_trials = int((self.seconds - self.still_s) // ParadigmPlan().trial_s)
        return ParadigmPlan(still_s=self.still_s, n_trials=n_trials)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def _wrong(name: str, value: object, expected: str) -> SynthError:
    option = "--" + name.replace("_", "-")
    message = f"A simulated cohort with {name} {value} cannot be made; expected {expected}."
    return SynthError(message, subject=name, remedy=f"Choose {option} within that.")
