import pytest

from pnas_trainer import TrainerError
from pnas_trainer._batches import batch_bounds, validation_bounds


@pytest.mark.parametrize(
    ("n_images", "batch_size", "n_processes", "sizes"),
    [
        (20, 6, 1, [6, 6, 6, 2]),
        (19, 6, 1, [6, 6, 7]),
        (20, 50, 1, [20]),
        (3, 1, 1, [1, 1, 1]),
        (20, 6, 2, [6, 6, 8]),
        (22, 6, 2, [6, 6, 6, 4]),
        (1, 6, 1, [1]),
    ],
)
def test_too_few_images_left_over_go_with_the_last_whole_batch(n_images, batch_size, n_processes, sizes):
    bounds = batch_bounds(n_images, batch_size, n_processes)
    assert [end - begin for begin, end in bounds] == sizes
    assert [begin for begin, _ in bounds] == [0, *(end for _, end in bounds[:-1])]


def test_fewer_images_than_processes_are_refused():
    with pytest.raises(TrainerError, match="3 processes need an image each to train on, and there are 2 in all"):
        batch_bounds(2, 6, 3)


@pytest.mark.parametrize("n_processes", [1, 2, 3])
@pytest.mark.parametrize("n_images", [1, 7, 8])
def test_processes_measure_every_image_once(n_images, n_processes):
    measured = [
        image
        for index in range(n_processes)
        for begin, end in validation_bounds(n_images, 2, index, n_processes)
        for image in range(begin, end)
    ]
    assert sorted(measured) == list(range(n_images))


@pytest.mark.parametrize(("n_images", "sizes"), [(10, [5, 5]), (9, [4, 5]), (6, [6]), (13, [4, 4, 5]), (0, [])])
def test_batches_that_measure_are_about_as_large(n_images, sizes):
    assert [end - begin for begin, end in validation_bounds(n_images, 6, 0, 1)] == sizes
