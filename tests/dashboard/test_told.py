"""What the server says in English has its like in every language: nobody reads half a sentence in another."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acquisition.link import LinkState, State
from dashboard.wording import Standing, cause_words
from inference.aggregation import weigh
from inference.canary import drift
from inference.outcome import REPEATED, fmri_part, outcome_of
from inference.reasons import too_few, unusable
from inference.similarity import Similarity, notice_of, reason_of
from tests.conftest import lacking
from tests.dashboard.conftest import result

WORDS = Path(__file__).parents[2] / "dashboard" / "static" / "words"
SCRIPT = f"""
import {{ CATALOGUE }} from "{WORDS}/catalogue.js";
import {{ inOther, sentencesOf }} from "{WORDS}/told.js";
const known = sentencesOf(CATALOGUE.en.told, CATALOGUE.zh.told);
console.log(JSON.stringify(JSON.parse(process.argv[1]).map((text) => inOther(text, known))));
"""
#: Names that are the same in every language.
NAMES = re.compile(r"Redis|EEG|EMG|fMRI|lstm-bands|onnxruntime-cpu|noise|flexion|--bundle|C3|P3|RF")


def causes() -> list[str]:
    """Return every reason for which no window comes."""
    well = Standing(0.4, 0.5, 0.2, "LIVE", "", 0)
    links = [LinkState(state, 0.0).cause(7.0) for state in State if state is not State.LIVE]
    silent = [replace(well, state="LOST", cause=link) for link in links]
    waiting = [replace(well, waiting=n, scorer_age_s=age) for n in (1, 3) for age in (0.2, 9.0)]
    absent = [replace(well, redis_age_s=9), replace(well, bridge_age_s=9)]
    states = [replace(well, state=state) for state in ("LIVE", "SETTLING", "LOST", "STALLED")]
    return [*links, *map(cause_words, (*absent, *states, *silent, *waiting))]


def reasons() -> list[str]:
    """Return every reason for which windows give no number."""
    good = result("S", 0)
    without = {"logit": None, "embedding": None, "weight": 0.0, "reason": "quality"}
    spoilt = [replace(good, index=i, state="not_scored", channel_quality=(0.1, 1.0), **without) for i in range(7)]
    loose = [replace(one, channel_quality=(0.1,) * 6) for one in spoilt]
    dead = [replace(one, state="dead_lettered", channel_quality=(1.0,)) for one in spoilt]
    labels = ("C3", "RF", "A", "B", "C", "D")
    seen = [weigh(results, 10_000) for results in ([good], spoilt, spoilt[:1], loose, dead, dead[:1])]
    few = [too_few(evidence, labels, 2, ended=ended) for evidence in seen for ended in (False, True)]
    return few + [unusable(evidence, labels, ended=ended) for evidence in seen for ended in (False, True)]


def outcomes() -> list[str]:
    """Return what is missing, and what stands beside a number."""
    bare = outcome_of([], None)
    far = Similarity(9.0, 0.999)
    notice = notice_of(far) or {}
    scan = fmri_part(None, None, ended=False)
    return [REPEATED, *bare.reasons, scan.reason, reason_of(far), notice["text"], notice["remedy"]]


def changes() -> list[str]:
    """Return what is said of an engine that gives other bits than at its start."""
    error = drift("onnxruntime-cpu", "lstm-bands 1.0.0 (703064549430)", 4.84949732, 4.84949684, datetime.now(UTC))
    return [error.message, error.remedy]


@pytest.mark.parametrize("sentences", [causes, reasons, outcomes, changes], ids=lambda sentences: sentences.__name__)
def test_every_sentence_of_the_server_is_in_the_catalogue(sentences: object) -> None:
    """As the real functions make it, with real values: no English word is left in the Chinese."""
    node = shutil.which("node") or lacking("node on PATH")
    english = [text for text in sentences() if text]  # type: ignore[operator]
    asked = [node, "--input-type=module", "--eval", SCRIPT, json.dumps(english)]
    chinese = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    assert len(chinese) == len(english) > 0
    pairs = zip(english, chinese, strict=True)
    assert [(one, other) for one, other in pairs if re.search("[a-z]{2,}", NAMES.sub("", other))] == []
