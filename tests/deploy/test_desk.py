"""Desk: commands for the supervisor, with real streams on loopback."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import Future
from contextlib import ExitStack

import pytest

from acquisition.errors import IdentityError
from acquisition.montage import load_montage
from acquisition.outlet import OutletSpec, SignalOutlet
from deploy.desk import Desk
from deploy.occupancy import cues_of
from inference.building import rewritten
from streaming.control import ANSWER_S, Command
from streaming.errors import NoAnswer

#: Looks until a command must have been answered: discovery takes up to 3 s.
LOOKS = 1000


class Counter:
    """A desk's other side: who was admitted, what was opened and corrected, and what was answered."""

    def __init__(self) -> None:
        self.admitted = []
        self.answers = []
        self.refusals = []
        self.opened = []
        self.corrected = []
        self.served = []
        self.closed = set()

    def answer(self, command, data) -> None:
        """Say that it was done."""
        self.answers.append((command.name, data))

    def refuse(self, command, error) -> None:
        """Say why not."""
        self.refusals.append(error)

    def taken(self, source_ids):
        """Return who has which stream."""
        return {source_id: {"session": "S", "bed": "B7"} for source_id in source_ids}

    def open_cues(self, bed, language) -> None:
        """Begin the cues."""
        cues_of(bed, []) if bed == "EMPTY" else self.opened.append((bed, language))

    def is_closed(self, session) -> bool:
        """Tell whether it has ended."""
        return session in self.closed

    def correct(self, session) -> None:
        """Mark it."""
        self.corrected.append(session)

    def serve(self, wanted):
        """Serve other bundles; here at once."""
        self.served.append(wanted)
        done = Future()
        done.set_result(wanted.models.to_json())
        return done

    def admit(self, info) -> None:
        """Begin a session."""
        if info.patient == "TAKEN":
            raise IdentityError("taken", subject="bed")
        self.admitted.append(info)


@pytest.fixture
def counter():
    """Return the other side."""
    return Counter()


@pytest.fixture
def ask(settings, models, counter):
    """Return a function that gives the desk a command and waits until it is done."""
    desk = Desk(settings, models, counter, counter, swaps=True)

    def ask(name, **args):
        desk.take(Command(uuid.uuid4().hex, name, args, "test"))
        for _ in range(LOOKS):
            desk.look()
            if counter.answers or counter.refusals:
                return
            threading.Event().wait(0.02)

    yield ask
    desk.close()


@pytest.fixture
def source_id():
    """Return the source_id of a stream that fits the default montage."""
    own = f"test-{uuid.uuid4()}"
    with SignalOutlet(OutletSpec.of(load_montage("amp16"), "Amp", own)):
        yield own


def test_start_finds_the_stream_and_admits_the_session(ask, counter, source_id):
    """The session is bound to the very stream and bundles that were found."""
    ask("start", patient="P1", bed="B1", source_id=source_id, minutes=2)
    (info,) = counter.admitted
    assert counter.answers == [("start", {"session": info.session})]
    assert (info.patient, info.bed, info.planned_s, info.mode) == ("P1", "B1", 120.0, "live")
    assert info.source["source_id"] == source_id
    assert info.origin == "simulated"


def test_a_start_that_took_too_long_begins_nothing(settings, models, counter, source_id):
    """Who asked was told that nobody answers, and does something else: no session begins behind their back."""
    moments = iter([0.0, ANSWER_S])
    desk = Desk(settings, models, counter, counter, lambda: next(moments))
    desk.take(Command("1", "start", {"patient": "P1", "bed": "B1", "source_id": source_id}, "test"))
    desk._open[0][1].result()
    desk.look()
    desk.close()
    assert (counter.admitted, [refusal["kind"] for refusal in counter.refusals]) == ([], [NoAnswer.kind])


@pytest.fixture
def halves():
    """Return the source_ids of an EEG and an EMG stream that fit the default montage together."""
    montage = load_montage("amp16")
    ids = tuple(f"test-{uuid.uuid4()}" for _ in range(2))
    with ExitStack() as stack:
        for source_id, columns in zip(ids, (slice(0, 10), slice(10, 16)), strict=True):
            labels, kinds = montage.labels[columns], montage.kinds[columns]
            spec = OutletSpec("Half", source_id, labels, kinds, ("uV",) * len(labels), 1000.0)
            stack.enter_context(SignalOutlet(spec))
        yield ids


@pytest.mark.parametrize("named", [True, False])
def test_two_streams_are_one_session(ask, counter, halves, named):
    """The second one is found, or is the one that was named; both are written down with what the second gives."""
    eeg_id, emg_id = halves
    ask("start", patient="P1", bed="B1", source_id=eeg_id, **({"partner_source_id": emg_id} if named else {}))
    assert counter.refusals == []
    (info,) = counter.admitted
    partner = info.source["partner"]
    assert (info.source["source_id"], info.source["channel_count"]) == (eeg_id, 10)
    assert (partner["source_id"], partner["channel_count"]) == (emg_id, 6)
    assert partner["channels"] == list(load_montage("amp16").labels[10:]) and info.origin == "simulated"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"patient": "P1"}, "start lacks bed."),
        ({"patient": "P1", "bed": "B1", "colour": "red"}, "start knows no colour."),
        ({"patient": "P1", "bed": "B1", "minutes": -1}, "the command sets 'session.minutes' to -1"),
        ({"patient": "P1", "bed": "B1", "source_id": "nobody"}, "No stream on the network is source_id 'nobody'"),
    ],
)
def test_a_start_that_cannot_be_is_refused(ask, counter, args, words):
    """The sender gets the refusal that the command line would print."""
    ask("start", **args)
    assert counter.refusals[0]["message"].startswith(words)
    assert counter.admitted == []


