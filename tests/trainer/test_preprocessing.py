import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pnas_trainer import Preprocessing, Preprocessor, TrainerError

WHITENINGS = ["channel", "image"]


def distinct_images(n_images: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (n_images, 2, height, width), generator=generator, dtype=torch.uint8)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trained_on(images: Tensor, **settings) -> Preprocessor:
    return Preprocessor(Preprocessing(**settings), images)


def test_whitening_by_channel_gives_every_channel_of_the_training_set_mean_0_and_deviation_1():
    images = distinct_images(30, 5, 6)
    images[:, 1] //= 5
    x = trained_on(images).for_evaluation(images).double()
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(2).double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(2).double(), rtol=1e-5, atol=0)


def test_whitening_by_channel_uses_the_training_set_whatever_the_batch():
    images = distinct_images(30, 5, 6)
    preprocessor = trained_on(images)
    assert torch.equal(preprocessor.for_evaluation(images)[4:5], preprocessor.for_evaluation(images[4:5]))


def test_whitening_by_image_gives_every_image_mean_0_and_deviation_1():
    images = distinct_images(30, 5, 6)
    images[3:9] //= 7
    x = trained_on(images[:1], whitening="image").for_evaluation(images).double()
    torch.testing.assert_close(x.mean((1, 2, 3)), torch.zeros(30).double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(x.std((1, 2, 3), correction=0), torch.ones(30).double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("whitening", WHITENINGS)
def test_what_is_constant_becomes_zero(whitening):
    images = torch.full((4, 3, 5, 5), 200, dtype=torch.uint8)
    x = trained_on(images, whitening=whitening).for_evaluation(images)
    torch.testing.assert_close(x, torch.zeros(4, 3, 5, 5), rtol=0, atol=1e-4)


@pytest.mark.parametrize("whitening", WHITENINGS)
def test_every_random_crop_is_a_crop_of_its_own_image_and_every_place_occurs(whitening):
    images = distinct_images(600, 5, 6)
    whole = trained_on(images, whitening=whitening).for_evaluation(images)
    crops = trained_on(images, whitening=whitening, crop_to=3).for_training(images, torch.Generator().manual_seed(0))
    possible = whole.unfold(2, 3, 1).unfold(3, 3, 1)  # (N, C, 3, 4, 3, 3)
    found = (possible == crops[:, :, None, None]).all(dim=(1, 4, 5))
    assert (found.sum((1, 2)) == 1).all()
    # 600 crops over 3x4 places are 50 each; 25 and 75 are 3.7 deviations away.
    counts = found.sum(0)
    assert counts.shape == (3, 4)
    assert ((counts > 25) & (counts < 75)).all()


def test_flipping_mirrors_about_half_of_the_images_and_leaves_the_others():
    images = distinct_images(1000, 3, 4)
    plain = trained_on(images).for_evaluation(images)
    x = trained_on(images, flip=True).for_training(images, torch.Generator().manual_seed(0))
    same, mirrored = (x == plain).all(dim=(1, 2, 3)), (x == plain.flip(-1)).all(dim=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 430 < mirrored.sum() < 570


def whitened(images: Tensor) -> Tensor:
    """In double precision, by channel, written anew."""
    x = images.double()
    std, mean = torch.std_mean(x, dim=(0, 2, 3), correction=0, keepdim=True)
    return (x - mean) / std


@pytest.mark.parametrize("flip", [False, True])
def test_a_crop_of_the_enlarged_image_is_what_comes_out_mirrored_or_not(flip):
    images = distinct_images(300, 8, 8)
    crops = trained_on(images, upsample_to=10, crop_to=8, flip=flip).for_training(images, seeded(0)).double()
    enlarged = F.interpolate(whitened(images), size=(10, 10), mode="bilinear", align_corners=False)
    possible = enlarged.unfold(2, 8, 1).unfold(3, 8, 1)  # (N, C, 3, 3, 8, 8)
    near = [
        ((found - crops[:, :, None, None]).abs() < 1e-5).all(dim=(1, 4, 5)) for found in (possible, possible.flip(-1))
    ]
    assert (near[0].sum((1, 2)) + near[1].sum((1, 2)) == 1).all()
    assert near[0].any(0).all()
    assert near[1].any(0).all() == flip
    assert near[1].any() == flip


def test_crops_of_the_padded_image_are_numpys():
    images = distinct_images(400, 5, 5)
    crops = trained_on(images, pad_to=7, crop_to=5).for_training(images, seeded(0))
    padded = np.pad(trained_on(images).for_evaluation(images).numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    counts = np.zeros((3, 3), dtype=int)
    for image, crop in zip(padded, crops.numpy(), strict=True):
        places = [
            (top, left)
            for top in range(3)
            for left in range(3)
            if np.array_equal(image[:, top : top + 5, left : left + 5], crop)
        ]
        assert len(places) == 1
        counts[places[0]] += 1
    # 400 crops over 3x3 places are 44 each; 20 and 69 are 3.8 deviations away.
    assert counts.min() > 20
    assert counts.max() < 69


@pytest.mark.parametrize("whitening", WHITENINGS)
@pytest.mark.parametrize(("height", "width", "pad_to"), [(6, 6, 9), (5, 6, 8)])
def test_padding_puts_zeros_around_the_whitened_image(whitening, height, width, pad_to):
    images = distinct_images(3, height, width)
    x = trained_on(images, whitening=whitening, pad_to=pad_to).for_evaluation(images)
    top, left = (pad_to - height) // 2, (pad_to - width) // 2
    expected = torch.zeros(3, 2, pad_to, pad_to)
    plain = trained_on(images, whitening=whitening).for_evaluation(images)
    expected[:, :, top : top + height, left : left + width] = plain
    assert torch.equal(x, expected)


@pytest.mark.parametrize("pad_to", [6, 7, 10])
def test_in_evaluation_the_central_crop_undoes_padding(pad_to):
    images = distinct_images(3, 6, 6)
    padded, plain = trained_on(images, pad_to=pad_to, crop_to=6), trained_on(images)
    assert torch.equal(padded.for_evaluation(images), plain.for_evaluation(images))


def test_cutout_is_in_training_alone_and_comes_last():
    images = distinct_images(50, 6, 6)
    settings = {"pad_to": 8, "crop_to": 6, "flip": True}
    with_cutout, without = trained_on(images, **settings, cutout=3), trained_on(images, **settings)
    assert torch.equal(with_cutout.for_evaluation(images), without.for_evaluation(images))
    # The generator gives the crops and flips first, so these are the same images but for the squares.
    x, whole = (preprocessor.for_training(images, seeded(0)) for preprocessor in (with_cutout, without))
    cut = x != whole
    assert cut.any(dim=(1, 2, 3)).all()
    assert (x[cut] == 0).all()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"flip": True},
        {"crop_to": 5},
        {"pad_to": 8, "crop_to": 5, "flip": True, "cutout": 2},
        {"upsample_to": 9, "crop_to": 5, "flip": True},
    ],
)
def test_the_bytes_that_come_in_stay_as_they_are(settings):
    images = distinct_images(20, 6, 6)
    before = images.clone()
    trained_on(images, **settings).for_training(images, seeded(0))
    assert torch.equal(images, before)


def test_the_network_computing_in_bfloat16_leaves_the_pixels_in_float32():
    images = distinct_images(10, 6, 6)
    preprocessor = trained_on(images, upsample_to=9, crop_to=6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x = preprocessor.for_training(images, seeded(0))
    assert x.dtype == torch.float32
    assert torch.equal(x, preprocessor.for_training(images, seeded(0)))


def test_augmented_images_are_channels_last():
    images = distinct_images(10, 6, 6)
    for settings in ({"crop_to": 4}, {"pad_to": 8, "crop_to": 6, "cutout": 2}, {"upsample_to": 8, "flip": True}):
        x = trained_on(images, **settings).for_training(images, seeded(0))
        assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "settings", [{"upsample_to": 40, "crop_to": 32}, {"pad_to": 40, "crop_to": 32, "whitening": "image"}]
)
def test_cuda_never_waits_and_sees_what_the_cpu_sees(settings):
    images = distinct_images(64, 32, 32)
    on_cpu = trained_on(images, **settings, flip=True, cutout=8)
    on_cuda = trained_on(images.cuda(), **settings, flip=True, cutout=8)
    batch, generator = images.cuda(), seeded(0)
    torch.cuda.set_sync_debug_mode("error")
    try:
        x = on_cuda.for_training(batch, generator)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(x.cpu(), on_cpu.for_training(images, seeded(0)), rtol=1e-4, atol=1e-4)


def test_augmentation_is_a_function_of_the_generator_and_leaves_the_global_state_alone():
    images = distinct_images(50, 6, 6)
    preprocessor = trained_on(images, crop_to=4, flip=True)
    state = torch.get_rng_state()
    first, again, other = (preprocessor.for_training(images, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("size", "crop", "start"), [(6, 4, 1), (7, 4, 1), (5, 3, 1), (6, 1, 2), (5, 5, 0)])
def test_evaluation_takes_the_central_crop_and_never_flips(size, crop, start):
    images = distinct_images(3, size, size)
    plain = trained_on(images).for_evaluation(images)
    x = trained_on(images, crop_to=crop, flip=True).for_evaluation(images)
    assert torch.equal(x, plain[:, :, start : start + crop, start : start + crop])


def test_without_augmentation_training_and_evaluation_see_the_same():
    images = distinct_images(3, 5, 6)
    preprocessor = trained_on(images, upsample_to=9)
    assert torch.equal(preprocessor.for_training(images, torch.Generator()), preprocessor.for_evaluation(images))


def test_enlarging_interpolates_bilinearly_between_pixel_centres():
    images = torch.tensor([[[[0, 100], [0, 100]]]], dtype=torch.uint8)
    x = trained_on(images, upsample_to=4).for_evaluation(images)
    # Mean and deviation of the image are 50.
    assert x[0, 0].tolist() == [[-1.0, -0.5, 0.5, 1.0]] * 4


def test_the_papers_sizes_go_in_as_32_and_come_out_as_32():
    images = distinct_images(2, 32, 32)
    preprocessor = trained_on(images, upsample_to=40, crop_to=32, flip=True)
    for x in (preprocessor.for_training(images, torch.Generator()), preprocessor.for_evaluation(images)):
        assert x.shape == (2, 2, 32, 32)
        assert x.dtype == torch.float32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"whitening": "pixel"}, "whitening must be 'channel' or 'image', not 'pixel'"),
        ({"upsample_to": 0}, "upsample_to must be a whole number of pixels of 1 or more, or None, not 0"),
        ({"crop_to": 2.5}, "crop_to must be a whole number of pixels of 1 or more, or None, not 2.5"),
        ({"crop_to": -2}, "crop_to must be a whole number of pixels of 1 or more, or None, not -2"),
        ({"pad_to": 0}, "pad_to must be a whole number of pixels of 1 or more, or None, not 0"),
        ({"cutout": 1.5}, "cutout must be a whole number of pixels of 1 or more, or None, not 1.5"),
        (
            {"pad_to": 40, "upsample_to": 36},
            "either enlarged or padded, and upsample_to=36 and pad_to=40 came together: leave one of them None",
        ),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name_and_value(settings, message):
    with pytest.raises(TrainerError, match=message):
        Preprocessing(**settings)


