"""Reading: what the user says about a recording that leaves it open, so that every process reads the same one (law 1).

It travels with the session: ``session.json`` holds it beside the file's path, and player and bridge read it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from acquisition.chain import ChainSpec
from acquisition.formats.text_rows import AS_FOUND, Dialect
from acquisition.montage import Binding, Montage
from acquisition.recording import Recording, bind_recording, read_recording
from acquisition.tape import DecisionsFile, open_decisions

#: Where it stands in the ``source`` of a session.
KEY = "reading"


@dataclass(frozen=True)
class Reading:
    """The user's word about one recording.

    Attributes
    ----------
    rate_hz : float, optional
        Of a table that states none.
    labels : tuple of str
        Of the columns, where the file names none; empty leaves them as they are.
    stream : str, optional
        Name or number of the signal's stream, where several could be it.
    resample : bool
        Whether a recording at another rate is brought to the montage's.
    counter : str, optional
        Label of the column that counts samples, and where it begins again: ``index:256``.
    dialect : Dialect
        How a table is written.
    """

    rate_hz: float | None = None
    labels: tuple[str, ...] = ()
    stream: str | None = None
    resample: bool = False
    counter: str | None = None
    dialect: Dialect = AS_FOUND

    @classmethod
    def of(cls, source: Mapping[str, Any] | None) -> Self:
        """Return what a session's source says about its recording."""
        values = (source or {}).get(KEY) or {}
        dialect = Dialect(**values.get("dialect", {}))
        return cls(**{**values, "labels": tuple(values.get("labels", ())), "dialect": dialect})

    def in_source(self) -> dict[str, Any]:
        """Return what goes into a session's source: nothing where nothing was said."""
        return {} if self == AS_IT_IS else {KEY: {**asdict(self), "labels": list(self.labels)}}

    @property
    def said(self) -> dict[str, Any]:
        """What ``read_recording`` and ``read_streams`` take of it."""
        labels = self.labels or None
        return {"rate_hz": self.rate_hz, "labels": labels, "stream": self.stream, "dialect": self.dialect}

    @property
    def counts(self) -> tuple[str, int | None] | None:
        """Label of the column that counts samples, and the count at which it begins again."""
        if self.counter is None:
            return None
        label, colon, modulo = self.counter.rpartition(":")
        if colon and modulo.isascii() and modulo.isdigit():
            return label, int(modulo[:9])
        return self.counter, None

    def counted(self, montage: Montage) -> Montage:
        """Return the montage with the sample counter that the user names, if any.

        Raises
        ------
        MontageError
            If it begins again at less than 2.
        """
        if self.counts is None:
            return montage
        label, modulo = self.counts
        return replace(montage, counter=label, counter_modulo=modulo)

    def open(self, path: Path, montage: Montage, unit: str | None) -> tuple[Recording, Binding]:
        """Read the signal of a file, and how its columns become the montage's channels.

        Raises
        ------
        RecordingError, MontageError, UnitError, RateError
            If it cannot be read or does not fit.
        """
        recording = read_recording(path, unit=unit, montage=montage, **self.said)
        binding = bind_recording(recording, montage, unit=unit, resample=self.resample)
        if self.resample:
            from acquisition.resampling import resample  # scipy.signal: not for whoever reads at the montage's rate

            recording = resample(recording, montage, binding)
        return recording, binding


#: Nothing is said about it.
AS_IT_IS = Reading()


def told(recording: Recording) -> Iterator[str]:
    """Yield what people must know about a recording: what it left open, what could not be read."""
    name = f"{recording.path.name}: "
    for sentence in (*recording.assumed, *recording.problems):
        yield name + sentence.removeprefix(name)


def decided(recording: Recording, montage: Montage, binding: Binding, mains_hz: float) -> DecisionsFile:
    """Return the decisions on a foreign recording; a calibration among them holds for this conditioning alone."""
    conditioning = f"{ChainSpec().fingerprint} at {mains_hz:g} Hz"
    return open_decisions(recording, montage, binding, conditioning=conditioning)
