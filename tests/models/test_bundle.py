import gzip
import re
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pnas_models import ModelError
from pnas_models._checkpoints import _index
from pnas_models._checkpoints._bundle import Bundle, bundle_prefix
from pnas_models._checkpoints._sstable import masked_crc32c

DATA = Path(__file__).parent / "data"
"""What TensorFlow wrote; the formulas are those of make_tensorflow_fixture.py."""

Crafted = Callable[[Mapping[bytes, bytes]], Bundle]
HEADER = b"\x08\x01\x1a\x02\x08\x01"  # one data file, little-endian, written by version 1
SHAPE_2 = b"\x12\x04\x12\x02\x08\x02"  # field 2, a shape with one dimension of size 2


def ramp(n: int, offset: float = 0.0) -> NDArray[np.float64]:
    return np.arange(n, dtype=np.float64) / 7 + offset


def refused(message: str) -> Any:
    return pytest.raises(ModelError, match=re.escape(message))


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    for path in DATA.glob("tiny.ckpt.*"):
        shutil.copy(path, tmp_path)
    return tmp_path / "tiny.ckpt"


@pytest.fixture
def crafted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crafted:
    """Opens a checkpoint of 8 bytes whose index has the given entries."""

    def craft(entries: Mapping[bytes, bytes]) -> Bundle:
        (tmp_path / "net.index").touch()
        (tmp_path / "net.data-00000-of-00001").write_bytes(bytes(8))
        monkeypatch.setattr(_index, "read_table", lambda _: iter(entries.items()))
        return Bundle(tmp_path / "net")

    return craft


def test_every_type_of_variable_has_its_values() -> None:
    kernel = (3, 3, 3, 4)
    expected = {
        "conv0/weights": ramp(108).astype(np.float32).reshape(kernel),
        "conv0/weights/ExponentialMovingAverage": ramp(108, 1).astype(np.float32).reshape(kernel),
        "conv0/weights/RMSProp": ramp(108, 2).astype(np.float32).reshape(kernel),
        "conv0_bn/gamma": ramp(4, 3).astype(np.float32),
        "double": ramp(6, -4).reshape(2, 3),
        "empty": np.zeros((0, 3), np.float32),
        "flag": np.array(True),
        "flags": np.array([True, False, True]),
        "global_step": np.array(2**40 + 5, np.int64),
        "half": ramp(5, -5).astype(np.float16),
        "integers": np.array([-20, -13, -6, 1, 8, 15], np.int32),
        "scalar": np.array(22 / 7, np.float32),
    }
    tiny = Bundle(DATA / "tiny.ckpt")
    assert list(tiny) == ["brain", *expected]
    assert len(tiny) == 13
    for name, value in expected.items():
        assert tiny[name].dtype == value.dtype, name
        assert tiny.shape(name) == value.shape, name
        np.testing.assert_array_equal(tiny[name], value, strict=True)


def test_bfloat16_becomes_float32_and_keeps_its_value() -> None:
    # From 4 to 8 such numbers are 1/32 apart.
    brain = Bundle(DATA / "tiny.ckpt")["brain"]
    assert brain.dtype == np.float32
    assert brain.tolist() == [-6.0, -5.84375, -5.71875, -5.5625, -5.4375]


def test_the_other_types_are_read_and_what_numpy_has_no_type_for_is_refused() -> None:
    other = Bundle(DATA / "other.ckpt")
    assert list(other) == ["bytes", "complex", "short", "slices", "tiny", "words"]
    for name, dtype, values in (
        ("bytes", np.uint8, [250, 251, 252, 253, 254, 255]),
        ("short", np.int16, [-32768, 32767]),
        ("tiny", np.int8, [-128, 127]),
    ):
        assert other[name].dtype == dtype
        assert other[name].tolist() == values
    assert other.shape("slices") == (6, 2)
    with refused("the tensor 'slices' of") as caught:
        other["slices"]
    assert "is stored in slices, and only whole tensors are read" in str(caught.value)
    with refused("holds strings, and what is read is float16, float32,"):
        other["words"]
    with refused("holds values of TensorFlow's DataType 8, and what is read is"):
        other["complex"]