@pytest.mark.parametrize(
    ("settings", "size"),
    [({"crop_to": 6}, 5), ({"crop_to": 9, "upsample_to": 8}, 8), ({"crop_to": 9, "pad_to": 8}, 8)],
)
def test_a_crop_larger_than_the_image_is_refused(settings, size):
    message = f"crop_to must fit into the image of {size} pixels, and {settings['crop_to']} does not"
    with pytest.raises(TrainerError, match=message):
        trained_on(distinct_images(2, 5, 6), **settings)


@pytest.mark.parametrize(
    ("settings", "size"), [({}, 5), ({"crop_to": 4}, 4), ({"pad_to": 8}, 8), ({"upsample_to": 8, "crop_to": 7}, 7)]
)
def test_a_cutout_larger_than_what_the_network_sees_is_refused_and_one_as_large_is_not(settings, size):
    images = distinct_images(2, 5, 6)
    with pytest.raises(TrainerError, match=f"cutout must fit into the image of {size} pixels, and {size + 1} does not"):
        trained_on(images, **settings, cutout=size + 1)
    assert trained_on(images, **settings, cutout=size).for_training(images, seeded(0)).isfinite().all()


def test_padding_to_less_than_the_image_is_refused():
    with pytest.raises(TrainerError, match="pad_to must be 6 pixels or more, the size of the images, and 5 is not"):
        trained_on(distinct_images(2, 5, 6), pad_to=5)


@pytest.mark.parametrize("whitening", ["channel", "image"])
def test_without_the_training_images_their_statistics_give_the_same_bits(whitening):
    settings = Preprocessing(whitening=whitening, upsample_to=10, crop_to=8)
    images = torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    of_images = Preprocessor(settings, images)
    of_statistics = Preprocessor.of_statistics(settings, (8, 8), mean=of_images.mean, std=of_images.std)
    assert torch.equal(of_statistics.for_evaluation(images), of_images.for_evaluation(images))
    assert (of_statistics.mean, of_statistics.std) == (of_images.mean, of_images.std)


def test_settings_that_do_not_fit_are_refused_without_the_training_images_too():
    with pytest.raises(TrainerError, match="crop_to must fit into the image of 8 pixels"):
        Preprocessor.of_statistics(Preprocessing(crop_to=9), (8, 8), mean=[0.0], std=[1.0])
