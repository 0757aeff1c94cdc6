"""Ward: sessions from their admission to their end, with tiny processes in the place of the roles."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace

import pytest
import structlog

from acquisition.clock import LiveClock
from acquisition.errors import IdentityError
from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from deploy import ward as module
from deploy.errors import WrongUse
from deploy.opening import Models, Plan, entry_of
from deploy.redis_choice import ChosenRedis
from deploy.settings import changed
from deploy.supervisor import ChildState
from deploy.swap import Wanted
from deploy.ward import Ward
from inference.building import rewritten
from inference.errors import BundleMismatch
from streaming.connection import connect
from streaming.errors import BedBusy, SourceBusy
from streaming.lease import Lease
from streaming.sessions import Registry

FOREVER = ("sleep", "1000")


@pytest.fixture
def process(monkeypatch):
    """Return a function that says what every role's process is."""

    def be(*command):
        monkeypatch.setattr(module, "FLEXION", command)

    be(*FOREVER)
    return be


@pytest.fixture
def ward(settings, models, redis_url, process):
    """Return an open ward without roles."""
    clock, log = LiveClock(), structlog.get_logger()
    redis = ChosenRedis(redis_url, None, allow_bundled=True, log=log, monotonic_s=clock.monotonic_s)
    with Ward(settings, models, redis, clock=clock, log=log, roles=()) as ward:
        yield ward


@pytest.fixture
def info(models):
    """Return a function that describes a session of a patient in bed B1."""

    def make(patient="P1", bed="B1", source_id="amp"):
        source = {"kind": "lsl", "name": "Amp", "source_id": source_id, "hostname": "here", "channel_count": 16}
        return Plan("live", "live", patient, bed, load_montage("amp16"), source).to_info(models)

    return make


def test_a_session_has_a_folder_an_entry_and_a_bridge(ward, info, redis_url):
    """All three are there before anybody looks."""
    sitting = ward.admit(info())
    assert sitting.folder.info.session == Registry(connect(redis_url, "test")).on_bed("b1").session
    assert sitting.bridge.state is ChildState.RUNNING
    assert not ward.all_over()


def test_a_bed_that_a_process_holds_is_busy(ward, info, redis_url):
    """Nobody takes a bed from a bridge that lives; no folder is left behind."""
    sitting = ward.admit(info())
    Lease(connect(redis_url, "bridge"), "B1", "amp", sitting.folder.info.session).acquire(0)
    with pytest.raises(BedBusy, match="Bed B1 has the open session"):
        ward.admit(info("P2", source_id="amp-2"))
    assert len(list(sitting.folder.path.parent.iterdir())) == 1


def test_a_bed_whose_bridge_only_begins_is_busy(ward, info):
    """A start that is pressed twice begins one session, however slow its bridge is to take the bed."""
    ward.admit(info())
    with pytest.raises(BedBusy, match="Bed B1 has the open session"):
        ward.admit(info("P2"))


def test_a_stream_has_one_session(ward, info):
    """The second one, on another bed, is refused with the bed of the first; no folder is left behind."""
    sitting = ward.admit(info())
    with pytest.raises(SourceBusy, match="Stream amp belongs to the open session .* of bed B1"):
        ward.admit(info("P2", bed="B2"))
    assert len(list(sitting.folder.path.parent.iterdir())) == 1
    assert ward.taken(["amp", "other"]) == {"amp": {"session": sitting.folder.info.session, "bed": "B1"}}


def test_cues_are_begun_beside_the_stream_of_a_bed(ward, info, process):
    """Their markers are named after it; the page of the bed runs them, in its language."""
    ward.admit(info())
    process("sh", "-c", "exit 0")
    ward.open_cues("b1", "zh")
    command = [*ward._supervisor._children.values()][-1].spec.command
    assert " ".join(command[len(module.FLEXION) :]).startswith("cues --source-id amp --bed b1 --language zh --port 0")


def test_cues_that_are_opened_twice_are_one(ward, info, redis_url):
    """Two presses or two pages: a second process would send every marker twice. Those of another stream end first."""
    sitting = ward.admit(info())
    ward.open_cues("B1", "en")
    ward.open_cues("b1", "en")
    assert [name for name in ward._supervisor.children if name.startswith("cues")] == ["cues b1"]
    sitting.bridge.state = ChildState.ENDED
    Registry(connect(redis_url, "test")).close(sitting.folder.info.session, "user")
    ward.admit(info("P2", source_id="amp-2"))
    with pytest.raises(WrongUse, match="still run beside the stream of an earlier session"):
        ward.open_cues("B1", "en")


