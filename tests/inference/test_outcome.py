"""The outcome: the state first, the number second (law 8)."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.bundle import Bundle, FusionBundle
from inference.calibration import sigmoid
from inference.errors import FmriRefused
from inference.fmri_event import FmriEvent
from inference.outcome import REPEATED, Outcome, State, Status, outcome_of, repeated, state_of
from streaming.records import ResultRecord
from tests.inference import tiny

OK, COLLECTING, ABSENT, ABSTAINED, REFUSED = (
    Status.OK,
    Status.COLLECTING,
    Status.ABSENT,
    Status.ABSTAINED,
    Status.REFUSED,
)
SILENT = (ABSENT, ABSTAINED, REFUSED)
CELLS = list(itertools.product(Status, Status, (False, True), (False, True), (False, True)))


def expected(eeg_emg: Status, fmri: Status, invalid: bool, refused: bool, ready: bool) -> State:
    """Return the contract's table, written the other way round: by the statuses instead of by the states."""
    if invalid:
        return State.INVALID
    match {eeg_emg, fmri}:
        case s if s == {OK}:
            return State.PARTIAL if refused else (State.READY if ready else State.PROVISIONAL)
        case s if OK in s:
            return State.PARTIAL
        case s if COLLECTING in s:
            return State.COLLECTING
    return State.ABSTAINED


@pytest.mark.parametrize(("eeg_emg", "fmri", "invalid", "refused", "ready"), CELLS)
def test_every_cell_of_the_table(eeg_emg: Status, fmri: Status, invalid: bool, refused: bool, ready: bool) -> None:
    """Two modalities of five statuses, fit, fusion and readiness: 200 cells, one state each."""
    found = state_of(eeg_emg, fmri, invalid=invalid, refused=refused, ready=ready)
    assert found is expected(eeg_emg, fmri, invalid, refused, ready)


def test_an_outcome_of_windows_that_repeat_is_nobody_s(bundle: Bundle) -> None:
    """With a number it stays provisional for ever, and with or without it says why."""
    ready = outcome_of([tiny.result(bundle, index, 0.5) for index in range(20)], bundle, ended=True)
    empty = outcome_of([], bundle, ended=True)
    assert (ready.provisional, repeated(ready).provisional, repeated(empty).provisional) == (False, True, False)
    assert repeated(ready).reasons == (REPEATED,) and repeated(ready).number == ready.number
    assert repeated(empty).reasons == (*empty.reasons, REPEATED)


# --- the session's life, by its results ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def scan(fmri_bundle: Bundle) -> FmriEvent:
    """Return an accepted scan."""
    return FmriEvent("P-01", "a" * 64, date(2026, 3, 31), fmri_bundle.sha256, 0.8, 30, ())


def scored(bundle: Bundle, n: int, weight: float = 1.0) -> list[ResultRecord]:
    """Return n scored results."""
    return [replace(tiny.result(bundle, i, 0.1 * i), weight=weight) for i in range(n)]


def unscored(n: int, first: int = 0, **changes: Any) -> list[ResultRecord]:
    """Return n results without a score."""
    return [tiny.result(None, first + i, None, **changes) for i in range(n)]


