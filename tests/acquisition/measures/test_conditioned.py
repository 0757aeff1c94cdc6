"""The conditioned session: the chain's own filter output in stretches without a hole (laws 1 and 4)."""

from __future__ import annotations

import numpy as np

from acquisition.measures.conditioned import condition


def of(tape, montage, small):
    """Return the conditioned session of a tape, by the small chain."""
    return condition(tape.items, montage, 50.0, small)


def test_a_stretch_is_what_the_chain_filtered_without_its_settling(tape, montage, small, run, noise):
    """The very samples of the traces, from the settled one on, in whole cells; the session's labels and length."""
    tape.begin().samples(noise(2_050))
    session = of(tape, montage, small)
    (stretch,) = session.stretches
    traces = np.concatenate([trace.x_uv for trace in run(tape.items).traces])
    assert (stretch.begin, stretch.first_sample, stretch.stop) == (0, 400, 2_000)
    assert stretch.x_uv.tobytes() == traces[400:2_000].tobytes()
    assert stretch.good.shape == (16, 7) and stretch.good.all()
    assert (session.labels, session.rate_hz, session.n_samples) == (montage.labels, 1000.0, 2_050)


def test_chunks_do_not_matter(tape, montage, small, noise):
    """The same samples in other pieces give the same bits, past the moment of calibration too (law 1)."""
    tape.begin().samples(noise(5_000)).decide("end", reason="end")
    whole = condition(tape.cut([5_000]), montage, 50.0, small)
    pieces = condition(tape.cut([7, 993, 250]), montage, 50.0, small)
    assert whole.stretches[0].x_uv.tobytes() == pieces.stretches[0].x_uv.tobytes()


def test_a_gap_ends_a_stretch_and_the_next_one_settles_anew(tape, montage, small, noise):
    """Two stretches on one grid, lost samples between them; a segment that never settles is none."""
    tape.begin().samples(noise(1_000)).gap(500).samples(noise(300)).gap(200).samples(noise(1_000))
    session = of(tape, montage, small)
    assert [(s.begin, s.first_sample, s.stop) for s in session.stretches] == [(0, 400, 1_000), (2_000, 2_400, 3_000)]


def test_a_bridged_hole_stays_in_its_stretch_as_bad_cells(tape, montage, small, noise):
    """A straight line of 20 samples is on the grid; the cell that holds it is not good."""
    tape.begin().samples(noise(850)).bridge(20).samples(noise(630))
    (stretch,) = of(tape, montage, small).stretches
    assert len(stretch.x_uv) == 1_100
    assert np.flatnonzero(~stretch.good[:, 0]).tolist() == [4]
    assert stretch.quality(range(700, 1_100), [0]) == 0.75
    assert stretch.quality(range(750, 799), [0]) == 1.0


def test_phases_become_trials_wherever_the_decision_stands(tape, montage, small, noise):
    """A marker that is told late holds from its sample on; a phase that nothing ends reaches past the end."""
    tape.begin().samples(noise(1_000))
    tape.decide("marker", text="preparation", phase="preparation", sample=600)
    tape.decide("marker", text="hello", phase=None, sample=700)
    tape.samples(noise(500)).decide("marker", text="flexion", phase="flexion", sample=1_200)
    (trial,) = of(tape, montage, small).trials
    assert trial.spans == {"preparation": range(600, 1_200), "flexion": range(1_200, 1_501)}
