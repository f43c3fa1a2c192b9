"""The table of sorted keys and values (LevelDB's format) that is the index of a TensorFlow V2 checkpoint."""

from collections.abc import Iterator

import google_crc32c

from pnas_models._checkpoints._wire import MalformedError, read_bytes, read_varint

_FOOTER_SIZE = 48
_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_TRAILER_SIZE = 5  # of every block: its compression, and the checksum of both
_UNCOMPRESSED, _SNAPPY = 0, 1


def read_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys, in ascending order, with their values; raises `MalformedError`.

    The format: https://github.com/google/leveldb/blob/main/doc/table_format.md
    """
    if data[-len(_MAGIC) :] != _MAGIC or len(data) < _FOOTER_SIZE:
        raise MalformedError("it does not end as a table does, so it is cut off, a V1 checkpoint or something else")
    handles = data[-_FOOTER_SIZE : -len(_MAGIC)]
    _, position = _read_block(data, handles, 0)  # the index of further metadata, which TensorFlow leaves empty
    index, _ = _read_block(data, handles, position)
    previous = None
    for _, handle in _entries(index):
        block, _ = _read_block(data, handle, 0)
        for key, value in _entries(block):
            if previous is not None and key <= previous:
                raise MalformedError(f"its keys are not in order: {key!r} comes after {previous!r}")
            yield key, value
            previous = key


def masked_crc32c(data: bytes) -> int:
    """CRC32C as LevelDB and TensorFlow store it: changed, so that a checksum can itself be part of what is checked."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _read_block(data: bytes, handle: bytes, position: int) -> tuple[bytes, int]:
    """The block that a handle (offset and size) points to, and the position behind the handle."""
    offset, position = read_varint(handle, position)
    size, position = read_varint(handle, position)
    block, end = read_bytes(data, offset, size + 1)
    stored, _ = read_bytes(data, end, _TRAILER_SIZE - 1)
    if masked_crc32c(block) != int.from_bytes(stored, "little"):
        raise MalformedError(f"its block at byte {offset} does not match its checksum")
    compression = block[-1]
    if compression != _UNCOMPRESSED:
        name = "Snappy" if compression == _SNAPPY else f"the unknown method {compression}"
        raise MalformedError(f"its block at byte {offset} is compressed with {name}, and only plain ones are read")
    return block[:-1], position


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The entries before a block's restart points; each key leaves out what it shares with the one before it."""
    n_restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (n_restarts + 1)
    if end < 0:
        raise MalformedError(f"a block of {len(block)} bytes cannot hold {n_restarts} restart points")
    entries = block[:end]
    key, position = b"", 0
    while position < end:
        n_shared, position = read_varint(entries, position)
        n_rest, position = read_varint(entries, position)
        value_size, position = read_varint(entries, position)
        rest, position = read_bytes(entries, position, n_rest)
        value, position = read_bytes(entries, position, value_size)
        if n_shared > len(key):
            raise MalformedError(f"a key shares {n_shared} bytes with one of {len(key)}")
        key = key[:n_shared] + rest
        yield key, value
