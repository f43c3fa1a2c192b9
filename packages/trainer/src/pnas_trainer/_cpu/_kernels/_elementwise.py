"""ReLU, concatenation and means of pixels `(M, C)`."""

import numpy as np

from pnas_trainer._cpu._kernels._compiled import Floats, compiled, offset


@compiled
def rectify(x: Floats, y: Floats) -> None:
    """`y` is the ReLU of `x`; what is not a number stays so."""
    source, into = x.reshape(-1), y.reshape(-1)
    for t in range(len(source)):
        into[t] = np.float32(0) if source[t] <= 0 else source[t]  # max(0, NaN) would be 0


@compiled
def rectify_gradient(gradient: Floats, y: Floats, x_gradient: Floats) -> None:
    """What goes through a ReLU that gave `y`."""
    source, output, into = gradient.reshape(-1), y.reshape(-1), x_gradient.reshape(-1)
    for t in range(len(source)):
        into[t] = np.float32(0) if output[t] <= 0 else source[t]


@compiled
def put_channels(x: Floats, into: Floats, first: int) -> None:
    """Write pixels `(M, c)` into wider ones `(M, C)`, from channel `first` on."""
    begin = offset(first)
    for pixel in range(x.shape[0]):
        for c in range(offset(x.shape[1])):
            into[pixel, begin + c] = x[pixel, c]


@compiled
def take_channels(x: Floats, into: Floats, first: int) -> None:
    """Read pixels `(M, c)` out of wider ones `(M, C)`, from channel `first` on."""
    begin = offset(first)
    for pixel in range(into.shape[0]):
        for c in range(offset(into.shape[1])):
            into[pixel, c] = x[pixel, begin + c]


@compiled
def image_means(x: Floats, y: Floats) -> None:
    """`(N, H * W, C)` to means over the pixels, `(N, C)`."""
    n_images, n_pixels, channels = x.shape
    for n in range(n_images):
        y[n] = 0
        for pixel in range(n_pixels):
            for c in range(channels):
                y[n, c] += x[n, pixel, c]
        for c in range(channels):
            y[n, c] /= n_pixels


@compiled
def image_means_gradient(gradient: Floats, x_gradient: Floats) -> None:
    """What each pixel of `image_means` gets."""
    n_images, n_pixels, channels = x_gradient.shape
    for n in range(n_images):
        for pixel in range(n_pixels):
            for c in range(channels):
                x_gradient[n, pixel, c] = gradient[n, c] / n_pixels