def test_an_index_of_many_restart_points_and_one_of_several_blocks_are_read(tmp_path: Path) -> None:
    for path in DATA.glob("blocks.ckpt.*.gz"):
        (tmp_path / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    kinds = ("beta", "gamma", "moving_mean", "moving_variance")
    for bundle, name in (
        (
            Bundle(DATA / "many.ckpt"),
            lambda i: (
                f"cell_{i // 40}/comb_iter_{i // 8 % 5}/{('left', 'right')[i // 4 % 2]}/bn_sep_5x5_1/{kinds[i % 4]}"
            ),
        ),
        (Bundle(tmp_path / "blocks.ckpt"), lambda i: f"block_{i:03d}" + "/a_very_long_scope_name" * 39),
    ):
        assert len(bundle) == 400
        for i in range(400):
            np.testing.assert_array_equal(bundle[name(i)], np.array([i / 7, -i / 7], np.float32), strict=True)


def test_tensors_come_from_the_data_file_that_holds_them() -> None:
    sharded = Bundle(DATA / "sharded.ckpt")
    assert len(sharded) == 9
    assert sharded["global_step"] == 42
    for i in range(4):
        for word, offset in (("even", 10 * i), ("odd", 10 * i + 100)):
            value = ramp(3 * (i + 1), offset).astype(np.float32).reshape(i + 1, 3)
            np.testing.assert_array_equal(sharded[f"part/{word}_{i}"], value, strict=True)


def test_an_array_is_new_and_writable_each_time() -> None:
    tiny = Bundle(DATA / "tiny.ckpt")
    for name in tiny:
        array = tiny[name]
        array[...] = 1
        assert not np.shares_memory(array, tiny[name])
    assert tiny["scalar"] == np.float32(22 / 7)


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    tiny = Bundle(DATA / "tiny.ckpt")
    for name in ("conv0", "", "conv0/weights/"):
        assert name not in tiny
        assert tiny.get(name) is None
        with pytest.raises(KeyError, match=re.escape(repr(name))):
            tiny[name]
        with pytest.raises(KeyError, match=re.escape(repr(name))):
            tiny.shape(name)


def test_nothing_is_read_before_it_is_asked_for(tiny: Path) -> None:
    data = tiny.with_name("tiny.ckpt.data-00000-of-00001")
    damaged = bytearray(data.read_bytes())
    damaged[-1] ^= 1  # in the last tensor by name
    data.write_bytes(damaged)
    bundle = Bundle(tiny)
    assert bundle.shape("scalar") == ()
    assert "scalar" in bundle
    assert [name for name in bundle if name != "scalar" and bundle[name] is None] == []
    with refused(f"the tensor 'scalar' does not match its checksum, so {data} is damaged"):
        bundle["scalar"]


def test_a_data_file_that_is_cut_off_is_refused(tiny: Path) -> None:
    data = tiny.with_name("tiny.ckpt.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1])
    bundle = Bundle(tiny)
    assert bundle["integers"].size == 6
    with refused(f"{data} has 1419 bytes, and the tensor 'scalar' ends at byte 1420; the file is cut off"):
        bundle["scalar"]


def changes(data: bytes) -> Iterator[bytes]:
    yield from (data[:end] for end in range(len(data)))
    for position, byte in enumerate(data):
        # No checksum protects where the footer points to, so that is changed in every way.
        flips = range(1, 256) if len(data) - 48 <= position < len(data) - 40 else (0x01, 0x10, 0x80, 0xFF)
        yield from (data[:position] + bytes([byte ^ flip]) + data[position + 1 :] for flip in flips)


def test_an_index_cut_off_or_changed_anywhere_gives_a_sentence_or_the_same_tensors(tiny: Path) -> None:
    index = tiny.with_name("tiny.ckpt.index")
    content = index.read_bytes()
    shapes = {name: Bundle(tiny).shape(name) for name in Bundle(tiny)}
    n_same = 0
    for changed in changes(content):
        index.write_bytes(changed)
        try:
            bundle = Bundle(tiny)
        except ModelError as error:
            message = str(error)
        else:
            assert {name: bundle.shape(name) for name in bundle} == shapes
            n_same += 1
            continue
        assert message.startswith(f"{index} cannot be read as the index of a TensorFlow V2 checkpoint: ")
    # The footer points with 6 bytes, and pads them to 40. The last one may also say that a seventh one follows.
    assert content[-48:-8].rstrip(b"\0") == content[-48:-42]
    assert n_same == 2 * 255 + 32 * 4 + 1


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "it has no header"),
        (b"\x08\x01\x10\x01", "it was written in big-endian order"),
        (b"\x08\x01\x1a\x04\x08\x07\x10\x02", "it asks for a reader of version 2, and this one is of 1"),
        (b"", "its header speaks of no data file"),
        (b"\x0a\x02\x08\x01", "field 1 of a message is not the count that is expected"),  # as version 1 has it there
        (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "field 1 of a message is not the count"),
        (b"\x08\x01\x18\x01", "a field is the number 1 where a message is expected"),
        (b"\x08", "a number runs off the end of its data"),
    ],
)
def test_a_header_that_cannot_be_followed_is_refused(header: bytes | None, reason: str, crafted: Crafted) -> None:
    with refused(f"net.index cannot be read as the index of a TensorFlow V2 checkpoint: {reason}"):
        crafted({} if header is None else {b"": header})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"\x08\x01\x18\x01", "a tensor is in data file 1, and the last of them is 0"),
        (b"\x08\x01\x12\x0d\x12\x0b\x08" + b"\xff" * 9 + b"\x01", "field 1 of a message is not the count"),  # -1
        (b"\x08\x01\x20" + b"\xff" * 9 + b"\x01", "field 4 of a message is not the count"),
        (b"\x08\x01\x12\xfe\x03" + b"\x12\x00" * 255, "a tensor has 255 dimensions, and TensorFlow's have 254 at most"),
        (b"\x08\x01\x10\x05", "a field is the number 5 where a message is expected"),
        (b"\x08\x01\x12\x7f", "127 bytes are expected where 0 are left"),
        (b"\x0b", "a field has the wire type 3"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(entry: bytes, reason: str, crafted: Crafted) -> None:
    with refused(f"net.index cannot be read as the index of a TensorFlow V2 checkpoint: {reason}"):
        crafted({b"": HEADER, b"x": entry})


def test_a_name_that_is_no_text_is_refused(crafted: Crafted) -> None:
    with refused(r"the name b'\xff' is not UTF-8"):
        crafted({b"": HEADER, b"\xff": b""})


def test_fields_that_a_reader_need_not_know_are_skipped(crafted: Crafted) -> None:
    named_dimension = b"\x12\x05\x08\x02\x12\x01n"
    bundle = crafted(
        {b"": HEADER + b"\x7a\x01?", b"x": b"\x08\x01\x12\x09" + named_dimension + b"\x18\x00" + b"\x7a\x01?"}
    )
    assert bundle.shape("x") == (2,)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"\x08\x01" + SHAPE_2 + b"\x28\x09", "9 bytes, where its shape (2,) takes 8"),
        (b"\x08\x01\x28\x08", "8 bytes, where its shape () takes 4"),
        (b"\x08\x01" + SHAPE_2 + b"\x28\x08\x20\x01", "has 8 bytes, and the tensor 'x' ends at byte 9"),
        # A terabyte that the index believes in is not reserved.
        (
            b"\x08\x04\x12\x09\x12\x07\x08" + b"\x80" * 5 + b"\x20\x28" + b"\x80" * 5 + b"\x20",
            "ends at byte 1099511627776",
        ),
        (b"\x08\x01" + SHAPE_2 + b"\x28\x08", "the tensor 'x' does not match its checksum"),
        (b"\x28\x08", "the tensor 'x' of"),  # no type
        (b"\x08\x65" + SHAPE_2, "holds values of TensorFlow's DataType 101"),  # a reference
    ],
)
def test_a_tensor_that_makes_no_sense_is_refused_when_it_is_read(entry: bytes, reason: str, crafted: Crafted) -> None:
    bundle = crafted({b"": HEADER, b"x": entry})
    assert list(bundle) == ["x"]
    with refused(reason):
        bundle["x"]


