from torch import nn

from pnas_trainer._cpu import fused_chains


def test_models_are_left_as_they_were():
    model = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
    with fused_chains(model):
        assert "forward" in vars(model)
        with fused_chains(model):  # the first one counts
            pass
        assert "forward" in vars(model)
    assert "forward" not in vars(model)


def test_other_containers_and_sequences_with_a_forward_of_their_own_are_left_alone():
    class Doubled(nn.Sequential):
        def forward(self, input):
            return 2 * super().forward(input)

    model = nn.ModuleList(
        [Doubled(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4)), nn.Sequential(), nn.Sequential(nn.ReLU())]
    )
    with fused_chains(model):
        assert all("forward" not in vars(module) for module in model.modules())


def test_models_are_left_as_they_were_where_one_of_their_layers_has_settings_of_another_form():
    fine = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
    odd = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
    odd[0].stride = 1
    model = nn.ModuleList([fine, odd])
    with fused_chains(model):
        assert ["forward" in vars(module) for module in model] == [True, False]
    assert all("forward" not in vars(module) for module in model.modules())