def told(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome's JSON, having checked what always holds."""
    value: dict[str, Any] = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    assert (value["probability"] is not None) == (value["state"] in ("PARTIAL", "PROVISIONAL", "READY"))
    assert (value["interval"] is None) == (value["probability"] is None) == (not value["modalities"])
    assert bool(value["reasons"]) == (value["probability"] is None)
    return value


def test_before_the_first_window_it_collects(bundle: Bundle) -> None:
    """The whole object, to the letter of the contract."""
    assert told(outcome_of([], bundle)) == {
        "state": "COLLECTING",
        "probability": None,
        "interval": None,
        "provisional": False,
        "modalities": [],
        "missing": [
            {"modality": "eeg_emg", "reason": "0 of 2 windows are scored. Go on with the movements."},
            {"modality": "fmri", "reason": "There is no scored scan of this patient."},
        ],
        "reasons": ["0 of 2 windows are scored. Go on with the movements."],
        "parts": {
            "eeg_emg": {"status": "collecting", "windows": 0, "weight": 0.0, "logit": None, "probability": None},
            "fmri": {
                "status": "absent",
                "slices": 0,
                "scan_sha256": None,
                "scanned_on": None,
                "logit": None,
                "probability": None,
            },
        },
        "fma": None,
        "fusion": None,
        "similarity": None,
    }


def test_from_two_windows_there_is_a_partial_number(bundle: Bundle) -> None:
    """eeg_emg alone: its own calibration for that number of windows, and the interval of its draws."""
    outcome = outcome_of(scored(bundle, 2), bundle)
    value = told(outcome)
    line = bundle.model.calibration["logit_mean_quality"].at(2)
    assert value["state"] == "PARTIAL" and value["provisional"] is True and value["modalities"] == ["eeg_emg"]
    assert value["probability"] == value["parts"]["eeg_emg"]["probability"] == sigmoid(line.log_odds(0.05))
    assert value["parts"]["eeg_emg"] | {"probability": 0} == {
        "status": "ok",
        "windows": 2,
        "weight": 2.0,
        "logit": 0.05,
        "probability": 0,
    }
    low, high = value["interval"]
    assert low < value["probability"] < high
    assert [missing["modality"] for missing in value["missing"]] == ["fmri"]


def test_the_interval_narrows_with_the_number_of_windows(bundle: Bundle) -> None:
    """More windows, less doubt: the calibration's draws say how much."""
    widths = [high - low for n in (2, 6, 24) for low, high in [told(outcome_of(scored(bundle, n), bundle))["interval"]]]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("n", "provisional"), [(11, True), (12, False)])
def test_alone_it_stays_provisional_until_n_ready(bundle: Bundle, n: int, provisional: bool) -> None:
    """PARTIAL says whether more signal is still to change it."""
    value = told(outcome_of(scored(bundle, n), bundle))
    assert (value["state"], value["provisional"]) == ("PARTIAL", provisional)


@pytest.mark.parametrize(("n", "state"), [(2, "PROVISIONAL"), (11, "PROVISIONAL"), (12, "READY")])
def test_both_modalities_are_fused(
    bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle, scan: FmriEvent, n: int, state: str
) -> None:
    """PROVISIONAL below n_ready, READY from there; nothing is missing."""
    value = told(outcome_of(scored(bundle, n), bundle, fusion, scan, fmri_bundle=fmri_bundle))
    assert (value["state"], value["provisional"]) == (state, state == "PROVISIONAL")
    assert value["modalities"] == ["eeg_emg", "fmri"] and value["missing"] == []
    half = {"value": 0.5, "interval": None}
    assert value["fusion"] == {"method": "equal", "untrained": True, "weights": {"eeg_emg": half, "fmri": half}}
    parts = [value["parts"][name]["probability"] for name in ("eeg_emg", "fmri")]
    assert min(parts) < value["probability"] < max(parts)
    assert value["parts"]["fmri"] | {"probability": 0} == {
        "status": "ok",
        "slices": 30,
        "scan_sha256": "a" * 64,
        "scanned_on": "2026-03-31",
        "logit": 0.8,
        "probability": 0,
    }


@pytest.mark.parametrize(("n", "provisional"), [(2, True), (12, False)])
def test_a_refused_fusion_leaves_eeg_emg_its_number(
    bundle: Bundle, fmri_bundle: Bundle, scan: FmriEvent, n: int, provisional: bool
) -> None:
    """Both ok but not fused: the number is eeg_emg's, and what is missing is the fusion."""
    value = told(outcome_of(scored(bundle, n), bundle, None, scan, fmri_bundle=fmri_bundle))
    assert (value["state"], value["provisional"], value["modalities"]) == ("PARTIAL", provisional, ["eeg_emg"])
    assert value["missing"] == [{"modality": "fusion", "reason": "No fusion bundle of this session is at hand."}]
    assert value["probability"] == value["parts"]["eeg_emg"]["probability"]
    assert value["parts"]["fmri"]["probability"] is not None


