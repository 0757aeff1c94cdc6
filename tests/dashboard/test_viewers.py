"""The queues of the viewers: a slow one holds up nobody."""

import asyncio

from dashboard.viewers import EventViewer, WaveViewer


def test_a_full_event_viewer_is_let_go() -> None:
    """Events are lossless: rather than lose one, a viewer is sent away to come back."""

    async def scenario() -> None:
        viewer = EventViewer(kept=2)
        assert [viewer.put(b"a"), viewer.put(b"b"), viewer.put(b"c")] == [True, True, False]
        assert viewer.closed
        assert await viewer.next() is None

    asyncio.run(scenario())


def test_all_that_waits_comes_in_one_piece() -> None:
    """A viewer that was behind catches up in one write."""

    async def scenario() -> None:
        viewer = EventViewer()
        viewer.put(b"a")
        viewer.put(b"b")
        assert await viewer.next() == b"ab"

    asyncio.run(scenario())


def test_the_name_of_a_session_is_never_dropped() -> None:
    """However far a viewer is behind, no frame is drawn under the name of the session before."""

    async def scenario() -> None:
        viewer = WaveViewer(kept=2)
        viewer.put(b"old")
        viewer.begin("new session")
        for frame in (b"1", b"2", b"3"):
            viewer.put(frame)
        assert [await viewer.next() for _ in range(3)] == ["new session", b"2", b"3"]

    asyncio.run(scenario())


def test_a_slow_wave_viewer_gets_the_newest_frames() -> None:
    """Waves: newest wins, and what was dropped is counted."""

    async def scenario() -> None:
        viewer = WaveViewer(kept=2)
        for frame in (b"1", b"2", b"3"):
            viewer.put(frame)
        assert [await viewer.next(), await viewer.next()] == [b"2", b"3"]
        assert viewer.dropped == 1

    asyncio.run(scenario())


def test_another_session_clears_the_frames_of_the_one_before() -> None:
    """No frame is drawn under the name of another session."""

    async def scenario() -> None:
        viewer = WaveViewer()
        viewer.put(b"old")
        viewer.begin("hello")
        viewer.put(b"new")
        assert [await viewer.next(), await viewer.next()] == ["hello", b"new"]

    asyncio.run(scenario())


def test_a_waiting_viewer_is_woken_by_a_message_and_by_the_end() -> None:
    """Nothing polls: a viewer sleeps until there is something."""

    async def scenario() -> None:
        events, wave = EventViewer(), WaveViewer()
        waiting = [asyncio.create_task(events.next()), asyncio.create_task(wave.next())]
        await asyncio.sleep(0)
        events.put(b"a")
        wave.close()
        assert await asyncio.gather(*waiting) == [b"a", None]

    asyncio.run(scenario())
