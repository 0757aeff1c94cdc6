"""The fault table on real LSL, each row once; ``make faults-table`` plays it many times over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.streaming.bridging import scoring

from .rows import TABLE
from .side import Outcome, play_rows

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(600)]

#: Rows at a time: they mostly wait for signal that comes at its own pace.
SIDE = 8


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Outcome]]:
    """Play all rows that this run asks for, beside each other."""
    asked = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]
    with scoring(redis_server):
        yield {o.name: o for o in play_rows(asked, redis_server, tmp_path_factory.mktemp("rows"), SIDE)}


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_is_in_the_ledger_to_the_sample(name: str, outcomes: Mapping[str, Outcome]) -> None:
    """Every sample that was sent is accounted for, and the windows are those that the folder gives (laws 1 to 4)."""
    assert outcomes[name].passed, f"row {name}:\n{outcomes[name].tail}"