def test_a_session_that_has_ended_is_marked(ward, info, redis_url):
    """Who sees only afterwards that it was the wrong patient can still say so."""
    sitting = ward.admit(info())
    session = sitting.folder.info.session
    assert not ward.is_closed(session)
    Registry(connect(redis_url, "test")).close(session, "user")
    assert ward.is_closed(session)
    ward.correct(session)
    assert SessionFolder.open(sitting.folder.path).info.entered_in_error


def test_a_bed_that_a_crash_left_is_free(ward, info, redis_url):
    """A session whose bridge and supervisor are gone does not keep its bed for ever."""
    first, registry = info(), Registry(connect(redis_url, "test"))
    registry.open(entry_of(first))
    second = ward.admit(info("P2"))
    assert registry.find(first.session).reason == "left without a bridge"
    assert registry.on_bed("B1").session == second.folder.info.session


def test_a_session_is_over_when_its_end_is_written(ward, info, process):
    """An exit without a written end is a death; with one it is the result."""
    process("sh", "-c", "exit 0")
    sitting = ward.admit(info())
    sitting.folder.write_ledger({"ended": True})
    ward.run(ward.all_over)
    assert sitting.bridge.state is ChildState.ENDED
    assert ward.exit_code() == 1
    assert ward.results()[0]["ledger"]["balanced"] is False


def test_a_bridge_that_refuses_is_the_run_s_code(ward, info, process):
    """Bad input of one bridge is seen in the end."""
    process("sh", "-c", "exit 3")
    ward.admit(info())
    ward.run(ward.all_over)
    assert ward.exit_code() == 3


def refusing(kind, code):
    """Return a bridge that refuses with an error of a kind, as the real one does."""
    refusal = {"schema": "flexion.result/1", "error": {"kind": kind, "subject": "x", "message": "x", "remedy": "x"}}
    return refusal, ("sh", "-c", f"echo '{json.dumps(refusal)}'; exit {code}")


@pytest.mark.parametrize(
    ("kind", "code", "mode"), [("rate", 3, "live"), ("disk", 4, "replay"), ("end_unwritten", 4, "live")]
)
def test_what_a_bridge_refuses_is_kept(ward, info, process, kind, code, mode):
    """Its refusal object stands where its result would; the same start would fail again."""
    refusal, command = refusing(kind, code)
    process(*command)
    sitting = ward.admit(replace(info(), mode=mode))
    ward.run(ward.all_over)
    assert ward.refusals() == {sitting.folder.info.session: refusal}
    assert ward.exit_code() == code


@pytest.mark.parametrize("said", [refusing("disk", 4)[1], ("sh", "-c", "echo oh; exit 4"), ("sh", "-c", "exit 4")])
def test_what_may_pass_is_tried_again(ward, info, process, said):
    """A full disk may have room again, a server may come back: nobody abandons a patient."""
    process(*said)
    sitting = ward.admit(info())
    ward.run(lambda: sitting.bridge.restarts > 1)
    assert not ward.all_over() and ward.refusals() == {}


def test_a_request_ends_the_run(ward, info):
    """Ctrl-C is noticed; a second one does not wait for sessions that do not answer."""
    ward.admit(info())
    os.kill(os.getpid(), signal.SIGINT)
    ward.run(lambda: False)
    assert ward.end_requested
    ward._clock = Impatient()
    ward.end_sessions()
    assert not ward.all_over()


class Impatient(LiveClock):
    """A person who presses Ctrl-C again."""

    def sleep(self, seconds):
        """Press it."""
        os.kill(os.getpid(), signal.SIGINT)


def test_a_session_that_cannot_be_written_down_does_not_keep_the_bed(ward, info, redis_url):
    """What was refused is closed in the registry, so that the next one may have the bed."""
    ward.admit(info("P1"))
    other = info("p1", bed="B2", source_id="amp-2")  # the same patient in another spelling
    with pytest.raises(IdentityError, match="P1"):
        ward.admit(other)
    entry = Registry(connect(redis_url, "test")).find(other.session)
    assert entry is not None and not entry.is_open and entry.reason == "never begun"


