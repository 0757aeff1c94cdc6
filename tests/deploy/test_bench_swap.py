"""``flexion bench swap``: a small one whole, and what is said where nothing is scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from acquisition.errors import BadEnvironment
from deploy.bench import swap as bench
from deploy.settings import Settings, changed


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_whole_bench(settings: Settings, tmp_path: Path) -> None:
    """One change there and one back; every window has its score, and those of the changes are told apart."""
    said: list[str] = []
    one = changed(settings, {"models.scorers": 1})
    found = bench.measure(tmp_path, one, 2, 5.0, 1.0, said.append)
    told = json.loads(json.dumps(found.to_json()))
    otherwise, meanwhile, took = told["lines"]
    assert told["lost"] == 0 and told["windows"] >= otherwise["n"] + meanwhile["n"] > 0
    assert took["n"] == 2 and took["p50"] > 100.0
    assert told["p99_meanwhile_by_otherwise"] == pytest.approx(meanwhile["p99"] / otherwise["p99"])
    assert said[-1] == "change 2 of 2" and "of tiny 1.0.0 on 1 scorer; " in found.words
    assert found.markdown().count("\n| ") == 5


def test_nothing_is_measured_where_nothing_is_scored(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scorers that do not begin are said so, and every process ends."""
    monkeypatch.setattr(bench, "READY_S", 0.0)
    monkeypatch.setattr("deploy.bench.window_feed.LAST_S", 0.0)
    with pytest.raises(BadEnvironment, match=r"Nothing was scored within 0 s"):
        bench.measure(tmp_path, settings, 1, 5.0, 1.0, lambda words: None)


@pytest.mark.parametrize(
    ("n", "words"), [(1, "on 1 scorer; 1 window, 0 lost."), (2, "on 2 scorers; 2 windows, 0 lost.")]
)
def test_one_is_told_as_one(n: int, words: str) -> None:
    """As people say it."""
    none = bench.Spread("", np.array([]))
    assert bench.SwapReport(bench.this_machine(()), "m", n, 1.0, none, none, none, n, 0).words.endswith(words)


def test_a_ratio_needs_both() -> None:
    """Where no window came while something changed, there is none."""
    none = bench.Spread("", np.array([]))
    report = bench.SwapReport(bench.this_machine(()), "m", 1, 1.0, none, none, none, 0, 0)
    assert report.to_json()["p99_meanwhile_by_otherwise"] is None
