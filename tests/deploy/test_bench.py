"""Benchmarks: what is timed, in which order, what is said of it, and that both sides did the same job."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from acquisition.reading import AS_IT_IS
from acquisition.tape import decide, tape_of
from deploy.bench import mne_peer, replay, rounds
from deploy.bench.commands import bridged_s, ran
from deploy.bench.machine import Machine, installed, one_core, processor, this_machine
from deploy.bench.mne_peer import UV, MnePeer
from deploy.bench.profile import profiled
from deploy.bench.recorded import MAINS_HZ, MONTAGE, record
from deploy.bench.replay import STAGES, ReplayBench, filtered, windows
from deploy.bench.report import ABSENT, HEAD, Line, Report, Task, markdown, measure
from deploy.bench.rounds import Job, Timing, interleave
from deploy.cli import bench
from deploy.settings import load

HERE = Machine("2026-11-22T10:00:00+00:00", "Some CPU", 2, 8.0, "Linux 6", "3.11", {"numpy": "2.4"}, 0.1)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return half a minute of the patient that is measured on."""
    return record(tmp_path_factory.mktemp("bench"), 30.0)


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    """Touch next to none: nothing here depends on how long it takes."""
    monkeypatch.setattr(rounds, "TOUCHED", 1)


def report(*lines):
    """Return a report of these lines."""
    return Report("replay", "a subject", HERE, lines, ("A recording.",), {"rounds": 2})


def test_jobs_take_turns_and_the_first_round_does_not_count():
    """A B A B: whatever the machine does meanwhile befalls both; each gets what was prepared for it anew."""
    done = []
    jobs = [Job(lambda given, name=name: done.append((name, given)), lambda: len(done)) for name in "AB"]
    timings = interleave(jobs, 3)
    assert done == [(name, n) for n, name in enumerate("ABABABAB")]
    assert [len(timing.wall_s) for timing in timings] == [3, 3] == [len(timing.cpu_s) for timing in timings]


def test_a_timing_is_its_median_with_its_spread():
    """In seconds, small ones with a digit more."""
    assert Timing((3.0, 1.0, 2.0)).words == "2.00 s (1.00 to 3.00)"
    assert Timing((0.03, 0.05)).words == "0.040 s (0.030 to 0.050)"
    assert (Timing((2.0,), (1.0, 1.5)).cpu_words, Timing((2.0,)).cpu_words) == ("1.25 s", "")
    assert Timing((2.0,), (1.5,)).to_json() == {"median_s": 2.0, "wall_s": [2.0], "cpu_s": [1.5]}


@pytest.mark.parametrize(("seconds", "met"), [(1.0, True), (2.0, False)])
def test_a_mark_is_met_or_missed(seconds, met):
    """By how much signal is worked through in a second."""
    line = Line("scoring", 150.0, Timing((seconds,)), mark=100.0)
    assert (line.met, line.times_real_time) == (met, 150.0 / seconds)
    assert report(line).rows()[0][3:5] == (f"{150 / seconds:.0f}×", f"100×: {'met' if met else 'missed'}")
    assert report(line).to_json()["lines"][0]["met"] is met


def test_a_faster_peer_is_told_as_such_and_a_missing_one_too():
    """Ratios below 1 are shown like the others, and what is not installed has its row."""
    line = Line("reading", 10.0, Timing((2.0,), (1.5,)), peers={"MNE": Timing((0.5,)), "other": None})
    first, second = report(line).rows()
    assert first == ("reading", "2.00 s (2.00 to 2.00)", "1.50 s", "5×", "", "MNE", "0.50 s (0.50 to 0.50)", "0.25×")
    assert second == ("", "", "", "", "", "other", ABSENT, "")
    peers = report(line).to_json()["lines"][0]["peers"]
    assert [(p["name"], p["installed"], p["our_speed_by_its"]) for p in peers] == [
        ("MNE", True, 0.25),
        ("other", False, None),
    ]
    figure = (
        "| reading, a subject | 5× real time: 2.00 s (2.00 to 2.00), 0.25× as fast as MNE | Some CPU, 2 cores, quiet | "
    )
    assert report(line).figures() == [figure + "2026-11-22 | `flexion bench replay` |"]


