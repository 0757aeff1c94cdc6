"""Training's windows are the bedside's."""

import numpy as np

from acquisition.chain import Chain
from acquisition.decisions import Decision
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, render
from inference.normalisation import zscore
from training.synthesis import SETTLING_S, Session, Task, make_sessions, windows_of
from training.tokens import tokens


def test_windows_are_those_of_the_chain_at_any_chunking():
    """A session pushed in the player's chunks of 20 gives the same bits (law 1)."""
    patient, montage = Patient.draw(4, effect=2, mains_hz=60.0), load_montage("amp16")
    made = list(windows_of(Task(patient, 46.0, still_s=2.5), montage))
    chain = Chain(montage, 60.0)
    chain.obey(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    x_uv = render(patient, ParadigmPlan(still_s=2.5), 46.0, montage).samples.astype(np.float64)
    windows, at = [], 0
    while at < len(x_uv):
        step = chain.push(x_uv[at : at + 20])
        windows += step.windows
        at += step.n_taken
        if step.calibration:
            chain.obey(Decision("calibration", 1, 0, at, step.calibration.to_json()))
    assert [w.x_uv.tobytes() for w in made] == [w.x_uv.tobytes() for w in windows]
    assert [w.flags for w in made] == [("uncalibrated",)] * 3 + [()]
    assert {w.mains_hz for w in made} == {60.0}


def test_a_session_keeps_tokens_weights_and_the_outcome(session: Session, x):
    """The start before the calibration is part of it, as at the bedside."""
    assert session.tokens.shape == (4, 100, 64)
    np.testing.assert_array_equal(session.tokens, tokens(x))
    assert session.weights.tolist() == [1.0] * 4
    assert session.n_uncalibrated == 3
    assert session.patient.good is Patient.draw(1, effect=2).good


def test_the_z_score_is_the_one_before_the_engine(session: Session):
    """A channel that the quality gate empties is silent in training too."""
    window = next(windows_of(Task(Patient.draw(1, effect=2), 14.0, still_s=5.0), load_montage("amp16")))
    assert not zscore(window.x_uv, [0.4] * 16).any()


def test_the_number_of_processes_changes_no_bit():
    """Sessions come in the order of the tasks, whoever made them."""
    tasks = [Task(Patient.draw(seed), SETTLING_S + 10) for seed in (1, 2, 3)]
    alone, together = make_sessions(tasks), make_sessions(tasks, workers=2)
    assert [s.tokens.tobytes() for s in alone] == [s.tokens.tobytes() for s in together]
    assert [s.patient for s in together] == [t.patient for t in tasks]