def test_a_bed_that_is_taken_is_refused(ask, counter, source_id):
    """What the ward refuses is the answer too."""
    ask("start", patient="TAKEN", bed="B1", source_id=source_id)
    assert counter.refusals[0]["message"] == "taken"


def test_a_question_that_goes_wrong_ends_nothing(ask, counter, monkeypatch):
    """What the network's library raises is the answer to who asked; the supervisor looks after its sessions on."""

    def fail(wait_s):
        raise RuntimeError("could not create a resolver")

    monkeypatch.setattr("acquisition.discovery.find_streams", fail)
    ask("streams")
    assert [refusal["message"] for refusal in counter.refusals] == ["streams failed: could not create a resolver."]


def test_streams_are_listed(ask, counter, source_id):
    """As `flexion streams` lists them."""
    ask("streams")
    ((_, data),) = counter.answers
    (stream,) = [one for one in data["streams"] if one["source_id"] == source_id]
    assert (stream["channel_count"], stream["rate_hz"], stream["unit"]) == (16, 1000.0, "uV")
    assert data["taken"][source_id] == {"session": "S", "bed": "B7"}
    assert data["usual"] == {"montage": "amp16", "minutes": 9.0, "mains_hz": 50.0}


def test_cues_are_opened_where_a_session_is(ask, counter):
    """Everything else about cues is for the cues themselves."""
    ask("cue", bed="B1", action="open", language="zh")
    assert (counter.opened, counter.answers) == ([("B1", "zh")], [("cue", {})])
    ask("cue", bed="EMPTY", action="open")
    assert counter.refusals[0]["message"] == "Bed EMPTY has no session on a stream here."


def test_a_session_that_has_ended_is_corrected_here(ask, counter):
    """One that is open is its bridge's to end and to mark."""
    counter.closed.add("S2")
    ask("stop", session="S2", entered_in_error=True)
    assert (counter.corrected, counter.answers) == (["S2"], [("stop", {})])


def test_another_bundle_is_served_once_it_was_loaded(ask, counter, settings, models, tmp_path):
    """Every hash is checked, and the fusion that was named before stays."""
    folder = rewritten(models.eeg_emg, tmp_path / "other", version="2.0.0").path
    ask("serve", eeg_emg=str(folder))
    [wanted] = counter.served
    assert wanted.models.eeg_emg.label == "tiny 2.0.0" and wanted.models.fusion.sha256 == models.fusion.sha256
    assert wanted.names["models.eeg_emg"] == str(folder)
    assert counter.answers == [("serve", wanted.models.to_json())]


def test_a_bundle_that_serves_already_is_refused(ask, counter, models):
    """Nothing would change."""
    ask("serve", eeg_emg=str(models.eeg_emg.path))
    assert "serves already" in counter.refusals[0]["message"] and not counter.served


def test_a_bundle_that_is_none_is_refused(ask, counter, tmp_path):
    """As everywhere, with words; what serves goes on."""
    ask("serve", eeg_emg=str(tmp_path))
    assert counter.refusals[0]["kind"] == "bundle" and not counter.served


def test_a_bundle_in_a_folder_with_a_comma_is_refused(ask, counter, models, tmp_path):
    """Processes are told of bundles in lists with commas between: they would look for two folders."""
    ask("serve", eeg_emg=str(rewritten(models.eeg_emg, tmp_path / "first, second", version="2.0.0").path))
    assert "first, second has a comma" in counter.refusals[0]["message"] and not counter.served


def test_a_desk_that_does_not_swap_leaves_it_to_another(counter, settings, models, tmp_path):
    """A replay or a demonstration on the same Redis neither takes the bundle nor refuses it."""
    desk = Desk(settings, models, counter, counter)
    folder = rewritten(models.eeg_emg, tmp_path / "other", version="2.0.0").path
    desk.take(Command("1", "serve", {"eeg_emg": str(folder)}, "test"))
    assert (desk._open, counter.answers, counter.refusals, counter.served) == ([], [], [], [])
    desk.close()


def test_where_nothing_is_scored_no_bundle_serves(counter, settings, models):
    """A run that only records has no use for one."""
    desk = Desk(settings, None, counter, counter, swaps=True)
    desk.take(Command("1", "serve", {"eeg_emg": str(models.eeg_emg.path)}, "test"))
    desk._open[0][1].exception()
    desk.look()
    desk.close()
    assert counter.refusals[0]["message"] == "Nothing is scored here."


def test_sessions_are_bound_to_what_serves_now(counter, settings, models, scan_settings, scan_models, source_id):
    """The very next one; the settings go with it."""
    desk = Desk(settings, models, counter, counter)
    desk.bind(scan_models, scan_settings)
    desk.take(Command("1", "start", {"patient": "P1", "bed": "B1", "source_id": source_id}, "test"))
    desk._open[0][1].result()
    desk.look()
    desk.close()
    assert counter.admitted[0].bundles == scan_models.to_json()


def test_commands_for_others_are_left_to_them(ask, counter, settings, models):
    """A bridge answers its own commands."""
    desk = Desk(settings, models, counter, counter)
    for name, args in (
        ("stop", {}),
        ("stop", {"session": "S1", "entered_in_error": True}),
        ("cue", {"action": "pause"}),
    ):
        desk.take(Command("1", name, args, "test"))
    desk.look()
    assert (desk._open, counter.answers, counter.corrected) == ([], [], [])
    desk.close()