def test_what_could_not_be_measured_says_why():
    """It has no figure, misses its mark, and a line without mark or peer is no figure at all."""
    line = Line("replay", 10.0, None, mark=100.0, why_not="no Redis here")
    assert report(line).rows()[0][:5] == ("replay", "no Redis here", "", "", "100×: missed")
    assert "| not measured: no Redis here |" in report(line).figures()[0]
    assert report(Line("aside", 10.0, Timing((1.0,)))).figures() == []


def test_peers_are_timed_in_the_same_rounds():
    """Each task is followed by its peers; one that is not installed is left out."""
    done = []
    jobs = [Job(lambda _, n=n: done.append(n)) for n in range(3)]
    tasks = [Task("one", jobs[0], peers={"peer": jobs[1], "absent": None}), Task("two", jobs[2], mark=1.0)]
    one, two = measure(tasks, 1, 10.0)
    assert done == [0, 1, 2, 0, 1, 2]
    assert one.peers["peer"] is not None and one.peers["absent"] is None
    assert (two.mark, two.signal_s, dict(two.peers)) == (1.0, 10.0, {})


def test_the_machine_is_named():
    """Processor, cores, versions of what is installed, and whether it was quiet."""
    here = this_machine(["numpy", "no-such-library"])
    assert here.versions == {"numpy": np.__version__} and here.cores == len(os.sched_getaffinity(0))
    assert here.to_json()["load_1m"] == here.load_1m
    assert HERE.quiet and HERE.words.endswith("2 cores, quiet")
    values = {name: value for name, value in HERE.to_json().items() if name != "quiet"}
    busy = Machine(**{**values, "load_1m": 3.21})
    assert not busy.quiet and busy.words.endswith("busy (load 3.2)")


def test_a_processor_without_a_name_is_its_kind(tmp_path):
    """Where the system does not say which one it is, or has no such file."""
    named = tmp_path / "cpuinfo"
    named.write_text("processor : 0\nmodel name : Some CPU @ 3 GHz\nmodel name : Another\n")
    assert processor(named) == "Some CPU @ 3 GHz"
    assert processor(tmp_path / "none") == os.uname().machine


def test_one_core_is_given_back():
    """Inside there is one, afterwards all are back, also after an error."""
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), one_core():
        assert len(os.sched_getaffinity(0)) == 1
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_a_command_is_timed_with_its_processes():
    """By the clock and by the processor; its last words are kept where it fails."""
    good, bad = ran(["--help"]), ran(["score", "nothing.xdf"])
    assert good.wall_s > 0 and good.cpu_s > 0 and good.failure == "" and good.signal_s is None
    assert "nothing.xdf" in bad.failure


def test_a_bridge_says_when_it_begins_and_ends():
    """Lines of other processes, and words for people between them, do not matter."""
    said = [
        {"role": "scorer", "event": "ended", "timestamp": "2026-11-22T10:00:00Z"},
        {"role": "bridge", "event": "begun", "timestamp": "2026-11-22T10:00:01.5Z"},
        {"role": "bridge", "event": "ended", "timestamp": "2026-11-22T10:00:04Z"},
    ]
    lines = ["Redis: private.", *map(json.dumps, said)]
    assert bridged_s(lines) == 2.5
    assert bridged_s(lines[:-1]) is None