def test_a_fusion_that_needs_more_windows_waits_for_them(
    tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle, scan: FmriEvent
) -> None:
    """Its own n_min counts once both are ok."""
    fusion = tiny.fused(tmp_path, bundle, fmri_bundle, draws=3, n_min=4)
    states = [told(outcome_of(scored(bundle, n), bundle, fusion, scan, fmri_bundle=fmri_bundle)) for n in (2, 3, 4, 12)]
    assert [value["state"] for value in states] == ["PARTIAL", "PARTIAL", "PROVISIONAL", "READY"]
    assert "needs 4 scored windows" in states[0]["missing"][0]["reason"]
    assert [value["fusion"] is None for value in states] == [True, True, False, False]
    assert states[3]["fusion"]["weights"]["eeg_emg"] == {"value": 0.6, "interval": pytest.approx([0.601, 0.619])}


def test_a_scan_alone_is_a_number_while_windows_are_collected(
    bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle, scan: FmriEvent
) -> None:
    """PARTIAL on fMRI; provisional while eeg_emg collects, final once it abstained."""
    collecting = told(outcome_of([], bundle, fusion, scan, fmri_bundle=fmri_bundle))
    assert (collecting["state"], collecting["provisional"], collecting["modalities"]) == ("PARTIAL", True, ["fmri"])
    ended = told(outcome_of([], bundle, fusion, scan, True, fmri_bundle=fmri_bundle))
    assert (ended["state"], ended["provisional"]) == ("PARTIAL", False)
    assert ended["missing"][0]["modality"] == "eeg_emg" and "Too few windows: 0 of 2" in ended["missing"][0]["reason"]


def test_too_few_windows_at_the_end_abstain(bundle: Bundle) -> None:
    """`collecting` becomes `abstained`: n of n_min, and what to do."""
    value = told(outcome_of(scored(bundle, 1), bundle, ended=True))
    assert value["state"] == "ABSTAINED" and value["parts"]["eeg_emg"]["status"] == "abstained"
    assert value["reasons"] == ["Too few windows: 1 of 2 were scored. Record this patient again, for longer."]


def test_windows_that_were_spoilt_say_by_which_electrode(bundle: Bundle) -> None:
    """One window without a score says what to press, also before six have a fate (law 8)."""
    loose = [tiny.result(bundle, 0, None, channel_quality=(0.0,) + (1.0,) * (len(bundle.signal.labels) - 1))]
    going = told(outcome_of(loose, bundle))["parts"]["eeg_emg"]["status"], told(outcome_of(loose, bundle))["reasons"]
    label = bundle.signal.labels[0]
    pressed = f"Bad: {label} (1 window). Press or re-gel these electrodes."
    assert going == ("collecting", [f"0 of 2 windows are scored. {pressed}"])
    over = told(outcome_of(loose, bundle, ended=True))["reasons"]
    assert over == [f"Too few windows: 0 of 2 were scored. {pressed} Then record this patient again."]


@pytest.mark.parametrize(
    ("n_scored", "weight", "n_unscored", "status"),
    [
        (0, 1.0, 5, "collecting"),
        (0, 1.0, 6, "abstained"),
        (1, 1.0, 5, "abstained"),
        (2, 1.0, 4, "ok"),
        (2, 1.0, 3, "ok"),
        (2, 1.0, 5, "abstained"),
        (6, 0.34, 0, "ok"),
        (6, 0.33, 0, "abstained"),
        (5, 0.30, 0, "ok"),
        (4, 0.50, 0, "ok"),
    ],
)
def test_eeg_emg_abstains_below_a_third_from_six_windows(
    bundle: Bundle, n_scored: int, weight: float, n_unscored: int, status: str
) -> None:
    """Six or more with a fate, weights that sum to less than a third of their number."""
    results = scored(bundle, n_scored, weight) + unscored(n_unscored, n_scored)
    assert outcome_of(results, bundle).to_json()["parts"]["eeg_emg"]["status"] == status