def test_a_shape_that_numpy_has_no_array_of_is_refused(crafted: Crafted) -> None:
    ones = b"".join(b"\x12\x02\x08\x01" for _ in range(100))
    huge = b"\x12\x00" + b"\x12\x0a\x08" + b"\xff" * 8 + b"\x7f"  # 0 by 2^63 - 1
    crc = b"\x35" + struct.pack("<I", masked_crc32c(bytes(4)))
    empty = b"\x35" + struct.pack("<I", masked_crc32c(b""))
    bundle = crafted({
        b"": HEADER,
        b"ones": b"\x08\x01\x12\x90\x03" + ones + b"\x28\x04" + crc,
        b"vast": b"\x08\x01\x12" + bytes([len(huge)]) + huge + empty,
    })  # fmt: skip
    for name in ("ones", "vast"):
        with refused(f"the tensor {name!r} of"):
            bundle[name]
        with refused("cannot be an array of NumPy"):
            bundle[name]


@pytest.mark.parametrize("n_shards", [2, 10**6, 2**62])
def test_a_missing_data_file_is_named_when_the_checkpoint_is_opened(n_shards: int, crafted: Crafted) -> None:
    digits = b"".join(bytes([n_shards >> shift & 0x7F | 0x80]) for shift in range(0, 63, 7)) + b"\x00"
    with refused(f"net.data-00000-of-{n_shards:05d}, and net.index speaks of {n_shards} data files"):
        crafted({b"": b"\x08" + digits})


