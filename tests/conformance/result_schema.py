"""The result object, key by key: what ``flexion.result/1`` may hold and what must add up in it (law 3)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

STATES = ("INVALID", "COLLECTING", "ABSTAINED", "PARTIAL", "PROVISIONAL", "READY")
#: States in which there is a number.
TOLD = STATES[3:]
STATUSES = ("absent", "collecting", "ok", "abstained", "refused")
FATES = ("scored", "not_scored", "dead_lettered")
#: A session's id: 26 characters of Crockford's base 32.
ULID = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def one_of(*values: object) -> Check:
    """Accept these values alone."""
    return lambda value: value in values


def maybe(check: Check) -> Check:
    """Accept null too."""
    return lambda value: value is None or check(value)


def each(check: Check) -> Check:
    """Accept a list whose every item is accepted."""
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


def text(value: Any) -> bool:
    """Accept a text that says something."""
    return isinstance(value, str) and bool(value)


def truth(value: Any) -> bool:
    """Accept true and false."""
    return isinstance(value, bool)


def count(value: Any) -> bool:
    """Accept a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def number(value: Any) -> bool:
    """Accept a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def share(value: Any) -> bool:
    """Accept a number from 0 to 1."""
    return number(value) and 0 <= value <= 1


def seconds(value: Any) -> bool:
    """Accept a length of time."""
    return number(value) and value >= 0


def sha256(value: Any) -> bool:
    """Accept 64 hexadecimal digits."""
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def ulid(value: Any) -> bool:
    """Accept the id of a session."""
    return isinstance(value, str) and len(value) == 26 and set(value) <= ULID


def points(value: Any) -> bool:
    """Accept a Fugl-Meyer score of the lower limb."""
    return number(value) and 0 <= value <= 34


def ordered(check: Check) -> Check:
    """Accept a list of two that are accepted, the lower first."""
    return lambda value: isinstance(value, list) and len(value) == 2 and all(map(check, value)) and value[0] <= value[1]


interval = ordered(share)


def phase(value: Any) -> bool:
    """Accept a phase, where it begins in the window and how many samples it has."""
    return isinstance(value, list) and len(value) == 3 and text(value[0]) and count(value[1]) and count(value[2])


BUNDLE = {"name": text, "version": text, "sha256": sha256, "origin": one_of("synthetic", "clinical")}
ENGINE = {"backend": text, "device": text, "precision": one_of("fp32", "fp16"), "degraded": truth, "windows": count}
OF_PART = {"status": one_of(*STATUSES), "logit": maybe(number), "probability": maybe(share)}
WEIGHT = {"value": number, "interval": maybe(ordered(number))}
WEIGHING = {
    "method": one_of("equal", "logit_stack", "mean_prob"),
    "untrained": truth,
    "weights": {"eeg_emg": WEIGHT, "fmri": WEIGHT},
}
SIMILARITY = {
    "modality": one_of("eeg_emg"),
    "distance": lambda value: number(value) and value >= 0,
    "percentile": share,
    "limit": share,
    "unlike": truth,
}
OUTCOME = {
    "state": one_of(*STATES),
    "probability": maybe(share),
    "interval": maybe(interval),
    "provisional": truth,
    "modalities": each(one_of("eeg_emg", "fmri")),
    "missing": each(lambda value: fits(value, {"modality": text, "reason": text})),
    "reasons": each(text),
    "parts": {
        "eeg_emg": {**OF_PART, "windows": count, "weight": number},
        "fmri": {**OF_PART, "slices": count, "scan_sha256": maybe(sha256), "scanned_on": maybe(text)},
    },
    "fma": maybe(lambda value: fits(value, {"value": points, "interval": ordered(points)})),
    "fusion": maybe(lambda value: fits(value, WEIGHING)),
    "similarity": maybe(lambda value: fits(value, SIMILARITY)),
}
LEDGER = {
    **dict.fromkeys(("received", "declared_lost", "bridged", "in_windows", "pending", "clock_resets"), count),
    "discarded": dict.fromkeys(("settling", "gap", "partial", "end"), count),
    "rejected": dict.fromkeys(("duplicate", "backward"), count),
    "balanced": truth,
}
SCORE = {
    "index": count,
    "segment": count,
    "first_sample": count,
    "sqi": share,
    "weight": share,
    "state": one_of(*FATES),
    "reason": maybe(text),
    "phases": each(phase),
    "logit": maybe(number),
    "p": maybe(share),
}
RESULT = {
    "schema": one_of("flexion.result/1"),
    "mode": one_of("demo", "live", "replay", "score"),
    "patient": text,
    "bed": maybe(text),
    "session": ulid,
    "replay_of": maybe(text),
    "origin": one_of("simulated", "recorded", "live"),
    "recorded": truth,
    "bundles": {
        "eeg_emg": BUNDLE,
        "fmri": maybe(lambda value: fits(value, BUNDLE)),
        "fusion": maybe(lambda value: fits(value, BUNDLE)),
    },
    "engines": each(lambda value: fits(value, ENGINE)),
    "outcome": OUTCOME,
    "windows": dict.fromkeys(("made", "published", *FATES, "unrecorded"), count),
    "ledger": LEDGER,
    "latency_s": maybe(lambda value: fits(value, dict.fromkeys(("p50", "p99", "max"), seconds))),
    "scores": each(lambda value: fits(value, SCORE)),
}
TIMING = {
    "part": count,
    **dict.fromkeys(("rate_hz", "rate_ppm", "allowance", "offset_s", "drift_ppm"), maybe(number)),
    **dict.fromkeys(("uncertainty_s", "measured_s_ago"), maybe(seconds)),
}
#: What a result has only where it is a part of a recording, or one played over and over, or of two live streams, or
#: where mains of the other frequency hums in it; and what is told of a live session that is shown.
OPTIONAL = {
    "timing": each(lambda value: fits(value, TIMING)),
    "excerpt": {"from_s": seconds, "to_s": seconds},
    "rounds": lambda value: count(value) and value != 1,
    "alignment": {
        **dict.fromkeys(("error_s", "largest_error_s", "uncertainty_s"), maybe(seconds)),
        "slips": count,
    },
    "other_mains": {"hz": one_of(50.0, 60.0), "channels": each(text)},
}
#: Reasons to reject that the ledger of two streams has beside the others.
OF_TWO = ("unpaired", "partner")
REFUSAL = {
    "schema": one_of("flexion.result/1"),
    "error": dict.fromkeys(("kind", "subject", "message", "remedy"), text),
}


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether an object has these keys, no others, and an accepted value at each; say where not."""
    complaints = misfits(value, schema)
    if complaints:
        print("; ".join(complaints))
    return not complaints