def test_an_abstention_names_the_electrodes_and_the_remedy(bundle: Bundle) -> None:
    """The commonest bad channel first, then what to do."""
    bad = unscored(4, channel_quality=(0.1, 1.0, 1.0, 0.2)) + unscored(2, 4, channel_quality=(0.1, 1.0, 1.0, 1.0))
    [reason] = told(outcome_of(bad, bundle))["reasons"]
    assert reason == (
        "The signal of 6 windows has 0% of full weight, a third is needed. "
        "Bad: C3 (6 windows), RF (4 windows). Press or re-gel these electrodes."
    )
    [reason] = told(outcome_of(bad, bundle, ended=True))["reasons"]
    assert reason.endswith("Then record this patient again.")


def test_an_abstention_names_dead_lettered_windows(bundle: Bundle) -> None:
    """Windows that no scorer survived weigh nothing, and are said."""
    dead = [ResultRecord.unreadable(tiny.SESSION, i, "torn") for i in range(6)]
    outcome = outcome_of(dead, bundle)
    [reason] = told(outcome)["reasons"]
    assert "6 windows were set aside after failed attempts: look at the scorer's log." in reason
    assert "Check the electrodes and the cable." in reason
    assert outcome.fates == {"scored": 0, "not_scored": 0, "dead_lettered": 6}


def test_many_bad_channels_are_a_cap_not_an_electrode(tmp_path: Path) -> None:
    """Beyond four channels, names would hide the cause."""
    manifest = tiny.manifest()
    manifest["montage"] = {"name": "six", "labels": [f"E{i}" for i in range(6)], "kinds": ["eeg"] * 6}
    six = tiny.write(tmp_path, manifest)
    [reason] = told(outcome_of(unscored(6, channel_quality=(0.1,) * 6), six))["reasons"]
    assert "6 channels are bad: check the cap, the reference and the cable." in reason


def test_a_smaller_stride_does_not_make_it_ready_sooner(bundle: Bundle) -> None:
    """Counts are windows' worth of distinct signal: ten overlapping windows are worth 1.9."""
    overlapping = [replace(tiny.result(bundle, i, 0.5), first_sample=i * 20) for i in range(111)]
    status = [outcome_of(overlapping[:n], bundle).to_json() for n in (10, 11, 110, 111)]
    assert [value["state"] for value in status] == ["COLLECTING", "PARTIAL", "PARTIAL", "PARTIAL"]
    assert [value["provisional"] for value in status] == [False, True, True, False]
    assert "1.9 of 2 windows" in status[0]["reasons"][0]
    assert outcome_of(unscored(20), bundle).to_json()["state"] == "ABSTAINED"
    lying = [replace(one, first_sample=i * 20) for i, one in enumerate(unscored(20))]
    assert outcome_of(lying, bundle).to_json()["state"] == "COLLECTING"


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"logit": None}, "collecting", "The scan of 2026-03-31 is being scored."),
        ({"problems": ("motion over 3 mm",)}, "abstained", "cannot be used: motion over 3 mm."),
    ],
)
def test_a_scan_may_be_on_its_way_or_unusable(
    bundle: Bundle, fmri_bundle: Bundle, scan: FmriEvent, change: dict[str, Any], status: str, words: str
) -> None:
    """`collecting` and `abstained` of fMRI, alone and beside eeg_emg."""
    event = replace(scan, **change)
    alone = told(outcome_of([], None, None, event, fmri_bundle=fmri_bundle))
    assert alone["state"] == ("COLLECTING" if status == "collecting" else "ABSTAINED")
    assert alone["parts"]["fmri"]["status"] == status and words in alone["reasons"][0]
    beside = told(outcome_of(scored(bundle, 2), bundle, None, event, fmri_bundle=fmri_bundle))
    assert beside["state"] == "PARTIAL" and words in beside["missing"][0]["reason"]