def test_a_data_file_missing_among_several_is_named(tmp_path: Path) -> None:
    for path in DATA.glob("sharded.ckpt.*"):
        shutil.copy(path, tmp_path)
    missing = tmp_path / "sharded.ckpt.data-00001-of-00002"
    missing.unlink()
    with refused(f"there is no {missing}, and sharded.ckpt.index speaks of 2 data files; put it beside the index"):
        Bundle(tmp_path / "sharded.ckpt")


def test_a_checkpoint_without_its_index_is_refused(tmp_path: Path) -> None:
    with refused(f"there is no {tmp_path / 'net.index'}, the index of the checkpoint"):
        Bundle(tmp_path / "net")


@pytest.mark.parametrize("given", ["tiny.ckpt", "tiny.ckpt.index", "tiny.ckpt.data-00000-of-00001", "."])
def test_a_prefix_is_found_by_each_of_its_names(given: str, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundle_prefix(tiny.parent / given) == tiny
    monkeypatch.chdir(tiny.parent)
    assert bundle_prefix(Path(given)) == Path("tiny.ckpt")


def test_a_folder_beside_a_checkpoint_of_its_name_is_not_looked_into(tiny: Path) -> None:
    tiny.mkdir()
    (tiny / "other.index").touch()
    assert bundle_prefix(tiny) == tiny


def test_a_folder_with_no_checkpoint_or_with_several_is_refused(tiny: Path, tmp_path: Path) -> None:
    for name in ("model-200.ckpt.index", "model-100.ckpt.index"):
        (tmp_path / name).touch()
    with refused(f"the folder {tmp_path} holds 3 checkpoints (model-100.ckpt, model-200.ckpt, tiny.ckpt)"):
        bundle_prefix(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "folder.index").mkdir()
    with refused(f"the folder {tmp_path / 'empty'} holds no checkpoint of TensorFlow"):
        bundle_prefix(tmp_path / "empty")


@pytest.mark.parametrize("name", ["net", "net.index", "net.data-00000-of-00001", "net.data-00003-of-00004"])
def test_a_prefix_without_an_index_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "net.data-00000-of-00001").touch()
    with refused(f"there is no {tmp_path / 'net.index'}; a checkpoint of TensorFlow is given by the path"):
        bundle_prefix(tmp_path / name)


def test_a_file_by_itself_may_be_a_checkpoint_of_version_1(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").touch()
    with refused("model.ckpt has no model.ckpt.index beside it, as every V2 checkpoint of TensorFlow has; if it is of"):
        bundle_prefix(tmp_path / "model.ckpt")
