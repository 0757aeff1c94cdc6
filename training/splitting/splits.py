"""Splits: each patient belongs to one part of a fold, and the parts share nobody (law 9).

One ``splits.json`` per cohort, by patient identifier alone, so that a patient is in the same part for EEG and for
fMRI. It holds both profiles, is written once and read ever after:

- ``nested``: repeats of stratified folds over patients; an inner split of those not tested stops the training.
- ``paper``: the one split of the paper, 71 patients train, 15 stop, 16 test (60, 13 and 13 of them with EEG).

Where too few patients have EEG for every part to have both outcomes among them, and scans alone are asked about,
patients are dealt by outcome alone. Such splits say so, and no signal is trained on with them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from acquisition.durable import make_folder, replace_file
from training.errors import SplitError
from training.file_lock import locked
from training.splitting.dealing import STRATA, By, Strata, deal, limited_to, merged, require_outcomes, strata_of
from training.splitting.split_check import ANEW, MEND, check, check_scanned, refuse

if TYPE_CHECKING:
    from training.cohort.cohort import Cohort
    from training.cohort.participants import Participant

Profile = Literal["nested", "paper"]
SCHEMA = "flexion.splits/1"
FILE_NAME = "splits.json"
#: A file holds at least so many repeats, so that a quick run with one does not bind later ones.
LEAST_REPEATS = 5
#: Folder below the cohort for what may be deleted at any time.
DERIVATIVES = Path("derivatives", "flexion")
#: The paper's 102 patients, to train, stop and test: 86 with EEG and 16 without.
PAPER_WITH_EEG, PAPER_WITHOUT_EEG = (60, 13, 13), (11, 2, 3)
#: Purposes of random numbers, beside the seed and the repeat and fold they are for.
_OUTER, _INNER, _FINAL, _PAPER = range(4)


@dataclass(frozen=True)
class Fold:
    """Which patients train a network, which stop its training, and which judge it; sorted identifiers.

    The fold ``final`` makes the network that is exported; in profile ``nested`` nobody is left to judge it.
    """

    name: str
    repeat: int
    fold: int
    train: tuple[str, ...]
    stop: tuple[str, ...]
    test: tuple[str, ...]

    def parts(self) -> dict[str, tuple[str, ...]]:
        """Return the three parts by name."""
        return {"train": self.train, "stop": self.stop, "test": self.test}


@dataclass(frozen=True)
class Splits:
    """Every fold of a profile.

    Parameters
    ----------
    profile : {"nested", "paper"}
        How the patients were dealt.
    seed : int
        Of the dealing.
    cohort_sha256 : str
        Of the cohort that was dealt: identifiers, outcomes, who has EEG.
    folds : tuple of Fold
        In order of repeat and fold.
    final : Fold
        For the network that is exported.
    strata : mapping of str to tuple of str
        Patients by outcome and EEG; see :data:`training.splitting.dealing.STRATA`.
    unlabelled : tuple of str
        Patients that were left out since their outcome is not known.
    by : {"outcome and EEG", "outcome"}
        What was spread evenly over the parts; by outcome alone where too few patients have EEG.
    """

    profile: Profile
    seed: int
    cohort_sha256: str
    folds: tuple[Fold, ...]
    final: Fold
    strata: Strata
    unlabelled: tuple[str, ...] = ()
    by: By = "outcome and EEG"

    @property
    def patients(self) -> tuple[str, ...]:
        """Everybody who was dealt, sorted."""
        return tuple(sorted(patient for members in self.strata.values() for patient in members))

    @property
    def exported(self) -> Fold:
        """The fold whose network leaves: in profile ``paper`` the only one, which is judged too."""
        return self.final if self.profile == "nested" else self.folds[0]

    @property
    def networks(self) -> tuple[Fold, ...]:
        """Every fold that is trained, in this order, none of them twice."""
        return (*self.folds, self.final) if self.profile == "nested" else self.folds

    def with_eeg(self, ids: Iterable[str]) -> Splits:
        """Return the same folds with the patients of `ids` alone, each in the part where it was.

        Raises
        ------
        SplitError
            If somebody of `ids` was not dealt, or a part is left with one outcome.
        """
        limited = replace(self._limited_to(ids), by="outcome and EEG")
        limited.check()
        return limited

    def with_scans(self, ids: Iterable[str]) -> Splits:
        """Return the same folds with the patients of `ids` alone, each in the part where it was; EEG is not asked for.

        Raises
        ------
        SplitError
            If somebody of `ids` was not dealt, or a part is left with one outcome.
        """
        limited = self._limited_to(ids)
        check_scanned(limited)
        return limited

    def _limited_to(self, ids: Iterable[str]) -> Splits:
        kept = set(ids)
        refuse(kept.difference(self.patients), "in no split")
        folds = tuple(_fold_limited_to(fold, kept) for fold in self.folds)
        final = _fold_limited_to(self.final, kept)
        return replace(self, folds=folds, final=final, strata=limited_to(self.strata, kept))

    def check(self) -> None:
        """Refuse splits that are none; see :func:`training.splitting.split_check.check`.

        Raises
        ------
        SplitError
            If they are not.
        """
        check(self)

    def to_json(self) -> dict[str, Any]:
        """Return a document that :func:`read_splits` takes."""
        own: dict[str, Any] = {"folds": [asdict(f) for f in self.folds], "final": asdict(self.final)}
        if self.by == "outcome":
            own["by"] = self.by
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "cohort_sha256": self.cohort_sha256,
            "unlabelled": self.unlabelled,
            "strata": self.strata,
            "profiles": {self.profile: own},
        }


def nested(
    participants: Iterable[Participant],
    seed: int,
    repeats: int = 5,
    folds: int = 5,
    inner: float = 0.2,
    *,
    cohort_sha256: str = "",
    by: By = "outcome and EEG",
) -> Splits:
    """Deal patients into repeated stratified folds.

    Parameters
    ----------
    participants : iterable of Participant
        In any order; those without an outcome are left out.
    seed : int
        Of the dealing.
    repeats, folds : int
        So many dealings, each into so many test sets.
    inner : float
        Share of the patients that are not tested which stops the training.
    cohort_sha256 : str
        Kept with the splits.
    by : {"outcome and EEG", "outcome"}
        What is spread evenly over the parts.

    Raises
    ------
    SplitError
        If some part would lack an outcome: among its patients with EEG, or by outcome alone among all.
    """
    participants = tuple(participants)
    strata = strata_of(participants)
    require_outcomes(strata, folds, f"{folds} folds", by)
    dealt = tuple(
        _nested_fold(strata, test, (seed, repeat, fold), inner, by)
        for repeat in range(repeats)
        for fold, test in enumerate(_test_sets(merged(strata, by), folds, [seed, repeat, _OUTER]))
    )
    shares = (1 - inner, inner)
    train, stop = deal(strata, shares, shares, (seed, _FINAL), by)
    final = Fold("final", 0, 0, train, stop, ())
    return _checked(Splits("nested", seed, cohort_sha256, dealt, final, strata, _unlabelled(participants), by))


def paper(
    participants: Iterable[Participant], seed: int, *, cohort_sha256: str = "", by: By = "outcome and EEG"
) -> Splits:
    """Deal patients as the paper did: 60, 13 and 13 of 86 with EEG, 11, 2 and 3 of 16 without, in proportion.

    Its last fold is its only one: the same patients train and stop. By outcome alone 71, 15 and 16 of 102, in
    proportion.

    Raises
    ------
    SplitError
        If some part would lack an outcome: among its patients with EEG, or by outcome alone among all.
    """
    participants = tuple(participants)
    strata = strata_of(participants)
    fold = Fold("paper", 0, 0, *deal(strata, PAPER_WITH_EEG, PAPER_WITHOUT_EEG, (seed, _PAPER), by))
    final = replace(fold, name="final")
    return _checked(Splits("paper", seed, cohort_sha256, (fold,), final, strata, _unlabelled(participants), by))


def dealt_for(way: Callable[[By], Splits], needs_eeg: bool) -> Splits:
    """Return splits by outcome and EEG; where EEG is not needed and too few have it, by outcome alone.

    Parameters
    ----------
    way : callable
        Deals by what it is given.
    needs_eeg : bool
        Whether a signal is to be trained on.

    Raises
    ------
    SplitError
        If patients cannot be dealt so.
    """
    try:
        return way("outcome and EEG")
    except SplitError:
        if needs_eeg:
            raise
    return way("outcome")


def splits_of(
    cohort: Cohort,
    profile: Profile,
    seed: int,
    repeats: int = 5,
    folds: int = 5,
    inner: float = 0.2,
    *,
    needs_eeg: bool = True,
) -> Splits:
    """Return the splits of a cohort: those of its ``splits.json``, which the first call writes for all later ones.

    Fewer repeats than the file holds are its first ones. Where EEG is not needed, and too few patients have it, they
    are dealt by outcome alone.

    Raises
    ------
    SplitError
        If the file is no such file, belongs to another cohort or was dealt with other settings, or its parts do not
        check; if there is no file and the patients cannot be dealt; if EEG is needed and they were dealt without it.
    BadEnvironment
        If the file cannot be written.
    """
    path = cohort.folder / FILE_NAME
    settings = {"seed": seed, "repeats": max(repeats, LEAST_REPEATS), "folds": folds, "inner": inner}
    if not path.exists():
        _write_once(path, lambda: _both_profiles(cohort, profile, settings, needs_eeg))
    document = _document(path)
    _refuse_other_cohort(path, document, cohort)
    _refuse_other_settings(path, document, _asked(profile, seed, folds, inner))
    splits = read_splits(path, profile)
    if dict(splits.strata) != strata_of(cohort.participants):
        raise SplitError(f"{path} has other strata than the cohort.", subject=str(path), remedy=MEND)
    if needs_eeg and splits.by == "outcome":
        raise _without_eeg(path, splits)
    return splits if profile == "paper" else _first(splits, repeats, path)


def check_dealt(folder: Path, profile: Profile, seed: int, folds: int = 5, inner: float = 0.2) -> None:
    """Refuse settings with which a cohort was not dealt; one that was not dealt yet takes any.

    Raises
    ------
    SplitError
        If the cohort's ``splits.json`` is no such file, or was dealt with other settings.
    """
    path = folder / FILE_NAME
    if path.exists():
        _refuse_other_settings(path, _document(path), _asked(profile, seed, folds, inner))


def _asked(profile: Profile, seed: int, folds: int, inner: float) -> dict[str, float]:
    """Return the settings that a profile's splits depend on."""
    return {"seed": seed} if profile == "paper" else {"seed": seed, "folds": folds, "inner": inner}


