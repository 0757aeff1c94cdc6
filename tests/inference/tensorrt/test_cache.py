"""The cache: a plan is found by everything that it is tied to, whole or not at all."""

from __future__ import annotations

import fcntl
import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bundle import Bundle
from inference.engines.tensorrt.cache import PlanCache, PlanKey, write_whole
from inference.errors import EngineUnavailable
from tests.inference.tensorrt.conftest import GPU

keys = st.builds(
    PlanKey,
    *[st.text(max_size=4)] * 5,
    buckets=st.lists(st.integers(1, 64), max_size=3).map(tuple),
    recipe=st.integers(1, 3),
)


@pytest.fixture
def key(bundle: Bundle) -> PlanKey:
    """Return the tiny bundle's key on the stand-in machine."""
    return PlanKey.of(bundle, "11.4.0.106", GPU)


def test_a_plan_that_is_kept_is_found(plans: PlanCache, key: PlanKey) -> None:
    """With its bytes and what its trial told; one kept later takes its place."""
    plans.keep(key, b"first", {"serving": [1]})
    plan = plans.keep(key, b"second", {"serving": [1, 8]})
    assert plans.find(key) == plan
    assert plan.path.read_bytes() == b"second" and plan.facts == {"serving": [1, 8]}
    assert len(list(plan.path.parent.iterdir())) == 2


@given(one=keys, other=keys)
def test_two_machines_never_share_a_plan(one: PlanKey, other: PlanKey) -> None:
    """Equal keys have equal names, different ones different."""
    assert (one.digest == other.digest) is (one == other)


@pytest.mark.parametrize("field", [field.name for field in fields(PlanKey)])
def test_a_plan_of_another_machine_is_not_loaded(plans: PlanCache, key: PlanKey, field: str) -> None:
    """Version, GPU, capability, driver, bundle, buckets or recipe: whichever differs."""
    other = replace(key, **{field: {"buckets": (2,), "recipe": 2}.get(field, "other")})
    plans.keep(other, b"plan", {})
    with pytest.raises(EngineUnavailable, match=r"There is no plan of bundle .* for TensorRT 11\.4\.0\.106") as caught:
        plans.find(key)
    assert ("There are plans for: TensorRT" in str(caught.value)) is (field != "bundle_sha256")


def test_a_plan_that_was_put_there_by_hand_is_not_loaded(plans: PlanCache, key: PlanKey) -> None:
    """A folder that was renamed to the wanted name still says whose plan it holds."""
    other = replace(key, gpu="Another GPU")
    folder = plans.keep(other, b"plan", {}).path.parent
    folder.rename(plans.root / key.digest)
    with pytest.raises(EngineUnavailable, match=r"is not used: it was built for another machine or bundle\. Build it"):
        plans.find(key)


@pytest.mark.parametrize("data", [None, b"", b"plam"], ids=["gone", "empty", "another byte"])
def test_a_plan_whose_bytes_changed_is_not_loaded(plans: PlanCache, key: PlanKey, data: bytes | None) -> None:
    """What was tried is what is loaded."""
    path = plans.keep(key, b"plan", {}).path
    path.unlink() if data is None else path.write_bytes(data)
    with pytest.raises(EngineUnavailable, match=r"is not used: its bytes are not those that were tried"):
        plans.find(key)


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"plan": "a", "sha256": "b", "key": {}, "facts": {}})])
def test_a_manifest_that_is_no_manifest_is_not_believed(plans: PlanCache, key: PlanKey, text: str) -> None:
    """And it hides no other plan from the words about those that there are."""
    (plans.keep(key, b"plan", {}).path.parent / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(EngineUnavailable, match=r"manifest\.json is not used: it cannot be read \("):
        plans.find(key)
    plans.keep(replace(key, driver="older"), b"plan", {})
    with pytest.raises(EngineUnavailable, match=r"There are plans for: .*driver older\."):
        plans.find(replace(key, driver="newer"))


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads meanwhile reads the old one."""
    write_whole(tmp_path / "file", b"old")

    def interrupted(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_one_process_builds_at_a_time(plans: PlanCache) -> None:
    """A second one waits at the lock."""
    with plans.lock(), (plans.root / "lock").open("w") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with plans.lock():
        pass


def test_timings_belong_to_a_version_on_a_gpu(plans: PlanCache, key: PlanKey) -> None:
    """Whatever the bundle."""
    assert plans.timing(key) == b""
    plans.keep_timing(key, b"timings")
    assert plans.timing(replace(key, bundle_sha256="other")) == b"timings"
    assert plans.timing(replace(key, gpu="other")) == plans.timing(replace(key, version="other")) == b""
