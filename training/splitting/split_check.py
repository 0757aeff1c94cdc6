"""What makes folds a split: the parts share nobody, everybody is judged once, both outcomes are everywhere (law 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from training.errors import SplitError
from training.splitting.dealing import STRATA, limited_to, require_outcomes

if TYPE_CHECKING:
    from training.splitting.splits import Fold, Splits

#: What both ways out of splits that do not fit end in.
ANEW = "delete splits.json to deal anew; figures of older runs then no longer compare"
MEND = f"Restore the file as it was written, or {ANEW}."
_OUTCOMES = ((True, "good"), (False, "poor"))


def check(splits: Splits) -> None:
    """Refuse splits that are none.

    Raises
    ------
    SplitError
        If two parts of a fold share a patient, a part has one outcome among those it is dealt by, a patient is
        unknown or in no part, or a patient is tested twice or never within a repeat; if folds or strata are missing or
        have other names than their own; if the paper's exported network is not that of its split.
    """
    if set(splits.strata) != set(STRATA.values()):
        raise _refusal(f"The strata are {', '.join(splits.strata) or 'none'}; expected {', '.join(STRATA.values())}.")
    for fold in (*splits.folds, splits.final):
        _check_fold(fold, splits)
    for repeat in range(1 + max((fold.repeat for fold in splits.folds), default=0)):
        _check_repeat(repeat, splits)


def check_scanned(splits: Splits) -> None:
    """Refuse parts in which the patients with a scan have one outcome; EEG is not asked for.

    Raises
    ------
    SplitError
        Names the part.
    """
    for fold in (*splits.folds, splits.final):
        for part, members in fold.parts().items():
            strata = limited_to(splits.strata, members)
            missing = [word for good, word in _OUTCOMES if not any(strata[STRATA[good, eeg]] for eeg in (True, False))]
            if missing and (fold is not splits.final or part != "test"):
                what = f"a {missing[0]} outcome and a scan that may be used"
                raise SplitError(
                    f"Part {part} of fold {fold.name} has no patient with {what}.",
                    subject=fold.name,
                    remedy="Add scans of such patients, or ask for fewer parts (split.folds).",
                )


def refuse(patients: Iterable[str], what: str) -> None:
    """Refuse patients by name; with none of them do nothing.

    Raises
    ------
    SplitError
        If there are any.
    """
    named = sorted(patients)
    if named:
        words = f"Patient {named[0]} is" if len(named) == 1 else f"Patients {', '.join(named)} are"
        raise SplitError(f"{words} {what}.", subject=named[0], remedy=MEND)


def _check_fold(fold: Fold, splits: Splits) -> None:
    final = fold is splits.final
    own = "final" if final else "paper" if splits.profile == "paper" else f"r{fold.repeat}f{fold.fold}"
    if fold.name != own:
        raise _refusal(f"A fold is called {fold.name!r}; expected {own!r}.")
    parts = fold.parts()
    for (one, members), (other, others) in combinations(parts.items(), 2):
        refuse(set(members) & set(others), f"in both {one} and {other} of fold {own}")
    dealt = [patient for members in parts.values() for patient in members]
    refuse(_twice(dealt), f"listed twice in fold {own}")
    refuse(set(dealt).difference(splits.patients), f"in fold {own} but not in the cohort")
    refuse(set(splits.patients).difference(dealt), f"in no part of fold {own}")
    for part, members in parts.items():
        if not final or part != "test":
            require_outcomes(limited_to(splits.strata, members), 1, f"part {part} of fold {own}", splits.by)


def _check_repeat(repeat: int, splits: Splits) -> None:
    folds = [fold for fold in splits.folds if fold.repeat == repeat]
    if splits.profile == "paper":
        if len(folds) != 1 or splits.final != replace(folds[0], name="final"):
            raise _refusal("The paper's profile has one fold, and its final network is that of the fold.")
        return
    tested = [patient for fold in folds for patient in fold.test]
    refuse(_twice(tested), f"tested twice in repeat {repeat}")
    refuse(set(splits.patients).difference(tested), f"never tested in repeat {repeat}")


def _twice(patients: Iterable[str]) -> set[str]:
    return {patient for patient, n in Counter(patients).items() if n > 1}


def _refusal(message: str) -> SplitError:
    return SplitError(message, remedy=MEND)
