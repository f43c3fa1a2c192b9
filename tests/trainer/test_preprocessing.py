import pytest
import torch
from torch import Tensor

from pnas_trainer import Preprocessing, Preprocessor, TrainerError

WHITENINGS = ["channel", "image"]


def distinct_images(n_images: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (n_images, 2, height, width), generator=generator, dtype=torch.uint8)


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
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name_and_value(settings, message):
    with pytest.raises(TrainerError, match=message):
        Preprocessing(**settings)


@pytest.mark.parametrize(("settings", "size"), [({"crop_to": 6}, 5), ({"crop_to": 9, "upsample_to": 8}, 8)])
def test_a_crop_larger_than_the_image_is_refused(settings, size):
    message = f"crop_to must fit into the image of {size} pixels, and {settings['crop_to']} does not"
    with pytest.raises(TrainerError, match=message):
        trained_on(distinct_images(2, 5, 6), **settings)
