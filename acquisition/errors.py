"""Every error of Flexion says what is wrong, with the value, and what to do about it (law 10).

The tree of this package; the other packages add their own branches below ``BadInput`` and ``BadEnvironment``::

    FlexionError                exit code 1
    ├── BadInput                exit code 3: a file, stream, channel, unit, name or bundle that does not fit
    │   ├── MontageError        a channel that the montage needs is missing, or a montage file is wrong
    │   ├── UnitError           a unit is unknown or unstated
    │   ├── RateError           a rate that is not the montage's
    │   ├── RecordingError      a recording or session folder that cannot be read
    │   ├── IdentityError       a patient, bed or session name that is not allowed
    │   ├── DecisionError       a decision that cannot be obeyed
    │   ├── StreamNotFound      no stream on the network fits
    │   ├── AmbiguousStream     more than one stream fits
    │   └── StreamRefused       the stream that was named does not fit the montage
    ├── BadEnvironment          exit code 4: a server, port, disk or library that this machine lacks
    │   └── DiskFull            the disk takes no more of the record
    ├── SequenceError           objects of the signal chain used out of order (a programming error)
    └── LostSource              an open source died; the link finds it again
"""

from __future__ import annotations


class FlexionError(Exception):
    """Base of every error that people read.

    Parameters
    ----------
    message : str
        What is wrong, with the value, and what was expected.
    subject : str
        The file, stream, channel or key that it is about.
    remedy : str
        What to do about it; one sentence, imperative.
    """

    exit_code = 1
    kind = "error"

    def __init__(self, message: str, *, subject: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def as_refusal(self) -> dict[str, str]:
        """Return the ``error`` object of the command line's JSON."""
        return {"kind": self.kind, "subject": self.subject, "message": self.message, "remedy": self.remedy}


class BadInput(FlexionError):
    """Something that was given does not fit."""

    exit_code = 3
    kind = "bad_input"


class BadEnvironment(FlexionError):
    """The machine lacks something."""

    exit_code = 4
    kind = "environment"


class MontageError(BadInput):
    """A channel that the montage needs is missing, or a montage file is wrong."""

    kind = "montage"


class UnitError(BadInput):
    """A unit is unknown or unstated."""

    kind = "unit"


class RateError(BadInput):
    """A sampling rate that is not the montage's."""

    kind = "rate"


class RecordingError(BadInput):
    """A recording or session folder that cannot be read."""

    kind = "recording"


class IdentityError(BadInput):
    """A patient, bed or session name that is not allowed."""

    kind = "identity"


class DecisionError(BadInput):
    """A decision that cannot be obeyed."""

    kind = "decision"


class StreamNotFound(BadInput):
    """No stream on the network fits."""

    kind = "stream_not_found"


class AmbiguousStream(BadInput):
    """More than one stream fits."""

    kind = "stream_ambiguous"


class StreamRefused(BadInput):
    """The stream that was named does not fit the montage."""

    kind = "stream_refused"


class DiskFull(BadEnvironment):
    """The disk takes no more of the record: full, over its quota, or failing."""

    kind = "disk"


class SequenceError(FlexionError):
    """Objects of the signal chain were used out of order."""

    kind = "sequence"


class LostSource(FlexionError):
    """An open source died."""

    kind = "source_lost"