def test_mne_does_the_same_job(recorded):
    """The same recording, the same filter, the same windows: else the figures beside ours would mean nothing."""
    pytest.importorskip("mne")
    recording, binding = AS_IT_IS.open(recorded.path, recorded.montage, None)
    x_uv = binding.to_uv(recording.samples)
    peer = MnePeer(recorded.montage)
    jobs = peer.jobs(recorded.path, x_uv)
    for raw in (peer.read_xdf(recorded.path), peer.read_fif(recorded.path.with_name("bench_raw.fif"))):
        assert raw.ch_names == list(recorded.montage.labels)
        assert np.abs(raw.get_data().T * UV - x_uv).max() < 1e-3  # FIF keeps float32 volts
    theirs = peer.filtered(peer.raw(x_uv)).get_data().T * UV
    assert np.abs(filtered(x_uv, recorded.montage) - theirs)[20_000:].max() < 1e-6
    tape = tape_of(recording, binding, decide(recording, recorded.montage, binding))
    cut = {name: job.run(job.prepare()) for name, job in jobs["whole"].items()}
    assert {name: found.shape for name, found in cut.items()} == dict.fromkeys(cut, (2, 16, 10_000))
    assert windows(tape, recorded.montage) == 2
    assert jobs["windows"][mne_peer.MNE].run(jobs["windows"][mne_peer.MNE].prepare()).shape == (2, 16, 10_000)


def test_a_machine_without_mne_measures_the_rest(recorded, monkeypatch, tmp_path):
    """Every peer is then said to be missing; with MNE but without pyxdf only the way through it is."""
    monkeypatch.setattr(mne_peer, "installed", lambda library: library != "pyxdf")
    jobs = MnePeer(recorded.montage).jobs(recorded.path, np.ones((20_000, 16)))
    assert jobs["reading"][mne_peer.BY_XDF] is None and jobs["reading"][mne_peer.BY_FIF] is not None
    assert jobs.keys() == mne_peer.NOT_INSTALLED.keys()
    monkeypatch.setattr(replay, "installed", lambda library: False)
    monkeypatch.setattr(
        replay, "ran", lambda arguments: replay.Ran(2.0, 1.0, 1.5, "" if arguments[0] == "score" else "no Redis")
    )
    measured = ReplayBench(tmp_path, load({"session.montage": MONTAGE, "session.mains_hz": MAINS_HZ}), 20.0)
    said = []
    found = measured.run(1, said.append)
    measured.close()
    assert all(timing is None for line in found.lines for timing in line.peers.values())
    assert [line.why_not for line in found.lines[-3:]] == ["", "no Redis", "no Redis"]
    assert len(found.notes) == 1 and "20 s of a simulated patient" in said[0]


def test_the_profile_knows_every_stage(tmp_path):
    """A stage that the path no longer goes through would be seen here."""
    measured = ReplayBench(tmp_path, load({"session.montage": MONTAGE, "session.mains_hz": MAINS_HZ}), 20.0)
    spent = measured.profile()
    measured.close()
    assert [stage.name for stage in spent.stages] == list(STAGES)
    assert all(stage.calls for stage in spent.stages)
    assert 0.5 < sum(stage.share for stage in spent.stages) <= 1.0
    assert profiled(dict, {"never called": processor}).stages[0].calls == 0
    (one,) = bench.tables(report(), None)
    assert one == (report().words, HEAD, [])
    page = bench.as_markdown(report(Line("reading", 10.0, Timing((2.0,)), mark=1.0)), spent)
    assert page.count("\n| --- |") == 3 and page.endswith("`flexion bench replay` |")
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_command_measures_and_says(flexion):
    """One round on a short recording: every line has a figure, people's words go to stderr."""
    done = flexion("bench", "replay", "--seconds", "20", "--rounds", "1", "--profile", "--json", timeout=180)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["bench"] == "replay" and found["machine"]["cores"] >= 1
    assert all(line["ours"]["median_s"] > 0 for line in found["lines"])
    assert [line["mark"] for line in found["lines"] if line["mark"]] == [200.0, 100.0, 100.0]
    if installed("mne"):
        assert found["filters_apart_uv"] < 1e-3  # 4 s after the start it is not yet forgotten
    assert [stage["name"] for stage in found["profile"]["stages"]] == list(STAGES)
    assert "20 s of a simulated patient" in done.stderr
