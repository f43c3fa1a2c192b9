"""Writes the `*.ckpt.*` files beside this one: `python make_tensorflow_fixture.py FOLDER`.

The files here were written by TensorFlow 2.15.1 with NumPy 1.26.4 on Python 3.11 (`tensorflow-cpu` of PyPI). Every
value follows from a formula, so that a test can state it anew: `ramp(n)` is `arange(n) / 7` in float64, rounded to the
variable's own type.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

DEVICES = ("/cpu:0", "/cpu:1")


def ramp(n, offset=0.0):
    return np.arange(n, dtype=np.float64) / 7 + offset


def tiny():
    """One variable or more of each type that networks are saved in."""
    kernel = (3, 3, 3, 4)
    return {
        "brain": ramp(5, -6).astype(tf.bfloat16.as_numpy_dtype),
        "conv0/weights": ramp(108).reshape(kernel).astype(np.float32),
        "conv0/weights/ExponentialMovingAverage": ramp(108, 1).reshape(kernel).astype(np.float32),
        "conv0/weights/RMSProp": ramp(108, 2).reshape(kernel).astype(np.float32),
        "conv0_bn/gamma": ramp(4, 3).astype(np.float32),
        "double": ramp(6, -4).reshape(2, 3),
        "empty": np.zeros((0, 3), np.float32),
        "flag": np.array(True),
        "flags": np.array([True, False, True]),
        "global_step": np.array(2**40 + 5, np.int64),
        "half": ramp(5, -5).astype(np.float16),
        "integers": (7 * np.arange(6) - 20).astype(np.int32),
        "scalar": np.array(22 / 7, np.float32),
    }


def other():
    """The remaining types, some of which NumPy has nothing for; `slices` is saved in three slices."""
    return {
        "bytes": np.arange(250, 256).astype(np.uint8),
        "complex": np.array([1 + 2j], np.complex64),
        "short": np.array([-32768, 32767], np.int16),
        "tiny": np.array([-128, 127], np.int8),
        "words": np.array([b"cell", b""], object),
    }


def partitioned():
    partitioner = tf.fixed_size_partitioner(3)
    tf.get_variable("slices", (6, 2), initializer=tf.ones_initializer(), partitioner=partitioner, use_resource=False)


def name(index):
    """Names that share long beginnings."""
    kind = ("beta", "gamma", "moving_mean", "moving_variance")[index % 4]
    side = ("left", "right")[index // 4 % 2]
    return f"cell_{index // 40}/comb_iter_{index // 8 % 5}/{side}/bn_sep_5x5_1/{kind}"


def many():
    """An index whose block has many restart points."""
    return {name(i): np.array([i / 7, -i / 7], np.float32) for i in range(400)}


def blocks():
    """An index of two blocks: TensorFlow begins a new one after 262,144 bytes, so the names are long."""
    return {
        f"block_{i:03d}" + "/a_very_long_scope_name" * 39: np.array([i / 7, -i / 7], np.float32) for i in range(400)
    }


def sharded():
    """Two data files."""
    shards = [{}, {}]
    for i in range(4):
        for shard, word in enumerate(("even", "odd")):
            value = ramp(3 * (i + 1), 10 * i + 100 * shard)
            shards[shard][f"part/{word}_{i}"] = value.reshape(i + 1, 3).astype(np.float32)
    shards[0]["global_step"] = np.array(42, np.int64)
    return shards


def save(prefix, shards, more=lambda: None):
    """One shard for each device, and a session can be given several devices on one CPU."""
    config = tf.ConfigProto(device_count={"CPU": len(shards)})
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        for device, shard in zip(DEVICES, shards, strict=False):
            with tf.device(device):
                for key, value in shard.items():
                    tf.Variable(tf.constant(value), name=key, use_resource=False)
        more()
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(sharded=len(shards) > 1)
        saver.save(session, str(prefix), write_meta_graph=False, write_state=False)


def check(prefix, shards):
    """TensorFlow itself reads the same values back."""
    reader = tf.train.NewCheckpointReader(str(prefix))
    for shard in shards:
        for key, value in shard.items():
            found = reader.get_tensor(key)
            assert found.dtype == value.dtype, key
            np.testing.assert_array_equal(found, value)


def compress(path):
    """Without a name and a time, so that the same content gives the same file."""
    with path.with_name(f"{path.name}.gz").open("wb") as target:
        target.write(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints = {"tiny": [tiny()], "many": [many()], "blocks": [blocks()], "sharded": sharded()}
    for stem, shards in checkpoints.items():
        save(folder / f"{stem}.ckpt", shards)
        check(folder / f"{stem}.ckpt", shards)
    save(folder / "other.ckpt", [other()], partitioned)
    check(folder / "other.ckpt", [other()])
    for path in sorted(folder.glob("blocks.ckpt.*")):
        compress(path)


if __name__ == "__main__":
    main()