@pytest.mark.parametrize(
    ("engines", "scorers", "waits"),
    [
        (("tensorrt", "onnxruntime-cpu"), 3, [False, True, True]),
        (("auto",), 1, [False, True]),
        (("onnxruntime-cpu",), 2, [False, False]),
        (("tensorrt",), 2, [False, False]),
    ],
    ids=["a GPU and a core", "never one alone", "cores", "a GPU and nothing else"],
)
def test_one_scorer_has_the_gpu_and_the_others_stand_by(settings, models, redis_url, process, engines, scorers, waits):
    """Where the list has something to stand by with."""
    clock, log = LiveClock(), structlog.get_logger()
    redis = ChosenRedis(redis_url, None, allow_bundled=True, log=log, monotonic_s=clock.monotonic_s)
    settings = changed(settings, {"models.engines": engines, "models.scorers": scorers})
    process("sh", "-c", "sleep 1000", "role")
    with Ward(settings, models, redis, clock=clock, log=log, roles=("scorer",)) as ward:
        children = [child for name, child in sorted(ward._supervisor.children.items()) if name.startswith("scorer-")]
        assert ["--standby" in child.spec.command for child in children] == waits


@pytest.fixture
def mine(models, tmp_path):
    """Return the folder of a bundle that the user's settings keep."""
    return rewritten(models.eeg_emg, tmp_path / "mine", version="9.0.0").path


@pytest.fixture
def swapping(settings, models, redis_url, process, mine):
    """Return an open ward whose scorer and aggregator only sleep, and whose user keeps a bundle, named twice."""
    clock, log = LiveClock(), structlog.get_logger()
    redis = ChosenRedis(redis_url, None, allow_bundled=True, log=log, monotonic_s=clock.monotonic_s)
    kept = (str(mine), str(mine), str(models.eeg_emg.path))
    settings = changed(settings, {"models.scorers": 1, "models.kept": kept})
    process("sh", "-c", "exec sleep 1000", "role")
    with Ward(settings, models, redis, clock=clock, log=log, roles=("scorer", "aggregator"), swaps=True) as ward:
        yield ward


def serve(ward, folder):
    """Have a ward serve another bundle; its processes are heard as soon as they are there."""
    names = {"models.eeg_emg": str(folder)}
    answer = ward.serve(Wanted(Models.load(changed(ward._settings, names).models), names))
    deadline_s = time.monotonic() + 20.0
    while not answer.done():
        assert time.monotonic() < deadline_s
        ward._supervisor.look()
        ward._look_at_swap([child.pid for child in ward._swap.fresh])
        time.sleep(0.01)
    return answer.result()


def test_every_bundle_that_was_served_is_kept_and_the_user_s_own(swapping, models, mine, tmp_path):
    """Sessions may be bound to any; each is named once, and the one that serves is not named again."""
    first = models.eeg_emg.path
    second, third = (rewritten(models.eeg_emg, tmp_path / name, version=name).path for name in ("2.0.0", "3.0.0"))
    for folder, held in ((second, (first, mine)), (third, (first, mine, second)), (first, (mine, second, third))):
        serve(swapping, folder)
        kept = swapping._settings.models.kept
        assert sorted(kept) == sorted(str(path.resolve()) for path in held)
        assert {child.spec.env["FLEXION_MODELS__KEPT"] for child in swapping._serving} == {",".join(kept)}


def test_a_session_has_the_models_that_it_is_bound_to(swapping, info, models, tmp_path):
    """Whatever serves by now; one that is bound to nothing is not scored."""
    bound, unscored = info(), replace(info("P2", "B2", "amp-2"), bundles=dict.fromkeys(models.to_json()))
    serve(swapping, rewritten(models.eeg_emg, tmp_path / "other", version="2.0.0").path)
    assert swapping._models is not models
    assert swapping.admit(bound).models is models
    assert swapping.admit(unscored).models is None


def test_a_session_of_a_bundle_that_is_not_served_is_refused(ward, info, scan_models, redis_url):
    """It would wait for scores that nobody gives; neither its bed nor a folder is taken."""
    with pytest.raises(BundleMismatch, match=r"is bound to .*tiny .*, which this run does not serve"):
        ward.admit(replace(info(), bundles=scan_models.to_json()))
    assert Registry(connect(redis_url, "test")).on_bed("B1") is None
    ward.admit(info())
