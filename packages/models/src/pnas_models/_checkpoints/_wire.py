"""Varints and Protocol Buffers' wire format: what it takes to read a checkpoint's index without TensorFlow."""

from collections.abc import Iterator


class MalformedError(ValueError):
    """Bytes are not what their format says; the message is the reason, for a sentence that also names the file."""


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """The unsigned number of at most 64 bits at a position, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise MalformedError("a number runs off the end of its data")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80 and value < 2**64:
            return value, position
    raise MalformedError("a number has more than 64 bits")


def read_bytes(data: bytes, position: int, size: int) -> tuple[bytes, int]:
    """So many bytes at a position, and the position behind them."""
    end = position + size
    if end > len(data):
        raise MalformedError(f"{size} bytes are expected where {len(data) - position} are left")
    return data[position:end], end


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message as (number, value); how a value is to be understood is the reader's to know."""
    position = 0
    while position < len(message):
        tag, position = read_varint(message, position)
        value, position = _read_value(message, position, tag & 7)
        yield tag >> 3, value


def _read_value(message: bytes, position: int, wire_type: int) -> tuple[int | bytes, int]:
    match wire_type:
        case 0:
            return read_varint(message, position)
        case 1 | 5:
            number, position = read_bytes(message, position, 8 if wire_type == 1 else 4)
            return int.from_bytes(number, "little"), position
        case 2:
            size, position = read_varint(message, position)
            return read_bytes(message, position, size)
        case _:
            raise MalformedError(f"a field has the wire type {wire_type}, which no checkpoint uses")