def misfits(value: Any, schema: Mapping[str, Any], where: str = "") -> list[str]:
    """Return what does not fit, a sentence each."""
    if not isinstance(value, dict):
        return [f"{where or 'it'} is {value!r}, no object"]
    absent, unknown = schema.keys() - value.keys(), value.keys() - schema.keys()
    said = [f"{where}{key} is absent" for key in sorted(absent)]
    said += [f"{where}{key} is unknown" for key in sorted(unknown)]
    for key in sorted(schema.keys() & value.keys()):
        check = schema[key]
        if isinstance(check, Mapping):
            said += misfits(value[key], check, f"{where}{key}.")
        elif not check(value[key]):
            said.append(f"{where}{key} is {value[key]!r}")
    return said


def check_refusal(value: Any) -> None:
    """Fail unless this is exactly the refusal object."""
    assert misfits(value, REFUSAL) == []


def check_result(result: Any) -> None:
    """Fail unless this is exactly a result object, and everything in it adds up."""
    schema = RESULT | {key: OPTIONAL[key] for key in OPTIONAL.keys() & result.keys()}
    if {*OF_TWO} <= result["ledger"]["rejected"].keys():
        schema["ledger"] = LEDGER | {"rejected": dict.fromkeys(("duplicate", "backward", *OF_TWO), count)}
    assert misfits(result, schema) == []
    if "excerpt" in result:
        assert result["replay_of"] is not None and result["excerpt"]["from_s"] < result["excerpt"]["to_s"]
    _check_windows(result["windows"], result["scores"], result["engines"])
    _check_ledger(result["ledger"])
    _check_outcome(result["outcome"])
    for score in result["scores"]:
        _check_score(score)
    assert result["bed"] is not None or result["mode"] == "score"
    if result["mode"] != "score":  # scoring a session's folder keeps what the session says of itself
        assert (result["replay_of"] is not None) == (result["mode"] == "replay")
    assert result["recorded"] == (result["windows"]["unrecorded"] == 0)


def _check_windows(windows: Mapping[str, int], scores: list[dict[str, Any]], engines: list[dict[str, Any]]) -> None:
    """Every window has exactly one fate, in order, and each scored one names its engine (laws 5 and 6)."""
    fates = Counter(score["state"] for score in scores)
    assert [score["index"] for score in scores] == list(range(windows["made"]))
    assert {fate: windows[fate] for fate in FATES} == {fate: fates[fate] for fate in FATES}
    assert windows["made"] == windows["published"] == sum(windows[fate] for fate in FATES)
    assert sum(engine["windows"] for engine in engines) == windows["scored"]


def _check_ledger(ledger: Mapping[str, Any]) -> None:
    """Every grid sample is somewhere, once."""
    here = ledger["received"] + ledger["declared_lost"]
    assert here == ledger["in_windows"] + sum(ledger["discarded"].values()) + ledger["pending"]
    assert ledger["discarded"]["gap"] == ledger["declared_lost"] - ledger["bridged"]
    assert ledger["balanced"] is True
    assert ledger["pending"] == 0


def _check_outcome(outcome: Mapping[str, Any]) -> None:
    """A number exists in the last three states alone, and a missing modality has its reason (law 8)."""
    told = outcome["state"] in TOLD
    assert told == (outcome["probability"] is not None) == (outcome["interval"] is not None)
    if told:
        assert outcome["interval"][0] <= outcome["probability"] <= outcome["interval"][1]
    for modality, part in outcome["parts"].items():
        assert modality not in outcome["modalities"] or (told and part["status"] == "ok")
        assert (part["logit"] is None) == (part["probability"] is None) == (not told or part["status"] != "ok")
    missing = {gap["modality"] for gap in outcome["missing"]}
    assert missing | {m for m, part in outcome["parts"].items() if part["status"] == "ok"} >= {"eeg_emg", "fmri"}


def _check_score(score: Mapping[str, Any]) -> None:
    """A number belongs to a scored window, a reason to any other."""
    if score["state"] != "scored":
        assert score["logit"] is score["p"] is None and score["reason"] is not None
        return
    assert score["reason"] is None
    assert math.isclose(score["p"], 1 / (1 + math.exp(-score["logit"])), rel_tol=1e-12)
