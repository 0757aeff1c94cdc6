"""The streams of a network: which montages each fits, and which two fit one together (law 10)."""

from __future__ import annotations

import json
import uuid
from contextlib import ExitStack

import pytest

from acquisition.discovery import StreamInfo
from acquisition.montage import load_montage
from acquisition.outlet import OutletSpec, SignalOutlet
from deploy.network import describe_network, pair_words
from deploy.settings import SessionSettings

AMP16 = load_montage("amp16")
EEG_LABELS, EMG_LABELS = AMP16.labels[:10], AMP16.labels[10:]


def info(name: str, labels: tuple[str, ...], unit: str | None = "uV") -> StreamInfo:
    """Return a stream with these channels."""
    return StreamInfo(
        name, "EEG", name.lower(), "pc", f"u-{name}", len(labels), 1000.0, "float32", labels, (unit,) * len(labels)
    )


def test_each_stream_says_what_it_fits() -> None:
    """Every built-in montage is tried; where one stream fits, no pair is shown for it."""
    found = describe_network([info("Whole", AMP16.labels), info("Emg", EMG_LABELS)], SessionSettings())
    assert {stream["name"]: stream["fits"] for stream in found["streams"]} == {"Whole": ["amp16"], "Emg": []}
    assert found["pairs"] == []
    whole, emg = (stream["refused"] for stream in found["streams"])
    assert whole is None and "C3" in emg


def test_two_that_fit_together_are_shown() -> None:
    """With what the second one gives, the unit that was given included; three amplifiers may make two pairs."""
    streams = [info("Eeg", EEG_LABELS), info("Emg", EMG_LABELS), info("Other", EMG_LABELS, None)]
    (pair,) = describe_network(streams, SessionSettings())["pairs"]
    assert (pair["montage"], pair["signal"]["source_id"], pair["partner"]["source_id"]) == ("amp16", "eeg", "emg")
    assert pair["channels"] == list(EMG_LABELS)
    assert len(describe_network(streams, SessionSettings(unit="mV"))["pairs"]) == 2


def test_a_montage_of_one_s_own_is_tried_too(tmp_path) -> None:
    """As `live` would."""
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\nrate_hz = 1000.0\n[[channels]]\nlabel = "RF"\nkind = "emg"\n')
    (stream,) = describe_network([info("Emg", EMG_LABELS)], SessionSettings(montage=str(own)))["streams"]
    assert stream["fits"] == ["own"]


def test_a_pair_is_said_in_a_sentence() -> None:
    """Which counts the samples, and what the other is for; of one stream there is nothing to say."""
    first = {"name": "Eeg", "source_id": "e-1", "hostname": "pc"}
    second = {"name": "Emg", "source_id": "m-1", "hostname": "pc2", "channels": ["RF", "VM"]}
    assert pair_words({"kind": "lsl", **first}) == ""
    assert pair_words({"kind": "lsl", **first, "partner": second}) == (
        "Two streams together: 'Eeg' on pc (e-1), whose samples count, and 'Emg' on pc2 (m-1) for RF, VM."
    )


@pytest.fixture
def amplifiers():
    """Offer an EEG and an EMG stream; return their source_ids."""
    ids = uuid.uuid4().hex, uuid.uuid4().hex
    with ExitStack() as stack:
        for source_id, labels in zip(ids, (EEG_LABELS, EMG_LABELS), strict=True):
            spec = OutletSpec("Half", source_id, labels, ("eeg",) * len(labels), ("uV",) * len(labels), 1000.0)
            stack.enter_context(SignalOutlet(spec))
        yield ids


def test_the_command_shows_streams_and_pairs(flexion, amplifiers) -> None:
    """For people as two tables, for machines as one object."""
    done = flexion("streams", "--wait", "5", "--json")
    assert done.returncode == 0, done.stderr
    ids = [(pair["signal"]["source_id"], pair["partner"]["source_id"]) for pair in json.loads(done.stdout)["pairs"]]
    assert amplifiers in ids
    shown = flexion("streams", "--wait", "5").stdout
    assert "Two streams together" in shown and "--partner-source-id" in shown and amplifiers[1] in shown
