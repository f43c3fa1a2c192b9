import pytest
import torch
from torch.nn import functional as F

from pnas_trainer._cuda import _choice, is_faster
from pnas_trainer._cuda._chains import Chain
from pnas_trainer._sameness import Snapshot, host_randomness


@pytest.fixture
def chain(separable_layer):
    modules = torch.nn.Sequential(*separable_layer(8, 8, 3), *separable_layer(8, 6, 5, inplace=True))
    return Chain(list(modules.to("cuda" if torch.cuda.is_available() else "cpu")))


@pytest.fixture
def maps(chain):
    return torch.randn(4, 8, 6, 6, device=chain.modules[1].weight.device)


class Clock:
    """Takes the seconds that it is given, and looks at what is measured."""

    def __init__(self, *times):
        self._times = list(times)

    def __call__(self, run):
        run()
        return self._times.pop(0)


def test_the_cpu_has_its_own(chain, maps):
    assert not is_faster(chain, chain.layers(maps.cpu()), maps.cpu())


@pytest.mark.usefixtures("kernel_device")
@pytest.mark.parametrize(("times", "expected"), [((1.0, 2.0), True), ((2.0, 1.0), False)])
def test_what_is_faster_is_chosen(chain, maps, times, expected):
    assert _choice._measured(chain, maps, Clock(*times)) is expected


@pytest.mark.usefixtures("kernel_device")
def test_measuring_changes_nothing(chain, maps):
    model = torch.nn.Sequential(*chain.modules)
    before, randomness = Snapshot(model), host_randomness()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    _choice._measured(chain, maps, Clock(1.0, 2.0))
    assert before.still_holds()
    assert randomness == host_randomness()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_kernels_that_do_not_compile_are_left_out(chain, maps, monkeypatch):
    def fail(_x, _layers):
        raise RuntimeError("no compiler\n was found")

    monkeypatch.setattr(_choice, "separable_layers", fail)
    with pytest.warns(UserWarning, match="fused kernels fail here: no compiler was found"):
        assert not _choice._measured(chain, maps, Clock())


def test_kernels_that_compute_something_else_are_left_out(chain, maps, monkeypatch):
    def enlarged(x, layers):
        for layer in layers:
            x = F.conv2d(x.relu(), layer.depthwise, padding=-layer.rows.first, groups=x.shape[1])
            x = layer.norm(F.conv2d(x, layer.pointwise))
        return 1.2 * x

    monkeypatch.setattr(_choice, "separable_layers", enlarged)
    with pytest.warns(UserWarning, match="fused kernels fail here: what they compute is 20% away"):
        assert not _choice._measured(chain, maps, Clock())


def test_memory_that_is_short_is_no_failure_of_theirs(chain, maps, monkeypatch):
    def fail(_x, _layers):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(_choice, "separable_layers", fail)
    assert _choice._measured(chain, maps, Clock()) is None


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_gpu_measures_once(chain, maps, dtype, monkeypatch):
    monkeypatch.setattr(_choice, "_chosen", {})
    x = maps.to(dtype)
    layers = chain.layers(x)
    before = torch.cuda.get_rng_state()
    with torch.cuda.stream(torch.cuda.Stream()), torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
        chosen = is_faster(chain, layers, x)
        monkeypatch.setattr(_choice, "_measured", None)
        assert is_faster(chain, layers, x) is chosen
    assert torch.equal(before, torch.cuda.get_rng_state())


@pytest.mark.usefixtures("kernel_device")
@pytest.mark.parametrize(
    "change",
    [
        lambda modules: torch.nn.init.zeros_(modules[7].weight),
        lambda modules: torch.nn.init.constant_(modules[1].weight, torch.nan),
        lambda modules: modules[2].requires_grad_(False),
    ],
    ids=["zero", "nan", "frozen"],
)
def test_weights_that_tell_nothing_do_not_matter(chain, maps, change):
    change(chain.modules)
    assert _choice._measured(chain, maps, Clock(1.0, 2.0)) is True
