"""The bench of the drawing: the wave that is served, what is said of both drawings, and one short run of it all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.bench import drawing, measured_page, streamed
from deploy.bench.drawing import DrawingReport, Drawn, Figure, Mark
from deploy.bench.machine import Machine
from streaming.waves import WaveFrame

HERE = Machine("2026-11-23T10:00:00+00:00", "Some CPU", 2, 8.0, "Linux 6", "3.11", {"playwright": "1"}, 0.1)
OURS = Drawn(60.0, 0.1, 0.3, 16.8, 58.0, 0.9, 0.11, 1_000_000, 1_050_000, 20.0)
PEER = Drawn(45.0, 4.0, 6.0, 33.0, 20.0, 9.0, 0.45, 2_000_000, 1_900_000, 20.0)


@pytest.fixture(scope="module")
def wave() -> streamed.Wave:
    """Return half a second of a wave."""
    return streamed.record(0.5)


def report(ours: Drawn = OURS) -> DrawingReport:
    """Return a report of one round."""
    return DrawingReport(HERE, "150", (ours,), (PEER,), (0.05,))


def test_a_wave_goes_on_over_its_end(wave) -> None:
    """Places and stamps go on where the recording begins anew; the samples are the recorded ones."""
    assert (len(wave.frames), wave.frame_s) == (25, 0.02)
    first, again = (WaveFrame.decode(wave.frame(n, 5.0 + n)) for n in (3, 28))
    assert (first.first_sample, again.first_sample) == (60, 560)
    assert (again.stamp_s, again.steps.shape) == (33.0, (20, 16))
    assert (first.steps == again.steps).all()


def test_the_patient_of_the_wave_moves(wave) -> None:
    """Muscles at rest would be lines, cheap to draw: the recording begins after the patient lay still."""
    still = streamed.STILL_S
    assert still == 30.0
    assert max(abs(WaveFrame.decode(frame).steps[:, 10:]).max() for frame in wave.frames) > 20


def test_a_report_says_ratios_and_marks() -> None:
    """Ours beside the peer's, above idle where that counts, and whether the mark is met."""
    rows = {row[0]: row[1:] for row in report().rows()}
    assert rows["frames a second"] == ("60 /s", "≥ 59: met", "45 /s", "1.3×")
    assert rows["script per frame, p95"] == ("0.3 ms", "≤ 0.5: met", "6 ms", "0.05×")
    assert rows["browser's share of a core above idle"] == ("6 %", "", "40 %", "0.15×")
    assert rows["growth of that"] == ("50 kB", "", "-100 kB", "")
    missed = report(replace(OURS, slowed_fps=50.0)).rows()[1]
    assert missed[:3] == ("frames a second, 4× slowed", "50 /s", "≥ 55: missed")


def test_a_report_as_json_and_as_a_page() -> None:
    """The same figures, with every round; the machine is named."""
    told = report().to_json()
    assert told["bench"] == "drawing" and told["ours"][0]["fps"] == 60.0 and told["idle_shares"] == [0.05]
    assert told["figures"][0]["met"] is True and told["figures"][0]["ratio"] == pytest.approx(4 / 3)
    page = report().markdown()
    assert "Chromium 150" in page and "| script per frame, p95 | 0.3 ms |" in page
    figure = "| script per frame, p95, 16 channels | 0.3 ms; uPlot 6 ms; 0.05× | "
    assert figure + "Some CPU, 2 cores, quiet | 2026-11-23 | `flexion bench drawing` |" in page


def test_a_ratio_that_means_nothing_is_left_out() -> None:
    """Below nothing, or by nothing."""
    assert Figure("what", "s", -1.0, 2.0).ratio is None
    assert Figure("what", "s", 1.0, 0.0).ratio is None
    assert Figure("what", "s", 1.0, 2.0, Mark(0.5, False)).row()[2] == "≤ 0.5: missed"


def test_ours_alone_has_no_ratios() -> None:
    """A stretch of an hour is drawn without the peer."""
    alone = replace(report(), peer=())
    assert alone.rows()[3] == ("script per frame, p95", "0.3 ms", "≤ 0.5: met", "", "")
    assert "| growth of that, 16 channels | 50 kB | Some CPU" in alone.markdown()
    assert alone.to_json()["figures"][0]["peer"] is None


def test_a_process_that_ended_took_no_time() -> None:
    """Processes of a browser come and go while they are counted."""
    assert measured_page._cpu_s(2**30) == 0.0


@pytest.mark.browser
def test_both_drawings_are_measured(chromium: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One short round: both draw, on the same frames, with an exact clock; no figure is judged."""
    monkeypatch.setattr(drawing, "WARM_S", 0.5)
    monkeypatch.setattr(drawing, "RECORDED_S", 2.0)
    told: list[str] = []
    found = drawing.measure(1.0, 1, told.append)
    assert told == ["Recording a wave.", "Round 1 of 1."]
    for drawn in (*found.ours, *found.peer):
        assert drawn.fps > 0 and drawn.script_p95_ms > 0 and drawn.slowed_fps > 0 and drawn.heap_end_bytes > 0