def read_splits(path: Path, profile: Profile | None = None) -> Splits:
    """Read stored splits and check them.

    Parameters
    ----------
    path : Path
        ``splits.json`` of a cohort or of a run.
    profile : {"nested", "paper"}, optional
        Needed where the file holds both.

    Raises
    ------
    SplitError
        If it is no such file, lacks the profile, or its parts do not check.
    """
    document = _document(path)
    profiles = document["profiles"]
    name = profile or next(iter(profiles), "nested")
    if name not in profiles:
        held = ", ".join(profiles) or "none"
        message = f"{path} holds no profile {name!r} (it holds {held}): the cohort is too small for it."
        raise SplitError(message, subject=str(path), remedy=MEND)
    if not isinstance(profiles[name], dict):
        raise _no_splits(path, f"its profile {name!r} is no object")
    values = {key: document.get(key) for key in ("seed", "cohort_sha256", "unlabelled", "strata")}
    try:
        splits = TypeAdapter(Splits).validate_python({"profile": name, **values, **profiles[name]})
        splits.check()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _no_splits(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except SplitError as error:
        raise SplitError(f"{path}: {error.message}", subject=str(path), remedy=error.remedy) from error
    return splits


def _nested_fold(strata: Strata, test: Sequence[str], key: tuple[int, int, int], inner: float, by: By) -> Fold:
    seed, repeat, fold = key
    others = {patient for members in strata.values() for patient in members}.difference(test)
    shares = (1 - inner, inner)
    train, stop = deal(limited_to(strata, others), shares, shares, (seed, repeat, _INNER, fold), by)
    return Fold(f"r{repeat}f{fold}", repeat, fold, train, stop, tuple(test))


def _test_sets(strata: Strata, folds: int, seed: list[int]) -> list[tuple[str, ...]]:
    """Return the patients of each test set, sorted; every patient in exactly one."""
    from sklearn.model_selection import StratifiedKFold

    stratum_of = {patient: name for name, members in strata.items() for patient in members}
    patients = sorted(stratum_of)
    dealer = StratifiedKFold(folds, shuffle=True, random_state=np.random.RandomState(seed))
    with warnings.catch_warnings():
        # A stratum without EEG may be smaller than the number of folds; those with EEG were counted before.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        positions = [test for _, test in dealer.split(patients, [stratum_of[patient] for patient in patients])]
    return [tuple(patients[i] for i in test) for test in positions]


def _fold_limited_to(fold: Fold, kept: set[str]) -> Fold:
    train, stop, test = (tuple(p for p in members if p in kept) for members in fold.parts().values())
    return replace(fold, train=train, stop=stop, test=test)


def _unlabelled(participants: Iterable[Participant]) -> tuple[str, ...]:
    return tuple(sorted(participant.id for participant in participants if participant.good is None))


def _checked(splits: Splits) -> Splits:
    splits.check()
    return splits


def _write_once(path: Path, content: Callable[[], dict[str, Any]]) -> None:
    """Write the file unless it is there; of several writers the first one's stays."""
    make_folder(path.parent / DERIVATIVES)
    with locked(path.parent / DERIVATIVES / "splits.lock"):
        if not path.exists():
            replace_file(path, (json.dumps(content(), indent=1) + "\n").encode())


def _both_profiles(cohort: Cohort, asked: Profile, settings: Mapping[str, Any], needs_eeg: bool) -> dict[str, Any]:
    """Return the whole document; a profile that the cohort is too small for is left out unless it was asked for."""
    sha256, seed = cohort.sha256, settings["seed"]
    ways: dict[Profile, Callable[[By], Splits]] = {
        "nested": lambda by: nested(cohort.participants, **settings, cohort_sha256=sha256, by=by),
        "paper": lambda by: paper(cohort.participants, seed, cohort_sha256=sha256, by=by),
    }
    splits = dealt_for(ways[asked], needs_eeg)
    document = splits.to_json()
    for profile in ways.keys() - {asked}:
        with suppress(SplitError):
            other = dealt_for(ways[profile], needs_eeg=splits.by == "outcome and EEG")
            document["profiles"] |= other.to_json()["profiles"]
    return {**document, "settings": dict(settings)}


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _no_splits(path, "there is no such file") from error
    except (OSError, ValueError) as error:
        raise _no_splits(path, str(error)) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _no_splits(path, f"its schema is not {SCHEMA}")
    if not isinstance(document.get("profiles"), dict):
        raise _no_splits(path, "it has no profiles")
    return document


def _no_splits(path: Path, why: str) -> SplitError:
    return SplitError(f"{path} cannot be read as splits: {why}.", subject=str(path), remedy=MEND)


def _refuse_other_cohort(path: Path, document: Mapping[str, Any], cohort: Cohort) -> None:
    if document.get("cohort_sha256") != cohort.sha256:
        raise SplitError(
            f"The cohort has changed since {path} was written: its patients, outcomes or who has EEG are others.",
            subject=str(path),
            remedy=f"Restore participants.tsv, or {ANEW}.",
        )


def _refuse_other_settings(path: Path, document: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    stored = document.get("settings") or {}
    for key, value in asked.items():
        if stored.get(key) != value:
            raise SplitError(
                f"{path} was dealt with {key} {stored.get(key)}, not {value}.",
                subject=str(path),
                remedy=f"Set split.{key} to {stored.get(key)}, or {ANEW}.",
            )


def _without_eeg(path: Path, splits: Splits) -> SplitError:
    good, poor = (len(splits.strata[STRATA[outcome, True]]) for outcome in (True, False))
    message = f"{path} was dealt by outcome alone, since too few patients have EEG: {good} with a good outcome and "
    message += f"{poor} with a poor one. A network of EEG and EMG needs both in every part."
    return SplitError(message, subject=str(path), remedy=f"Add patients with EEG, and {ANEW}.")


def _first(splits: Splits, repeats: int, path: Path) -> Splits:
    held = 1 + max(fold.repeat for fold in splits.folds)
    if held < repeats:
        message = f"{path} holds {held} repeats, fewer than {repeats}."
        raise SplitError(message, subject=str(path), remedy=f"Set split.repeats to at most {held}, or {ANEW}.")
    return replace(splits, folds=tuple(fold for fold in splits.folds if fold.repeat < repeats))
