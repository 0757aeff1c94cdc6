"""Recorded: a recording, or a part of it, the same in every process that opens it (law 1)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisition.chain import Chain, drive
from acquisition.errors import RecordingError
from acquisition.montage import load_montage
from acquisition.recording import Marker, read_recording
from acquisition.session import SessionFolder
from deploy.opening import Plan
from deploy.recorded import WHOLE, Between, open_recorded, played_again, recorded_of
from deploy.replaying import plan_replay

MONTAGE = load_montage("amp16")


@pytest.fixture
def whole(recording):
    """Return 26 s of a patient, of which the second from 0:15 on never arrived."""
    return open_recorded(recording, MONTAGE, None)


def test_the_whole_is_left_as_it_is(whole):
    """Nothing is cut where nothing was asked for."""
    assert whole.between(WHOLE) is whole
    assert (whole.n_samples, whole.excerpt) == (25_000, None)


def test_a_part_has_its_samples_decisions_and_place(whole):
    """On the recording's grid, lost samples included: what lies behind a hole is later by it."""
    part = whole.between(Between(10.0, 20.0))
    assert part.excerpt == {"from_s": 10.0, "to_s": 20.0}
    assert part.n_samples == 9_000
    assert part.parts[0].samples.tobytes() == whole.parts[0].samples[10_000:19_000].tobytes()
    kinds = [d.kind for d in part.decisions if d.kind != "marker"]
    assert kinds == ["segment", "lost", "segment", "end"]


def test_a_time_is_a_whole_sample(whole):
    """What lies between two samples is rounded, and told as it is."""
    assert whole.between(Between(0.9996, 2.00049)).excerpt == {"from_s": 1.0, "to_s": 2.0}


def test_from_within_a_hole_it_is_told_where_it_really_begins(whole):
    """A session has no sample before its first."""
    assert whole.between(Between(15.5, 20.0)).excerpt == {"from_s": 16.0, "to_s": 20.0}


def test_a_part_of_a_part_s_place_is_that_part(whole):
    """Where it lies says everything: bridge and player cut the same again."""
    for wanted in (Between(15.5, 20.25), Between(3.0), Between(0.0, 15.4), Between(0.0, 26.0)):
        part = whole.between(wanted)
        again = whole.between(Between(**part.excerpt))
        assert (again.decisions, again.excerpt, again.n_samples) == (part.decisions, part.excerpt, part.n_samples)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Between(26.0), r"patient\.xdf is 0:26 long; --from 0:26 lies beyond its end\. Name an earlier time"),
        (Between(1.0, 26.001), r"--to 0:26\.001 lies beyond its end\. .*leave --to out"),
        (Between(15.2, 15.8), r"has no sample from 0:15\.200 to 0:15\.800: nothing was received then"),
    ],
)
def test_a_part_that_is_not_there_is_refused(whole, wanted, words):
    """The refusal names the file's length, the option and the time (law 10)."""
    with pytest.raises(RecordingError, match=words):
        whole.between(wanted)


def test_markers_go_with_their_samples(whole):
    """Those between the part's first sample and its last; at either end also those before or after all samples."""
    (part,) = whole.parts
    stamps = part.stamps
    times = (stamps[0] - 5.0, stamps[9_999], stamps[10_000], stamps[12_000] + 0.0005, stamps[13_000], stamps[-1] + 5.0)
    marked = replace(
        whole, parts=(replace(part, markers=tuple(Marker(float(t), f"m{n}") for n, t in enumerate(times))),)
    )

    def texts(*seconds: float) -> list[str]:
        return [marker.text for part in marked.between(Between(*seconds)).parts for marker in part.markers]

    assert texts(10.0, 13.0) == ["m2", "m3"]
    assert texts(0.0, 10.0) == ["m0", "m1"]
    assert texts(20.0) == ["m5"]


def test_a_part_may_lie_over_two_parts_of_a_session(whole):
    """Lives of a bridge are one recording; a tape of them has every sample once."""
    (part,) = whole.parts
    halves = [replace(part, samples=part.samples[rows], stamps=part.stamps[rows], markers=()) for rows in HALVES]
    split = recorded_of(whole.path, halves, list(whole.decisions))
    cut = split.between(Between(5.0, 14.0))
    assert [len(half.stamps) for half in cut.parts] == [3_000, 6_000]
    binding = MONTAGE.bind(part.labels, part.units)
    taken = [step.n_taken for step in drive(Chain(MONTAGE), cut.tape(binding))]
    assert sum(taken) == 9_000
    assert [half.samples.tobytes() for half in split.between(Between(9.0, 14.0)).parts] == [
        part.samples[9_000:14_000].tobytes()
    ]


HALVES = (slice(0, 8_000), slice(8_000, None))


def test_a_recording_that_was_cut_off_ends_with_its_last_sample(whole):
    """A session whose bridge never came back has no end; its replay has."""
    cut_off = recorded_of(whole.path, list(whole.parts), [d for d in whole.decisions if d.kind != "end"])
    assert (cut_off.decisions[-1].kind, cut_off.decisions[-1].at) == ("end", 25_000)


def test_a_recording_without_samples_is_refused(whole):
    """There is nothing to score and nothing to play."""
    (part,) = whole.parts
    with pytest.raises(RecordingError, match=r"empty\.xdf is empty: it has no samples\. Choose another one\."):
        recorded_of(Path("empty.xdf"), [replace(part, samples=part.samples[:0], stamps=np.empty(0))], [])


def test_every_process_cuts_the_same_part(recording, settings, models):
    """Bridge and player read in session.json which one it is."""
    plan = plan_replay(recording, settings, patient=None, bed="b", through_lsl=True, wanted=Between(15.5, 22.0))
    info = plan.to_info(models)
    folder = SessionFolder.create(settings.data_dir, info)
    played = played_again(recording, SessionFolder.open(folder.path).info)
    assert played.excerpt == plan.excerpt == {"from_s": 16.0, "to_s": 22.0}
    assert played.n_samples == plan.expected_samples == 6_000
    assert b"".join(d.to_line() for d in played.decisions) == Path(plan.decisions["path"]).read_bytes()


def test_a_session_of_two_parts_is_opened_as_one(settings, models):
    """Without any part there is nothing."""
    plan = Plan("demo", "simulated", "P1", "B1", MONTAGE, {"kind": "lsl"})
    folder = SessionFolder.create(settings.data_dir, plan.to_info(models))
    with pytest.raises(RecordingError, match="is empty: it has no samples"):
        open_recorded(folder.path, MONTAGE, None)


def test_a_part_is_read_from_the_same_file(recording):
    """Its samples are those of the file, in the stream's own type."""
    part = open_recorded(recording, MONTAGE, None, wanted=Between(1.0, 2.0))
    assert part.parts[0].samples.dtype == read_recording(recording).samples.dtype
