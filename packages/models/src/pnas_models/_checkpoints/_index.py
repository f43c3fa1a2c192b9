"""What the index of a TensorFlow V2 checkpoint says: BundleHeaderProto and BundleEntryProto, parsed by hand.

The messages: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pnas_models._checkpoints._sstable import read_table
from pnas_models._checkpoints._wire import MalformedError, read_fields

_HEADER_KEY = b""
# A slice of a partitioned tensor has an entry of its own, under a key that no name can be.
_SLICE_PREFIX = b"\0"
_FORMAT_VERSION = 1
_MAX_RANK = 254  # TensorFlow's own bound on the dimensions of a tensor


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies, and what it is; `dtype` is TensorFlow's number, `crc` a masked CRC32C."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int
    is_partitioned: bool


def read_index(data: bytes) -> tuple[int, dict[str, Entry]]:
    """The number of data files, and the tensors by name, in order; raises `MalformedError`."""
    values = dict(read_table(data))
    if _HEADER_KEY not in values:
        raise MalformedError("it has no header")
    n_shards = _read_header(values.pop(_HEADER_KEY))
    entries = {
        _decoded(key): _read_entry(value, n_shards)
        for key, value in values.items()
        if not key.startswith(_SLICE_PREFIX)
    }
    return n_shards, entries


def _decoded(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"the name {key!r} is not UTF-8") from error


def _read_header(message: bytes) -> int:
    fields = dict(read_fields(message))
    n_shards = _count(fields, 1)
    if n_shards == 0:
        raise MalformedError("its header speaks of no data file")
    if _count(fields, 2) != 0:
        raise MalformedError("it was written in big-endian order, and only little-endian ones are read")
    required = _count(dict(_fields(fields.get(3, b""))), 2)
    if required > _FORMAT_VERSION:
        raise MalformedError(f"it asks for a reader of version {required}, and this one is of {_FORMAT_VERSION}")
    return n_shards


def _read_entry(message: bytes, n_shards: int) -> Entry:
    fields = dict(read_fields(message))
    shard = _count(fields, 3)
    if shard >= n_shards:
        raise MalformedError(f"a tensor is in data file {shard}, and the last of them is {n_shards - 1}")
    return Entry(
        dtype=_count(fields, 1),
        shape=_read_shape(fields.get(2, b"")),
        shard=shard,
        offset=_count(fields, 4),
        size=_count(fields, 5),
        crc=_count(fields, 6),
        is_partitioned=7 in fields,
    )


def _read_shape(message: int | bytes) -> tuple[int, ...]:
    dimensions = [value for number, value in _fields(message) if number == 2]
    if len(dimensions) > _MAX_RANK:
        raise MalformedError(f"a tensor has {len(dimensions)} dimensions, and TensorFlow's have {_MAX_RANK} at most")
    return tuple(_count(dict(_fields(dimension)), 1) for dimension in dimensions)


def _fields(message: int | bytes) -> list[tuple[int, int | bytes]]:
    if isinstance(message, int):
        raise MalformedError(f"a field is the number {message} where a message is expected")
    return list(read_fields(message))


def _count(fields: Mapping[int, int | bytes], number: int) -> int:
    """A field that is not negative; Protocol Buffers leaves zeros out."""
    value = fields.get(number, 0)
    if not isinstance(value, int) or value >= 2**63:
        raise MalformedError(f"field {number} of a message is not the count that is expected there")
    return value
