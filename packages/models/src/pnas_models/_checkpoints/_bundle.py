"""TensorFlow's V2 checkpoints (`PREFIX.index` and `PREFIX.data-00000-of-0000N`), read without TensorFlow."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pnas_models._checkpoints._index import Entry, read_index
from pnas_models._checkpoints._sstable import masked_crc32c
from pnas_models._checkpoints._wire import MalformedError
from pnas_models._errors import ModelError

# TensorFlow's DataType, and how its values lie in a file.
_STRING = 7
_BFLOAT16 = 14
_LAYOUTS = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "<u1",
    5: "<i2",
    6: "<i1",
    9: "<i8",
    10: "?",
    _BFLOAT16: "<u2",
    19: "<f2",
}
_READABLE = "float16, float32, float64, bfloat16, int8, int16, int32, int64, uint8 and bool"


def bundle_prefix(path: Path) -> Path:
    """The prefix that a prefix, one of a checkpoint's files, or a folder with one checkpoint stands for."""
    prefix = Path(re.sub(r"\.(index|data-\d{5}-of-\d{5})$", "", str(path)))
    index = _index_of(prefix)
    if index.is_file():
        return prefix
    if path.is_dir():
        return _only_prefix(path)
    if prefix == path and path.is_file():
        raise ModelError(
            f"{path} has no {index.name} beside it, as every V2 checkpoint of TensorFlow has; if it is of version 1, "
            "have TensorFlow load it and save it again"
        )
    raise ModelError(
        f"there is no {index}; a checkpoint of TensorFlow is given by the path that its .index and .data files share"
    )


class Bundle(Mapping[str, NDArray[Any]]):
    """A checkpoint's tensors by name; each is read and checked when it is asked for, and not before."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        index = _index_of(prefix)
        if not index.is_file():
            raise ModelError(f"there is no {index}, the index of the checkpoint; give the prefix of one that is there")
        try:
            self._n_shards, self._entries = read_index(index.read_bytes())
        except MalformedError as error:
            raise ModelError(
                f"{index} cannot be read as the index of a TensorFlow V2 checkpoint: {error}; fetch the file again, or "
                "have TensorFlow save the checkpoint again"
            ) from error
        for shard in range(self._n_shards):
            if not self._shard_path(shard).is_file():
                raise ModelError(
                    f"there is no {self._shard_path(shard)}, and {index.name} speaks of {self._n_shards} data files; "
                    "put it beside the index"
                )

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        # The inherited one would read the tensor.
        return name in self._entries

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The tensor as a new array, bfloat16 as float32; raises `ModelError` if it is damaged or cannot be read."""
        entry = self._entries[name]
        self._check_readable(name, entry)
        data = self._read(name, entry)
        if masked_crc32c(data) != entry.crc:
            raise ModelError(
                f"the tensor {name!r} does not match its checksum, so {self._shard_path(entry.shard)} is damaged or "
                "belongs to another checkpoint; fetch it again"
            )
        try:
            return _as_array(entry, data)
        except ValueError as error:
            raise ModelError(f"the tensor {name!r} of {self._prefix} cannot be an array of NumPy: {error}") from error

    def shape(self, name: str) -> tuple[int, ...]:
        """A tensor's shape, which the index knows."""
        return self._entries[name].shape

    def _check_readable(self, name: str, entry: Entry) -> None:
        if entry.is_partitioned:
            raise ModelError(
                f"the tensor {name!r} of {self._prefix} is stored in slices, and only whole tensors are read; have "
                "TensorFlow save it again without a partitioner"
            )
        if entry.dtype not in _LAYOUTS:
            dtype = "strings" if entry.dtype == _STRING else f"values of TensorFlow's DataType {entry.dtype}"
            raise ModelError(f"the tensor {name!r} of {self._prefix} holds {dtype}, and what is read is {_READABLE}")
        n_bytes = math.prod(entry.shape) * np.dtype(_LAYOUTS[entry.dtype]).itemsize
        if entry.size != n_bytes:
            raise ModelError(
                f"the index of {self._prefix} gives the tensor {name!r} {entry.size} bytes, where its shape "
                f"{entry.shape} takes {n_bytes}; fetch it again"
            )

    def _read(self, name: str, entry: Entry) -> bytes:
        path, end = self._shard_path(entry.shard), entry.offset + entry.size
        n_bytes = path.stat().st_size
        # Before anything is read, so that a damaged index cannot ask for more memory than the file has bytes.
        if end > n_bytes:
            raise ModelError(
                f"{path} has {n_bytes} bytes, and the tensor {name!r} ends at byte {end}; the file is cut off or "
                "belongs to another checkpoint, so fetch it again"
            )
        with path.open("rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def _shard_path(self, shard: int) -> Path:
        return Path(f"{self._prefix}.data-{shard:05d}-of-{self._n_shards:05d}")


def _index_of(prefix: Path) -> Path:
    return Path(f"{prefix}.index")


def _only_prefix(folder: Path) -> Path:
    prefixes = sorted(path.with_suffix("") for path in folder.glob("*.index") if path.is_file())
    if not prefixes:
        raise ModelError(f"the folder {folder} holds no checkpoint of TensorFlow: none of its files ends in .index")
    if len(prefixes) > 1:
        names = ", ".join(prefix.name for prefix in prefixes)
        raise ModelError(f"the folder {folder} holds {len(prefixes)} checkpoints ({names}); give the path of one")
    return prefixes[0]


def _as_array(entry: Entry, data: bytes) -> NDArray[Any]:
    stored: NDArray[Any] = np.ndarray(entry.shape, _LAYOUTS[entry.dtype], data)
    if entry.dtype != _BFLOAT16:
        return stored.astype(stored.dtype.newbyteorder("="))
    # A bfloat16 is the upper half of a float32.
    bits = stored.astype(np.uint32)
    bits <<= 16
    return bits.view(np.float32)
