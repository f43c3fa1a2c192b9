import gzip
import struct
from pathlib import Path

import pytest

from pnas_models._checkpoints._sstable import masked_crc32c, read_table
from pnas_models._checkpoints._wire import MalformedError

DATA = Path(__file__).parent / "data"
MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low]) if rest == 0 else bytes([low | 0x80]) + varint(rest)


def entry(n_shared: int, rest: bytes, value: bytes) -> bytes:
    return varint(n_shared) + varint(len(rest)) + varint(len(value)) + rest + value


def block(*entries: bytes, n_restarts: int = 1) -> bytes:
    return b"".join(entries) + bytes(4) + struct.pack("<I", n_restarts)


class Table:
    """A table written by hand, block by block, with whatever is wrong in them, and right checksums."""

    def __init__(self) -> None:
        self.data = b""

    def add(self, content: bytes, compression: int = 0) -> bytes:
        """The block's handle."""
        handle = varint(len(self.data)) + varint(len(content))
        content += bytes([compression])
        self.data += content + struct.pack("<I", masked_crc32c(content))
        return handle

    def finish(self, *handles: bytes) -> bytes:
        """With the handles of data blocks in its index."""
        index = self.add(block(*(entry(0, b"key %d" % i, handle) for i, handle in enumerate(handles))))
        return self.close(self.add(block()), index)

    def close(self, metadata: bytes, index: bytes) -> bytes:
        return self.data + (metadata + index).ljust(40, b"\0") + MAGIC

    def of(self, *entries: bytes) -> bytes:
        return self.finish(self.add(block(*entries)))


def test_the_checksum_is_that_of_leveldb() -> None:
    # RFC 3720, B.4: the CRC32C of 32 zeros is 8a9136aa; rotated right by 15 bits it is 6d551522.
    assert masked_crc32c(bytes(32)) == (0x6D551522 + 0xA282EAD8) % 2**32
    assert masked_crc32c(b"") == 0xA282EAD8


def test_keys_are_put_together_from_what_they_share() -> None:
    table = Table()
    first = table.add(
        block(entry(0, b"", b"header"), entry(0, b"cell/a", b"1"), entry(5, b"b", b""), entry(4, b"s", b"3"))
    )
    second = table.add(block(entry(0, b"stem", b"4")))
    assert list(read_table(table.finish(first, second))) == [
        (b"", b"header"),
        (b"cell/a", b"1"),
        (b"cell/b", b""),
        (b"cells", b"3"),
        (b"stem", b"4"),
    ]


def test_a_table_without_entries_is_empty() -> None:
    assert list(read_table(Table().of())) == []
    assert list(read_table(Table().finish())) == []


def test_tensorflows_tables_of_many_restart_points_and_of_several_blocks_are_read() -> None:
    for data in (
        (DATA / "many.ckpt.index").read_bytes(),
        gzip.decompress((DATA / "blocks.ckpt.index.gz").read_bytes()),
    ):
        keys = [key for key, _ in read_table(data)]
        assert keys == sorted(keys)
        assert len(keys) == 401
    assert keys[400] == b"block_399" + b"/a_very_long_scope_name" * 39


@pytest.mark.parametrize("data", [b"", b"cell", MAGIC, bytes(39) + MAGIC, bytes(48), b"<html>" * 100])
def test_what_does_not_end_as_a_table_does_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError, match="it does not end as a table does"):
        list(read_table(data))


@pytest.mark.parametrize(("compression", "name"), [(1, "Snappy"), (2, "the unknown method 2")])
def test_a_compressed_block_is_refused(compression: int, name: str) -> None:
    table = Table()
    data = table.finish(table.add(block(), compression))
    with pytest.raises(MalformedError, match=f"its block at byte 0 is compressed with {name}, and only plain ones are"):
        list(read_table(data))


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([entry(1, b"a", b"")], "a key shares 1 bytes with one of 0"),
        ([entry(0, b"ab", b""), entry(3, b"c", b"")], "a key shares 3 bytes with one of 2"),
        ([entry(0, b"b", b""), entry(0, b"a", b"")], "its keys are not in order: b'a' comes after b'b'"),
        ([entry(0, b"a", b""), entry(1, b"", b"")], "its keys are not in order: b'a' comes after b'a'"),
        ([b"\x00\x05\x00a"], "5 bytes are expected where 1 are left"),
        ([b"\x00\x01" + varint(2**60) + b"a"], "1152921504606846976 bytes are expected where 0 are left"),
        ([b"\x00\x01"], "a number runs off the end"),
    ],
)
def test_malformed_entries_are_refused_though_their_checksum_is_right(entries: list[bytes], reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        list(read_table(Table().of(*entries)))


@pytest.mark.parametrize("content", [b"", b"\x01\0\0\0", block(n_restarts=2), block(n_restarts=2**32 - 1)])
def test_a_block_too_small_for_its_restart_points_is_refused(content: bytes) -> None:
    table = Table()
    data = table.finish(table.add(content))
    with pytest.raises(MalformedError, match=f"a block of {len(content)} bytes cannot hold"):
        list(read_table(data))


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        (varint(2**63) + varint(8), "9 bytes are expected where"),
        (varint(0) + varint(2**64 - 1), "18446744073709551616 bytes are expected where"),
        (varint(1) + varint(8), "its block at byte 1 does not match its checksum"),
        (varint(0), "a number runs off the end"),
        (b"\xff" * 12, "a number has more than 64 bits"),
    ],
)
def test_a_handle_that_points_nowhere_is_refused(handle: bytes, reason: str) -> None:
    table = Table()
    table.add(block())
    with pytest.raises(MalformedError, match=reason):
        list(read_table(table.finish(handle)))


def test_every_block_is_checked_even_the_one_without_use() -> None:
    table = Table()
    metadata, index = table.add(block()), table.add(block())
    assert list(read_table(table.close(metadata, index))) == []
    table.data = b"\x01" + table.data[1:]
    with pytest.raises(MalformedError, match="its block at byte 0 does not match its checksum"):
        list(read_table(table.close(metadata, index)))
