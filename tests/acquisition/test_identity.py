"""Names and ids: pseudonyms that are safe in paths and keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.errors import IdentityError
from acquisition.identity import check_name, check_session_id, new_session_id, same_name


@pytest.mark.parametrize("name", ["P", "P-017", "0", "a" * 32, "bed4"])
def test_pseudonyms_are_allowed(name):
    """Letters, digits and hyphens, up to 32."""
    assert check_name("patient", name) == name


@pytest.mark.parametrize("name", ["", "-1", "a" * 33, "Müller", "a b", "a/b", "..", "a\n", "p_1", "{x}"])
def test_other_names_are_refused(name):
    """Anything that could leave a folder, a key or a screen is refused, with what to do."""
    with pytest.raises(IdentityError, match="expected 1 to 32 letters, digits and hyphens") as refusal:
        check_name("bed", name)
    assert "Give the bed a pseudonym" in str(refusal.value)


def test_names_differ_by_more_than_case():
    """P-1 and p-1 are one patient."""
    assert same_name("P-1", "p-1") and not same_name("P-1", "P-2")


@given(st.floats(0, 2**47 / 1000), st.floats(0, 2**47 / 1000))
def test_session_ids_sort_by_time(one_s, other_s):
    """An id is a ULID: 26 digits that sort as their moments do."""
    one, other = new_session_id(one_s), new_session_id(other_s)
    assert check_session_id(one) == one
    if int(one_s * 1000) < int(other_s * 1000):
        assert one < other


def test_session_ids_do_not_repeat():
    """Eighty random bits tell sessions of one millisecond apart."""
    assert len({new_session_id(1e9) for _ in range(1000)}) == 1000
    assert new_session_id()[:2] == "01"


@pytest.mark.parametrize("text", ["", "../../etc", "01JD" * 6, "8" + "0" * 25, "0" * 25 + "U", "0" * 25 + "a"])
def test_what_is_no_session_id_is_refused(text):
    """Nothing but an id becomes part of a path."""
    with pytest.raises(IdentityError, match="is not an id"):
        check_session_id(text)
