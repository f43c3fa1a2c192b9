import pytest
import torch

from pnas_trainer import ImageDataset, Preprocessing, TrainerError
from pnas_trainer._processes import Processes
from pnas_trainer._resident import ResidentBatches


def batches(data, seeds=(0,), batch_size=6) -> ResidentBatches:
    made = ResidentBatches(data, Preprocessing(crop_to=4, flip=True), batch_size, seeds, Processes())
    made.shuffle()
    return made


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [(6, [6, 6, 6, 2]), (19, [20]), (20, [20]), (50, [20]), (1, [1] * 20), (9, [9, 9, 2])],
)
def test_every_image_is_in_one_batch_and_none_is_too_small(random_images, batch_size, sizes):
    made = batches(random_images, batch_size=batch_size)
    assert [end - begin for begin, end in made.bounds] == sizes
    labels = torch.cat([made.get(step)[1][0] for step in range(len(sizes))])
    assert torch.equal(labels.sort().values, random_images.train_labels.sort().values)


def test_a_child_is_shown_the_same_whoever_is_trained_beside_it(random_images):
    together = batches(random_images, seeds=(3, 4, 5))
    alone = batches(random_images, seeds=(4,))
    for step in range(len(alone.bounds)):
        (images, labels), (all_images, all_labels) = alone.get(step), together.get(step)
        assert torch.equal(images[0], all_images[1])
        assert torch.equal(labels[0], all_labels[1])
        assert not torch.equal(all_images[0], all_images[1])


def test_its_state_goes_on_in_the_middle_of_an_epoch(random_images):
    first = batches(random_images, seeds=(1, 2))
    first.get(0)
    state = first.state_dict()
    expected = [first.get(step)[0] for step in (1, 2)]
    second = ResidentBatches(random_images, Preprocessing(crop_to=4, flip=True), 6, (1, 2), Processes())
    second.load_state_dict(state)
    assert all(torch.equal(second.get(step)[0], images) for step, images in zip((1, 2), expected, strict=True))


def test_the_state_of_other_images_is_refused(random_images, digits):
    state = batches(random_images).state_dict()
    with pytest.raises(TrainerError, match="a training on 20 images, not 1438"):
        batches(digits).load_state_dict(state)


@pytest.mark.parametrize(("upsample_to", "n_at_once"), [(None, 17), (64, 4), (256, 1)])
def test_as_many_images_are_measured_with_at_once_as_stay_in_a_cache(upsample_to, n_at_once):
    images, labels = torch.zeros(40, 3, 32, 32, dtype=torch.uint8), torch.arange(40)
    data = ImageDataset(
        train_images=images, train_labels=labels, validation_images=images, validation_labels=labels, num_classes=40
    )
    made = ResidentBatches(data, Preprocessing(upsample_to=upsample_to), 6, (0,), Processes())
    assert made.evaluation_batch_size == n_at_once
    measured = list(made.validation(made.evaluation_batch_size))
    assert torch.equal(torch.cat([labels for _, labels in measured]), labels)
    sizes = {len(images) for images, _ in measured}
    assert max(sizes) <= n_at_once
    assert max(sizes) - min(sizes) <= 1
