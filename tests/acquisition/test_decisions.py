"""Decisions: one line each, read back equal or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.decisions import Decision, canonical_json
from acquisition.errors import DecisionError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(), st.integers(0), st.integers(0), st.integers(0), st.dictionaries(st.text(), JSON, max_size=4))
def test_decision_survives_its_line(kind, part, stream, at, data):
    """Whatever it carries, a decision is one line and reads back bit for bit (law 2)."""
    decision = Decision(kind, part, stream, at, data)
    line = decision.to_line()
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert Decision.from_line(line) == decision
    assert Decision.from_line(line).to_line() == line


RUBBISH = [
    b"", b"\n", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"[" * 100_000,
    b'{"kind":"end","part":1,"stream":0,"at":0}',
    b'{"kind":"end","part":1,"stream":0,"at":0,"data":{},"more":1}',
    b'{"kind":"end","part":1,"stream":0,"at":0,"data":[]}',
    b'{"kind":7,"part":1,"stream":0,"at":0,"data":{}}',
    b'{"kind":"end","part":-1,"stream":0,"at":0,"data":{}}',
    b'{"kind":"end","part":1,"stream":0,"at":1.5,"data":{}}',
    b'{"kind":"end","part":1,"stream":true,"at":0,"data":{}}',
]  # fmt: skip


@pytest.mark.parametrize("line", RUBBISH, ids=lambda line: repr(line[:60]))
def test_rubbish_is_refused(line):
    """A line that is not a whole decision is refused, and nothing else is raised (law 10)."""
    with pytest.raises(DecisionError, match="is not a decision; expected one JSON object with kind, part"):
        Decision.from_line(line)


def test_canonical_json_is_one_text():
    """Order of keys leaves no trace; numbers that JSON lacks are refused."""
    assert canonical_json({"b": 1, "a": [0.1, "µ"]}) == '{"a":[0.1,"µ"],"b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_data_is_read_by_type():
    """What a decision carries is taken by its type, or refused with value and place."""
    decision = Decision("lost", 2, 0, 7, {"n": 3, "reason": "gap"})
    assert (decision.count("n"), decision.word("reason")) == (3, "gap")
    with pytest.raises(DecisionError, match=r"Decision lost at part 2, sample 7 has n = 3; expected a whole number, 4"):
        decision.count("n", least=4)
    with pytest.raises(DecisionError, match="n = 3; expected a text"):
        decision.word("n")
