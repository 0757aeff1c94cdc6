"""Output: results on stdout, words for people on stderr; with ``--json`` exactly one object on stdout."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from acquisition.errors import FlexionError
from deploy.times import words_of

#: Name and version of every object on stdout.
SCHEMA = "flexion.result/1"
#: Columns of a table that no terminal shows; more than any row needs.
PIPE_WIDTH = 240
#: A word of so many letters is kept whole where a terminal is narrow.
WHOLE_WORD = 20
#: What stands under every result.
CAUTION = "Research software: not a medical device, not for diagnosis."


def say(words: str) -> None:
    """Tell people something."""
    print(words, file=sys.stderr, flush=True)


def put_json(value: Mapping[str, Any]) -> None:
    """Write the one object; what is no number becomes null, as JSON knows none."""
    print(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False), flush=True)


def put_table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table for people on stdout; without a terminal it is as wide as it needs to be."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Into a file or pipe a table is as wide as it needs to be, in a terminal as wide as that.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    for column, name in enumerate(head):
        words = " ".join([name, *(row[column] for row in cells)]).split()
        table.add_column(name, overflow="fold", min_width=min(WHOLE_WORD, max(map(len, words), default=1)))
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def put_refusal(error: FlexionError, *, as_json: bool) -> None:
    """Say what is wrong and what to do, in one line; with ``--json`` also as the refusal object."""
    say(f"flexion: {error}")
    if as_json:
        put_json({"schema": SCHEMA, "error": error.as_refusal()})


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def put_result(result: Mapping[str, Any], name: str) -> None:
    """Write one result for people: the state first, the number second, then what it rests on (law 8)."""
    for line in result_lines(result, name):
        print(line, flush=True)


def result_lines(result: Mapping[str, Any], name: str) -> list[str]:
    """Return the lines of one result, each a whole statement."""
    outcome, windows, ledger = result["outcome"], result["windows"], result["ledger"]
    number = number_of(outcome)
    lines = [f"{name}: {outcome['state']}{number and f', probability {number}'}", *_of_what(result)]
    lines += [f"  {reason}" for reason in outcome["reasons"]]
    lines += [f"  missing {gap['modality']}: {gap['reason']}" for gap in outcome["missing"]]
    lines += [f"  {line}" for line in (*_both(outcome), *_synthetic([result]))]
    lines.append(
        f"  windows: {windows['made']} made, {windows['scored']} scored, {windows['not_scored']} not scored, "
        f"{windows['dead_lettered']} dead-lettered"
    )
    lines.append(
        f"  samples: {ledger['received']} received, {ledger['declared_lost']} lost, {ledger['in_windows']} in windows; "
        f"the ledger {'balances' if ledger['balanced'] else 'does NOT balance'}"
    )
    if "alignment" in result:
        lines.append(f"  {alignment_words(result['alignment'])}")
    lines += [f"  {timing_words(timing)}" for timing in result.get("timing", ())]
    if not result["recorded"]:
        lines.append("  NOT all of it was recorded")
    if result["latency_s"]:
        p50, p99 = result["latency_s"]["p50"], result["latency_s"]["p99"]
        lines.append(f"  from a window's last sample to its result: {p50:.3f} s median, {p99:.3f} s p99")
    lines.append(f"  {CAUTION}")
    return lines


def alignment_words(alignment: Mapping[str, Any]) -> str:
    """Return how well two streams were aligned, in a sentence."""
    error_s, uncertainty_s = alignment["error_s"], alignment["uncertainty_s"]
    if error_s is None:
        return "two streams: never aligned"
    known = "unknown" if uncertainty_s is None else f"known to {_ms(uncertainty_s)}"
    return (
        f"two streams: aligned to {_ms(error_s)} (median; {_ms(alignment['largest_error_s'])} at most), "
        f"their clocks' offsets {known}, slips by a sample: {alignment['slips']}"
    )


def timing_words(timing: Mapping[str, Any]) -> str:
    """Return how the time of one part ran, in a sentence."""
    words = f"time of part {timing['part']}: "
    if timing["rate_hz"] is None:
        words += "too short to tell the true rate"
    else:
        words += f"{timing['rate_hz']:.3f} Hz ({timing['rate_ppm']:+.0f} ppm)"
    words += f", stamps up to {timing['allowance']:.0f} samples off are no loss"
    if timing["offset_s"] is not None:
        side = "ahead" if timing["offset_s"] < 0 else "behind"
        words += f"; the amplifier's clock lay {_ms(abs(timing['offset_s']))} {side}"
    if timing["drift_ppm"] is not None:
        words += f" and ran {timing['drift_ppm']:+.1f} ppm"
    return words


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _of_what(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield how much of its recording a result is, where it is not all of it, once."""
    if "excerpt" in result:
        span = " to ".join(words_of(result["excerpt"][key]) for key in ("from_s", "to_s"))
        yield f"  excerpt: {span} of {result['replay_of']}"
    if "rounds" in result:
        times = f"{result['rounds']} times" if result["rounds"] else "until it was ended"
        yield f"  {result['replay_of']} over and over, {times}"


def put_caution(results: Iterable[Mapping[str, Any]]) -> None:
    """Write under a table of results what holds for all of them (law 9)."""
    for line in (*_synthetic(results), CAUTION):
        print(line, flush=True)


def _both(outcome: Mapping[str, Any]) -> Iterator[str]:
    """Yield what each modality says alone and what weighs it, where the number is of both."""
    fusion = outcome.get("fusion")
    if fusion is None:
        return
    names = {"eeg_emg": "EEG and EMG", "fmri": f"fMRI of {outcome['parts']['fmri']['scanned_on']}"}
    for modality, name in names.items():
        weight = fusion["weights"][modality]
        span = "" if weight["interval"] is None else " [{:.2f}, {:.2f}]".format(*weight["interval"])
        yield f"{name} alone: {outcome['parts'][modality]['probability']:.2f}, weight {weight['value']:.2f}{span}"
    if fusion["untrained"]:
        yield "no patient had a say in these weights"


def _synthetic(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the line that names the models which simulated patients trained; none where there are none."""
    bundles = [bundle for result in results for bundle in result["bundles"].values() if bundle]
    names = dict.fromkeys(bundle["name"] for bundle in bundles if bundle["origin"] == "synthetic")
    return [f"trained on simulated patients: {', '.join(names)}"] if names else []


def number_of(outcome: Mapping[str, Any]) -> str:
    """Return an outcome's probability with its interval; empty where there is none."""
    if outcome["probability"] is None:
        return ""
    low, high = outcome["interval"]
    provisional = " (provisional)" if outcome["provisional"] else ""
    return f"{outcome['probability']:.2f} [{low:.2f}, {high:.2f}]{provisional}"
