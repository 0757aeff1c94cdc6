"""What is wrong with a patient's recording: whether it opens, and whether its signal is what it says (law 10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from acquisition.errors import FlexionError, MontageError, RateError, UnitError
from acquisition.montage import Montage
from training.audit.findings import Finding, Level
from training.audit.inclusion import named
from training.audit.mains import LINES_HZ
from training.audit.seen import Seen
from training.cohort.cohort import DESCRIPTION
from training.cohort.opening import SPEC, Opened
from training.cohort.places import Place

#: The paper's recordings are so long, in s; less than so much of it is told.
PAPER_S, SHORT = 540.0, 0.9
#: Share of samples that are no number, or were lost, from which it is told, and from which it is refused.
TOLD, REFUSED = 0.001, 0.2
#: Standard deviation within a second, in µV: the low end is below any amplifier's noise at a living electrode, the high
#: end above any EEG and any surface EMG. Each is a factor of 10 or more from what real recordings have.
SIZE_UV = {"eeg": (0.2, 2000.0), "emg": (0.2, 10000.0)}
#: What real recordings mostly have, to guess the unit that was meant.
TYPICAL_UV = {"eeg": 20.0, "emg": 50.0}
#: A channel that is flat for so much of a recording measured nothing.
DEAD = 0.5
#: A session's folder states everything itself, and was conditioned so at the bedside.
_AS_RECORDED = "Take the session out of the cohort: it was recorded with the wrong setting."
#: Makes a finding about the recording in hand: level, check, what is wrong, remedy.
_Found = Callable[[Level, str, str, str], Finding]
#: The unit that was meant and the one that was read, by the power of ten between the two.
_MEANT = {6: ("V", "µV"), 3: ("mV", "µV"), -3: ("µV", "mV"), -6: ("µV", "V")}


def refusal(place: Place, name: str, error: FlexionError) -> Finding:
    """Return the finding about a recording that cannot be opened: its error's own words, and where to mend it."""
    beside = place.path.with_suffix(".json").name
    remedies: dict[type[FlexionError], str] = {
        UnitError: f'Write the unit into {beside}: "Unit": "uV".',
        RateError: f'Mend "SamplingFrequency" in {beside}, or write "Resample": true there.',
        MontageError: f'Name the channels so in the file (of a table: "Labels" in {beside}), or give {DESCRIPTION} '
        "another montage.",
    }
    remedy = error.remedy if place.is_session else remedies.get(type(error), error.remedy)
    return Finding("error", error.kind, place.patient, name, error.message, remedy)


def signal_findings(place: Place, name: str, opened: Opened, seen: Seen) -> Iterator[Finding]:
    """Yield what is wrong with the signal of a recording.

    Parameters
    ----------
    place : Place
    name : str
        What the file is called in findings.
    opened : Opened
    seen : Seen
        Of all its samples.
    """

    def found(level: Level, check: str, what: str, remedy: str) -> Finding:
        return Finding(level, check, place.patient, name, what, remedy)

    least_s = (SPEC.window.settling + SPEC.window.n_samples) / seen.rate_hz
    if seen.seconds < least_s:
        what = f"It is {seen.seconds:.1f} s long; {least_s:g} s make the first window."
        yield found("error", "length", what, "Take a longer recording, or take this one out of the folder.")
    elif seen.seconds < SHORT * PAPER_S:
        yield found("warning", "length", f"It is {seen.seconds:.0f} s long; the paper's are {PAPER_S:.0f} s.", "")
    yield from _holes(found, opened.montage, seen)
    yield from _sizes(found, place, opened.montage, seen)
    yield from _mains(found, place, opened, seen)


def _holes(found: _Found, montage: Montage, seen: Seen) -> Iterator[Finding]:
    worst = int(np.argmax(seen.nan_share))
    share = float(seen.nan_share.mean())
    if seen.nan_share[worst] > TOLD:
        what = f"{share:.1%} of its samples are no number, {seen.nan_share[worst]:.1%} in {montage.labels[worst]}."
        yield found("error" if share > REFUSED else "warning", "nan", what, "Export it again, or leave it out.")
    lost = seen.n_lost / max(1, seen.n_lost + seen.n_samples)
    if lost > TOLD:
        level: Level = "error" if lost > 1 - REFUSED else "warning" if lost > REFUSED else "note"
        yield found(level, "lost", f"{lost:.1%} of its samples were lost; no window spans a hole.", "")
    dead = [label for label, flat in zip(montage.labels, seen.flat_share, strict=True) if flat > DEAD]
    if 0 < len(dead) < montage.n_channels:
        yield found("warning", "flat", f"Channels that measured nothing for most of the time: {named(dead)}.", "")


def _sizes(found: _Found, place: Place, montage: Montage, seen: Seen) -> Iterator[Finding]:
    """Yield the kinds of channel whose size no electrode has: a unit that is not the file's."""
    for kind in dict.fromkeys(montage.kinds):
        columns = [column for column, own in enumerate(montage.kinds) if own == kind]
        sizes = (seen.working_uv if kind == "emg" else seen.size_uv)[columns]
        sizes = sizes[np.isfinite(sizes)]
        if not len(sizes):
            continue
        size_uv, (low, high) = float(np.median(sizes)), SIZE_UV[kind]
        if low <= size_uv <= high:
            continue
        what = f"Its {kind.upper()} moves by {size_uv:.3g} µV within a second; expected {low:g} to {high:g} µV."
        power = 3 * round(np.log10(TYPICAL_UV[kind] / size_uv) / 3) if size_uv else 0
        if power in _MEANT:
            what += " It would fit if the numbers were {} where they are read as {}.".format(*_MEANT[power])
        remedy = "Mend the unit: in the file, in its _channels.tsv, or as Unit in its .json."
        yield found("error", "unit", what, _AS_RECORDED if place.is_session else remedy)


def _mains(found: _Found, place: Place, opened: Opened, seen: Seen) -> Iterator[Finding]:
    stated = f"{opened.mains_hz:g} Hz " + ("is stated" if place.mains_hz is not None else "is assumed, none is stated")
    if opened.mains_hz not in LINES_HZ:
        what = f"{stated} as its mains frequency; there are {LINES_HZ[0]:g} and {LINES_HZ[1]:g} Hz."
        remedy = "Mend PowerLineFrequency in its .json, or mains_hz in participants.tsv."
        yield found("error", "mains", what, _AS_RECORDED if place.is_session else remedy)
    elif seen.mains_hz is not None and seen.mains_hz != opened.mains_hz:
        what = f"Its mains line is at {seen.mains_hz:g} Hz; {stated}, and the notch would leave the line in."
        remedy = f'Write "PowerLineFrequency": {seen.mains_hz:g} into its .json, or mains_hz into participants.tsv.'
        yield found("error", "mains", what, _AS_RECORDED if place.is_session else remedy)
    elif seen.mains_hz is None and place.mains_hz is None:
        what = f"No mains line stands out in it; {stated}."
        yield found("note", "mains", what, "Write the mains frequency of its site into mains_hz.")
