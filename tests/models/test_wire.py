import pytest

from pnas_models._checkpoints._wire import MalformedError, read_bytes, read_fields, read_varint


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x00", 0),
        (b"\x7f", 127),
        (b"\xac\x02", 300),  # the example of Protocol Buffers' documentation
        (b"\x80\x00", 0),
        (b"\xff" * 9 + b"\x01", 2**64 - 1),
    ],
)
def test_a_varint_is_read_where_it_stands(data: bytes, value: int) -> None:
    assert read_varint(b"?" + data + b"?", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9])
def test_a_varint_that_runs_off_the_end_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match="a number runs off the end of its data"):
        read_varint(data, 0)


@pytest.mark.parametrize("data", [b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x00", b"\xff" * 100])
def test_a_varint_of_more_than_64_bits_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match="a number has more than 64 bits"):
        read_varint(data, 0)


def test_bytes_that_are_not_there_are_refused() -> None:
    assert read_bytes(b"abcd", 1, 3) == (b"bcd", 4)
    with pytest.raises(MalformedError, match="18446744073709551615 bytes are expected where 3 are left"):
        read_bytes(b"abcd", 1, 2**64 - 1)


def test_fields_of_every_wire_type_are_read() -> None:
    message = b"\x08\x96\x01" + b"\x11\x01\0\0\0\0\0\0\x80" + b"\x1a\x03abc" + b"\x25\x02\0\0\0" + b"\x80\x7d\x05"
    assert list(read_fields(message)) == [(1, 150), (2, 2**63 + 1), (3, b"abc"), (4, 2), (2000, 5)]
    assert list(read_fields(b"")) == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x0b", "a field has the wire type 3, which no checkpoint uses"),
        (b"\x0f", "a field has the wire type 7, which no checkpoint uses"),
        (b"\x08", "runs off the end"),
        (b"\x1a\x04abc", "4 bytes are expected where 3 are left"),
        (b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\x7fabc", "are expected where 3 are left"),
        (b"\x11\x01\0\0", "8 bytes are expected where 3 are left"),
        (b"\x25\x02\0\0", "4 bytes are expected where 3 are left"),
    ],
)
def test_a_malformed_message_is_refused(message: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        list(read_fields(message))