def test_a_scan_that_was_not_scored_by_the_end_is_absent(fmri_bundle: Bundle, scan: FmriEvent) -> None:
    """The session's end turns fMRI's `collecting` into `absent`."""
    event = replace(scan, logit=None)
    value = told(outcome_of([], None, None, event, True, fmri_bundle=fmri_bundle))
    assert value["state"] == "ABSTAINED" and value["parts"]["fmri"]["status"] == "absent"
    assert "was not scored in time" in value["missing"][1]["reason"]


def test_a_refused_scan_is_named_with_its_reason(bundle: Bundle) -> None:
    """Another patient's score is no score, and says so."""
    refused = FmriRefused("The fMRI score is of patient P-02.", remedy="Score this patient's own scan.")
    value = told(outcome_of(scored(bundle, 2), bundle, None, refused))
    assert value["parts"]["fmri"]["status"] == "refused"
    assert value["missing"] == [
        {"modality": "fmri", "reason": "The fMRI score is of patient P-02. Score this patient's own scan."}
    ]
    assert told(outcome_of([], bundle, None, refused, ended=True))["reasons"][1].startswith("The fMRI score is of")


def test_without_any_model_it_abstains(bundle: Bundle) -> None:
    """Both absent: nobody is collecting, both say why."""
    value = told(outcome_of([], None))
    assert value["state"] == "ABSTAINED"
    assert value["reasons"] == [
        "No model for EEG and EMG is bound to this session.",
        "There is no scored scan of this patient.",
    ]


def test_a_bundle_that_does_not_fit_is_invalid(
    bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle, scan: FmriEvent
) -> None:
    """INVALID goes before everything: no number, not even the scan's."""
    refused = unscored(1, 3, reason="bundle_mismatch: rate in Hz: the stream has 512")
    value = told(outcome_of(scored(bundle, 3) + refused, bundle, fusion, scan, fmri_bundle=fmri_bundle))
    assert value["state"] == "INVALID" and value["parts"]["eeg_emg"]["status"] == "refused"
    assert value["reasons"] == ["The model and the stream do not fit: Window 3: rate in Hz: the stream has 512"]
    assert value["parts"]["fmri"]["probability"] is None and value["parts"]["fmri"]["logit"] is None


def test_a_stream_that_was_refused_before_any_window_is_invalid(bundle: Bundle) -> None:
    """Whoever checked the stream hands the words in."""
    value = told(outcome_of([], bundle, mismatch="channels: the stream has C3."))
    assert value["state"] == "INVALID" and "the stream has C3." in value["reasons"][0]


def test_a_score_of_another_bundle_is_invalid(bundle: Bundle, fmri_bundle: Bundle) -> None:
    """A session is bound to its bundles at its start (law 6)."""
    value = told(outcome_of(scored(fmri_bundle, 2), bundle))
    assert value["state"] == "INVALID"
    assert f"Window 0 was scored by bundle {fmri_bundle.sha256[:12]}, not by tiny 1.0.0" in value["reasons"][0]


RESULTS = st.lists(
    st.tuples(st.one_of(st.none(), st.floats(-40, 40)), st.floats(0.01, 1.0), st.floats(0, 1)), max_size=20
)


@settings(max_examples=60, deadline=None)
@given(rows=RESULTS, data=st.data(), ended=st.booleans())
def test_arrival_order_and_repeats_leave_no_trace(
    bundle: Bundle,
    fmri_bundle: Bundle,
    fusion: FusionBundle,
    scan: FmriEvent,
    rows: list[tuple[float | None, float, float]],
    data: st.DataObject,
    ended: bool,
) -> None:
    """Any permutation with any repeats gives the same bytes of JSON."""
    results = [
        tiny.result(bundle, i, logit, weight=0.0 if logit is None else weight, channel_quality=(quality,) * 4)
        for i, (logit, weight, quality) in enumerate(rows)
    ]
    order = data.draw(st.permutations(results))
    again = data.draw(st.lists(st.sampled_from(results), max_size=5)) if results else []
    texts = [
        json.dumps(outcome_of(some, bundle, fusion, scan, ended, fmri_bundle=fmri_bundle).to_json())
        for some in (results, [*order, *again])
    ]
    assert texts[0] == texts[1]
    told(outcome_of(order, bundle, fusion, None, ended))
