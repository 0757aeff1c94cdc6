"""What an XDF file says about one stream: its name, rate, format, channels, and where it came from."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from acquisition.errors import RecordingError

#: XDF's words for the numeric formats; everything is little endian in the file.
DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "double64": np.dtype("<f8"),
    "int64": np.dtype("<i8"),
    "int32": np.dtype("<i4"),
    "int16": np.dtype("<i2"),
    "int8": np.dtype("i1"),
}
#: The format of markers.
STRING = "string"
#: More channels than any amplifier has: a count above it is rubbish and must not become an allocation.
MAX_CHANNELS = 4096
#: Characters that XML 1.0 cannot carry.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class StreamHeader:
    """One stream of an XDF file.

    Parameters
    ----------
    name, type : str
        As LSL has them, e.g. ``"Amp16"`` and ``"EEG"``.
    channel_format : str
        A key of ``DTYPES``, or ``"string"``.
    rate_hz : float
        Nominal rate; 0 for irregular streams such as markers.
    channel_count : int
        Values per sample.
    labels, units, kinds : tuple of str
        One per channel, or empty where the source said nothing; an unstated unit is ``None``.
    source_id, hostname, uid : str
        Where the stream came from.
    created_at_s : float
        LSL clock when the outlet was made.
    origin : str
        ``"simulated"`` where the source says so, else ``"recorded"``.
    """

    name: str
    type: str
    channel_format: str
    rate_hz: float
    channel_count: int
    labels: tuple[str, ...] = ()
    units: tuple[str | None, ...] = ()
    kinds: tuple[str, ...] = ()
    source_id: str = ""
    hostname: str = ""
    uid: str = ""
    created_at_s: float = 0.0
    origin: str = "recorded"

    def to_xml(self) -> bytes:
        """Return the content of a StreamHeader chunk, after the stream's number."""
        info = ElementTree.Element("info")
        for tag, value in self._fields():
            ElementTree.SubElement(info, tag).text = _clean(value)
        desc = ElementTree.SubElement(info, "desc")
        ElementTree.SubElement(desc, "origin").text = _clean(self.origin)
        channels = ElementTree.SubElement(desc, "channels")
        for index, label in enumerate(self.labels):
            channel = ElementTree.SubElement(channels, "channel")
            for tag, values in (("label", (label,)), ("unit", self.units[index:]), ("type", self.kinds[index:])):
                if values and values[0]:
                    ElementTree.SubElement(channel, tag).text = _clean(values[0])
        return xml_bytes(info)

    def _fields(self) -> list[tuple[str, str]]:
        return [
            ("name", self.name),
            ("type", self.type),
            ("channel_count", str(self.channel_count)),
            ("nominal_srate", repr(float(self.rate_hz))),
            ("channel_format", self.channel_format),
            ("source_id", self.source_id),
            ("created_at", repr(float(self.created_at_s))),
            ("uid", self.uid),
            ("hostname", self.hostname),
        ]

    @classmethod
    def from_xml(cls, content: bytes) -> StreamHeader:
        """Read the content of a StreamHeader chunk, after the stream's number.

        Raises
        ------
        RecordingError
            If it is not XML, or its channel count or format makes no sense.
        """
        info = parse_xml(content)
        channels = info.findall("./desc/channels/channel")
        count = _whole_number(info)
        header = cls(
            name=_text(info, "name"),
            type=_text(info, "type"),
            channel_format=_known_format(info),
            rate_hz=_positive(info, "nominal_srate"),
            channel_count=count,
            source_id=_text(info, "source_id"),
            hostname=_text(info, "hostname"),
            uid=_text(info, "uid"),
            created_at_s=_positive(info, "created_at"),
            origin="simulated" if _origin(info) == "simulated" else "recorded",
        )
        if len(channels) != count:
            return header
        return header.with_channels(channels)

    def with_channels(self, channels: list[ElementTree.Element]) -> StreamHeader:
        """Return the header with what its ``desc/channels`` says; labels only where every channel has one."""
        fields = dict(self.__dict__)
        labels = tuple(_text(channel, "label") or _text(channel, "name") for channel in channels)
        fields["labels"] = labels if all(labels) else ()
        fields["units"] = tuple(_text(channel, "unit") or None for channel in channels)
        fields["kinds"] = tuple(_text(channel, "type") for channel in channels)
        return StreamHeader(**fields)


def parse_xml(content: bytes) -> ElementTree.Element:
    """Read the XML of a header or footer.

    Raises
    ------
    RecordingError
        If it is not well-formed, or declares entities, which no LSL source does.
    """
    if b"<!" in content:
        raise RecordingError("a header holds an XML declaration of its own ('<!'), which no LSL source writes.")
    try:
        return ElementTree.fromstring(content.rstrip(b"\0"))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise RecordingError(f"a header is not XML: {error}.") from error


def xml_bytes(info: ElementTree.Element) -> bytes:
    """Return an XML document in UTF-8."""
    return b'<?xml version="1.0"?>' + ElementTree.tostring(info, encoding="unicode").encode()


def _clean(value: str) -> str:
    return _NOT_XML.sub("?", value)


def _text(element: ElementTree.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def _origin(info: ElementTree.Element) -> str:
    return (_text(info, "./desc/origin") or _text(info, "./desc/acquisition/origin")).casefold()


def _known_format(info: ElementTree.Element) -> str:
    channel_format = _text(info, "channel_format")
    if channel_format not in (*DTYPES, STRING):
        expected = ", ".join((*DTYPES, STRING))
        raise RecordingError(f"a stream's channel format is {channel_format!r}; expected one of {expected}.")
    return channel_format


def _whole_number(info: ElementTree.Element) -> int:
    text = _text(info, "channel_count")
    if not text.isascii() or not text.isdigit() or len(text) > 20 or int(text) > MAX_CHANNELS:
        raise RecordingError(f"a stream's channel count is {text[:40]!r}; expected 0 to {MAX_CHANNELS}.")
    return int(text)


def _positive(info: ElementTree.Element, tag: str) -> float:
    try:
        value = float(_text(info, tag))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0
