"""Write the small networks of TF-Slim that test_load.py compares ours with: a checkpoint, images and logits of each.

    python make_slim_fixture.py FOLDER

Needs TensorFlow, tf_slim and the folder research/slim of github.com/tensorflow/models on PYTHONPATH (with its
`contrib_training` replaced by any class of that name and keys). Run with TensorFlow 2.15.1 and tf_slim 1.1.0.
"""

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim
from nets.nasnet import nasnet, nasnet_utils, pnasnet

N_FILTERS = 5  # odd, so that factorized reductions split unevenly
N_CLASSES = 7
SIZES = {"cifar": ((16, 16), (13, 18)), "imagenet": ((64, 64), (53, 75))}


def build(family, images):
    config = nasnet.cifar_config() if family == "cifar" else pnasnet.mobile_imagenet_config()
    config.num_cells = 3
    config.num_conv_filters = N_FILTERS
    config.skip_reduction_layer_input = 1
    config.data_format = "NHWC"
    if family == "imagenet":
        config.stem_multiplier = 4 / 32
    cell = pnasnet.PNasNetNormalCell(N_FILTERS, 1.0, config.num_cells, config.total_training_steps)
    functions = [
        slim.avg_pool2d,
        slim.max_pool2d,
        slim.conv2d,
        slim.batch_norm,
        slim.separable_conv2d,
        nasnet_utils.factorized_reduction,
        nasnet_utils.global_avg_pool,
        nasnet_utils.get_channel_index,
        nasnet_utils.get_channel_dim,
    ]
    settings = nasnet.nasnet_cifar_arg_scope if family == "cifar" else pnasnet.pnasnet_mobile_arg_scope
    stem = nasnet._imagenet_stem
    if family == "cifar":
        stem = lambda inputs, hparams, _cell: nasnet._cifar_stem(inputs, hparams)  # noqa: E731
    with (
        slim.arg_scope(settings()),
        slim.arg_scope([slim.dropout, nasnet_utils.drop_path, slim.batch_norm], is_training=False),
        slim.arg_scope(functions, data_format="NHWC"),
        mock.patch.object(nasnet, "_imagenet_stem", stem),
    ):
        logits, _ = pnasnet._build_pnasnet_base(
            images, normal_cell=cell, num_classes=N_CLASSES, hparams=config, is_training=False
        )
    return logits


def drawn(variable, rng):
    """Random values under which every variable matters."""
    name, shape = variable.op.name, variable.shape.as_list()
    if name.endswith(("/gamma", "/moving_variance")):
        return rng.uniform(0.5, 1.5, shape)
    if name.endswith(("/beta", "/biases", "/moving_mean")):
        return rng.normal(0.0, 0.3, shape)
    return rng.normal(0.0, 1.0, shape) / np.sqrt(np.prod(shape[:3]))


def main(folder):
    tf.disable_v2_behavior()
    for family, sizes in SIZES.items():
        arrays = {}
        rng = np.random.default_rng(0)
        for height, width in sizes:
            with tf.Graph().as_default(), tf.Session() as session:
                tf.train.get_or_create_global_step()
                placeholder = tf.placeholder(tf.float32, (2, height, width, 3))
                logits = build(family, placeholder)
                saver, path = tf.train.Saver(), str(folder / f"slim_{family}.ckpt")
                if not arrays:
                    for variable in sorted(tf.global_variables(), key=lambda variable: variable.op.name):
                        variable.load(1 if "global_step" in variable.name else drawn(variable, rng), session)
                    saver.save(session, path, write_meta_graph=False, write_state=False)
                saver.restore(session, path)
                pixels = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
                arrays[f"images_{height}x{width}"] = pixels
                arrays[f"logits_{height}x{width}"] = session.run(logits, {placeholder: pixels / 127.5 - 1.0})
        np.savez_compressed(folder / f"slim_{family}.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
