import pytest

from pnas_models import PNASNET_5, ModelError, cifar_network, cifar_sizes, count_parameters


def test_pnasnet_5_has_the_papers_size():
    assert cifar_sizes(PNASNET_5, 3_200_000, [3]) == {3: 48}


@pytest.mark.parametrize("cell", [[(-2, "identity", -1, "sep_conv_3x3")], PNASNET_5])
@pytest.mark.parametrize("n_parameters", [20_000, 500_000])
def test_no_other_number_of_filters_comes_nearer(cell, n_parameters):
    sizes = cifar_sizes(cell, n_parameters, [1, 3], num_classes=100, in_channels=1)
    assert list(sizes) == [1, 3]
    assert sizes[1] >= sizes[3]
    for n_repeats, n_filters in sizes.items():
        near = {
            f: abs(count_parameters(cifar_network(cell, f, n_repeats, num_classes=100, in_channels=1)) - n_parameters)
            for f in (n_filters - 4, n_filters, n_filters + 4)
            if f > 0
        }
        assert min(near, key=near.__getitem__) == n_filters


def test_a_number_that_no_network_reaches_gives_the_smallest_one():
    assert cifar_sizes(PNASNET_5, 1, [2]) == {2: 4}


def test_it_refuses_what_is_no_size():
    with pytest.raises(ModelError, match="n_parameters"):
        cifar_sizes(PNASNET_5, 0)
    with pytest.raises(ModelError, match="n_repeats"):
        cifar_sizes(PNASNET_5, 1000, [0])
