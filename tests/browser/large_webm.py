"""Makes a small WebM video large, so that a browser does not load all of it at once.

Before each cluster comes an element of padding, which players skip (RFC 8794, 11.3.2),
and an index of the clusters stands at the beginning (RFC 9559, 5.1.5).
"""

from __future__ import annotations

from collections.abc import Iterator

SEGMENT = bytes.fromhex("18538067")
INFO = bytes.fromhex("1549A966")
TRACKS = bytes.fromhex("1654AE6B")
CLUSTER = bytes.fromhex("1F43B675")
CUES = bytes.fromhex("1C53BB6B")
CUE_POINT, CUE_TIME, CUE_TRACK_POSITIONS = b"\xbb", b"\xb3", b"\xb7"
CUE_TRACK, CUE_CLUSTER_POSITION = b"\xf7", b"\xf1"
TIMESTAMP = b"\xe7"
VOID = b"\xec"


def elements(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the id and the content of each element."""
    at = 0
    while at < len(data):
        id_length = 9 - data[at].bit_length()
        name = data[at : at + id_length]
        at += id_length
        size_length = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + size_length], "big")
        size -= 1 << (7 * size_length)
        at += size_length
        yield name, data[at : at + size]
        at += size


def element(name: bytes, content: bytes) -> bytes:
    """Return an element, its size in eight bytes."""
    return name + (1 << 56 | len(content)).to_bytes(8, "big") + content


def number(name: bytes, value: int) -> bytes:
    return element(name, value.to_bytes(8, "big"))


def index(times: list[int], positions: list[int]) -> bytes:
    points = []
    for time, position in zip(times, positions, strict=True):
        place = number(CUE_TRACK, 1) + number(CUE_CLUSTER_POSITION, position)
        point = number(CUE_TIME, time) + element(CUE_TRACK_POSITIONS, place)
        points.append(element(CUE_POINT, point))
    return element(CUES, b"".join(points))


def with_padding(video: bytes, size: int) -> bytes:
    """Return the video with so many bytes of padding before each cluster."""
    header, segment = elements(video)
    parts = list(elements(segment[1]))
    head = b"".join(
        element(name, part) for name, part in parts if name in {INFO, TRACKS}
    )
    clusters = [part for name, part in parts if name == CLUSTER]
    times = [
        int.from_bytes(dict(elements(cluster))[TIMESTAMP], "big")
        for cluster in clusters
    ]
    padding = element(VOID, bytes(size))
    positions = []
    position = len(head) + len(index(times, [0] * len(times)))
    for cluster in clusters:
        position += len(padding)
        positions.append(position)
        position += len(element(CLUSTER, cluster))
    body = b"".join(padding + element(CLUSTER, cluster) for cluster in clusters)
    whole = head + index(times, positions) + body
    return element(*header) + element(SEGMENT, whole)
