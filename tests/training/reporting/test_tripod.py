"""The TRIPOD+AI checklist: every item once, in order, and what nobody did is not called done."""

from __future__ import annotations

from tests.training import reports
from tests.training.reporting.conftest import facts_of
from training.reporting.facts import Facts
from training.reporting.tripod import SIMULATED, STUDY, counted, items

#: The items of the statement (Collins et al., BMJ 2024;385:e078378).
NUMBERS = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 16 17 "
    "18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
)


def test_every_item_of_the_statement_is_there_once() -> None:
    """52 items of 27 headings, in the statement's order."""
    assert [item.number for item in items(facts_of())] == NUMBERS.split()


def test_every_item_has_an_answer(html: str) -> None:
    """And where it points there is something."""
    found = items(facts_of())
    assert all(item.answer and item.asks for item in found)
    assert all(f'id="{item.anchor}"' in html for item in found if item.anchor)
    assert sum(counted(found).values()) == len(found)


def test_what_only_a_study_knows_is_not_done_and_for_simulated_patients_not_applicable() -> None:
    """Ethics, eligibility, treatments and blinding cannot be read from a cohort's files."""
    people = {"5b", "6a", "6b", "6c", "8b", "8c", "17"}
    clinical = {item.number: item for item in items(facts_of("clinical"))}
    simulated = {item.number: item for item in items(facts_of())}
    assert {(clinical[number].status, clinical[number].answer) for number in people} == {("not done", STUDY)}
    assert {(simulated[number].status, simulated[number].answer) for number in people} == {
        ("not applicable", SIMULATED)
    }


def test_a_run_without_other_folds_claims_no_calibration() -> None:
    """One split has none to calibrate on."""
    for profile, words in (("nested", "A calibrated probability;"), ("paper", "A raw, uncalibrated probability;")):
        answers = {item.number: item.answer for item in items(Facts(reports.sample(profile=profile)))}
        assert answers["15"].startswith(words)


def test_centres_are_answered_where_there_are_several() -> None:
    """One site has no differences between sites."""
    several = {item.number: item.status for item in items(facts_of())}
    one = {item.number: item.status for item in items(facts_of(groups=[]))}
    assert (several["12d"], several["23b"]) == ("partly", "partly")
    said = next(item.answer for item in items(facts_of()) if item.number == "12d")
    assert said == "By site; with one site left out, baselines only."
    assert (one["12d"], one["23b"]) == ("not applicable", "not applicable")
