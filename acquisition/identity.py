"""Names of patients, beds and sessions: pseudonyms that are safe in paths and keys, and ids that sort by time."""

from __future__ import annotations

import re
import secrets
import time

from acquisition.errors import IdentityError

#: Letters, digits and hyphens; at most 32, so that a name fits every key, path and screen.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}")
#: Crockford's base 32: no I, L, O, U, so that an id can be read aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: A ULID: 26 digits of 5 bits, the first no more than 7 (128 bits in 130).
_SESSION = re.compile(f"[0-7][{_ALPHABET}]{{25}}")
#: Random bits of a session id, below its 48 bits of milliseconds.
_RANDOM_BITS = 80


def check_name(what: str, text: str) -> str:
    """Return the name of a patient or bed if it is allowed.

    Parameters
    ----------
    what : str
        ``"patient"`` or ``"bed"``, for the message.
    text : str
        The name.

    Raises
    ------
    IdentityError
        If it is not 1 to 32 letters, digits and hyphens that begin with a letter or digit.
    """
    if _NAME.fullmatch(text):
        return text
    message = f"{what} {text!r} is not allowed: expected 1 to 32 letters, digits and hyphens, no hyphen first."
    raise IdentityError(message, subject=what, remedy=f"Give the {what} a pseudonym such as P-017.")


def same_name(one: str, other: str) -> bool:
    """Tell whether two names mean the same patient or bed: case does not count."""
    return one.casefold() == other.casefold()


def new_session_id(utc_s: float | None = None) -> str:
    """Return a new ULID: milliseconds since 1970, then 80 random bits, in 26 digits that sort by time.

    Parameters
    ----------
    utc_s : float, optional
        Seconds since 1970; now where left out.
    """
    moment_ms = int((time.time() if utc_s is None else utc_s) * 1000)
    value = moment_ms << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def is_session_id(text: str) -> bool:
    """Tell whether a text is the id of a session."""
    return _SESSION.fullmatch(text) is not None


def check_session_id(text: str) -> str:
    """Return the id of a session if it is one.

    Raises
    ------
    IdentityError
        If it is not a ULID; nothing else may become part of a path or key.
    """
    if is_session_id(text):
        return text
    message = f"session {text!r} is not an id: expected 26 characters of 0-9 and A-Z without I, L, O, U."
    raise IdentityError(message, subject="session", remedy="List the sessions with `flexion sessions list`.")
