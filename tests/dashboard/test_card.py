"""The card of a bed: what the ward is told of it."""

from typing import Any

from dashboard.card import BedCard, card_of, drawn_of
from dashboard.contact import Bedside, Contacts, contact_message
from dashboard.record import SessionRecord
from streaming.heartbeat import Beat
from streaming.sessions import SessionEntry

ENTRY = SessionEntry("S", "B4", "P-017", "live", "2026-11-22T12:00:00Z")
SESSION = {"labels": ["C3", "RF"], "kinds": ["eeg", "emg"], "origin": "live", "bundles": {"eeg_emg": None}}


def card(record: SessionRecord, **info: Any) -> BedCard:
    """Return the card of a bed whose bridge says this."""
    contacts = Contacts(0.0)
    contacts.heard(Beat("bridge", "S", "S", "host", 1, 0.0, 0, info), 1.0)
    bedside = Bedside(session="S", closed_utc=None, since_s=0.0, progress_age_s=4.0, made=1, done=1)
    return card_of(ENTRY, record, contact_message(contacts, bedside, 3.0), wave_key=7)


def test_a_card_says_what_the_bridge_and_the_aggregator_say() -> None:
    """Quality in the order of the channels, the phase, the newest segment, the state with its ages."""
    record = SessionRecord()
    record.add("session", SESSION | {"bundles": {"eeg_emg": {"origin": "synthetic"}}})
    record.add("segment", {"segment": 0, "first_sample": 0})
    record.add("segment", {"segment": 1, "first_sample": 9000})
    record.add("outcome", {"state": "PARTIAL", "probability": 0.6, "interval": [0.5, 0.7], "modalities": ["eeg_emg"]})
    found = card(record, state="LIVE", quality={"RF": 0.2, "C3": 1.0}, phase="flexion", trial=3, recorded=False)
    assert (found.quality, found.phase, found.trial, found.segment_first) == ([1.0, 0.2], "flexion", 3, 9000)
    assert (found.state, found.probability, found.modalities, found.synthetic) == ("PARTIAL", 0.6, ["eeg_emg"], True)
    assert (found.recorded, found.scored, found.wave_key, found.progress_age_s) == (False, True, 7, 4.0)
    assert found.contact_age_s == 3.0  # the scorer was never heard
    assert found.bridge_age_s < found.contact_age_s


def test_a_card_before_anything_was_said_and_of_a_session_without_a_model() -> None:
    """Nothing is claimed: no channel, no state; what is bound to no model is not scored."""
    record = SessionRecord()
    found = card(record)
    assert (found.labels, found.quality, found.state, found.scored) == ([], [], None, True)
    record.add("session", SESSION)
    assert card(record).scored is False


def test_a_session_of_the_wrong_patient_shows_no_number() -> None:
    """It is nobody's result: the ward says so in the state's place."""
    record = SessionRecord()
    record.add("session", SESSION | {"entered_in_error": True})
    record.add("outcome", {"state": "READY", "probability": 0.6, "interval": [0.5, 0.7]})
    assert (card(record).state, card(record).probability, card(record).interval) == ("IN_ERROR", None, None)


def test_what_is_drawn_is_the_same_in_every_session_of_a_montage() -> None:
    """Known channels where there are; else two of each kind, and of one kind alone the first four."""
    assert drawn_of(["E1", "E2", "E3", "E4", "E5"], ["eeg"] * 5) == [0, 1, 2, 3]
    assert drawn_of(["E1", "E2", "E3", "M1"], ["eeg"] * 3 + ["emg"]) == [0, 1, 2, 3]
    assert drawn_of(["M1", "M2", "M3", "E1", "E2", "E3"], ["emg"] * 3 + ["eeg"] * 3) == [0, 1, 3, 4]
    assert drawn_of(["one"], ["eeg"]) == [0]
    assert drawn_of([], []) == []
