import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from pnas_trainer import ImageDataset, Preprocessing, TrainConfig, TrainerError, train


def outcome(result) -> dict:
    """All but the one thing that depends on the clock."""
    return {name: value for name, value in dataclasses.asdict(result).items() if name != "seconds"}


def images_of(train_labels: list[int], validation_labels: list[int], train_images: Tensor | None = None):
    """Images of one pixel that say nothing, unless given."""
    if train_images is None:
        train_images = torch.zeros(len(train_labels), 1, 1, 1, dtype=torch.uint8)
    return ImageDataset(
        train_images=train_images,
        train_labels=torch.tensor(train_labels),
        validation_images=torch.zeros(len(validation_labels), *train_images.shape[1:], dtype=torch.uint8),
        validation_labels=torch.tensor(validation_labels),
        num_classes=3,
    )


class Bias(nn.Module):
    """The same logits for every image."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return self.logits.expand(len(x), 3)


def plain_training(data: ImageDataset, config: TrainConfig, model: nn.Module) -> list[float]:
    """The training loop of a PyTorch tutorial, for data whose order makes no difference."""
    x = data.train_images.float()
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True, correction=0)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
    )
    losses = []
    for epoch in range(config.n_epochs):
        total, done = 0.0, 0
        for images, labels in zip(x.split(config.batch_size), data.train_labels.split(config.batch_size), strict=True):
            progress = (epoch + done / len(x)) / config.n_epochs
            optimizer.param_groups[0]["lr"] = config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            if config.max_gradient_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), config.max_gradient_norm)
            optimizer.step()
            total, done = total + loss.item() * len(images), done + len(images)
        losses.append(total / len(x))
    return losses


@pytest.mark.parametrize("max_gradient_norm", [None, 0.05])
@pytest.mark.parametrize("batches", ["one a step", "several a step"])
def test_training_is_the_plain_loop_with_a_cosine_and_clipping(random_images, batches, max_gradient_norm):
    data, batch_size = random_images, 20
    if batches == "several a step":
        # Equal images, so that their order makes no difference; 20 of them in steps of 8, 8 and 4.
        alike = data.train_images[:1].expand(20, -1, -1, -1).contiguous()
        data = dataclasses.replace(data, train_images=alike, train_labels=torch.zeros(20, dtype=torch.int64))
        batch_size = 8
    config = TrainConfig(
        n_epochs=4, batch_size=batch_size, learning_rate=0.01, nesterov=True, max_gradient_norm=max_gradient_norm
    )
    made = []

    def make_model() -> nn.Module:
        made.append(nn.Sequential(nn.Flatten(), nn.Linear(60, 3)))
        return made[-1]

    result = train(make_model, data, config, seed=5)
    assert len(made) == 1
    torch.manual_seed(5)
    reference = make_model()
    assert result.losses == pytest.approx(plain_training(data, config, reference), rel=1e-4)
    torch.testing.assert_close(made[0].state_dict(), reference.state_dict(), rtol=1e-4, atol=1e-6)
    assert len(set(result.losses)) == 4


AUGMENTED = TrainConfig(
    n_epochs=2, batch_size=100, learning_rate=0.05, preprocessing=Preprocessing(upsample_to=10, crop_to=8, flip=True)
)


def test_a_training_is_a_function_of_its_seed_to_the_last_bit(digits, make_convnet):
    first = train(make_convnet, digits, AUGMENTED, seed=3)
    # Dropout and the weights draw from the global state, which must not matter.
    torch.manual_seed(12345)
    assert outcome(train(make_convnet, digits, AUGMENTED, seed=3)) == outcome(first)
    other = train(make_convnet, digits, AUGMENTED, seed=4)
    assert other.losses != first.losses
    assert other.seed == 4


def test_the_callers_random_state_is_left_alone(random_images):
    state = torch.get_rng_state()
    train(lambda: nn.Sequential(nn.Dropout(), nn.Flatten(), nn.Linear(60, 3)), random_images, TrainConfig(), seed=0)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_small_network_learns_the_digits_and_says_what_it_cost(digits, make_convnet):
    config = TrainConfig(n_epochs=3, batch_size=64, learning_rate=0.05)
    result = train(make_convnet, digits, config, seed=0)
    assert result.accuracy > 0.8
    assert result.status == "finished"
    assert len(result.accuracies) == len(result.losses) == 3
    assert result.losses[-1] < result.losses[0]
    assert result.n_examples == 3 * 1438
    assert result.n_parameters == 8 * 9 + 2 * 8 + 128 * 10 + 10
    assert (result.seed, result.device) == (0, "cpu")
    assert result.images_per_second == pytest.approx(3 * 1438 / result.seconds)


def test_a_training_that_diverges_stops_and_says_so(random_images):
    def make_model() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(60, 8), nn.ReLU(), nn.Linear(8, 3))

    result = train(make_model, random_images, TrainConfig(n_epochs=9, batch_size=4, learning_rate=1e30), seed=0)
    assert result.status == "diverged"
    assert result.accuracy is None
    assert not math.isfinite(result.losses[-1])
    assert len(result.accuracies) == len(result.losses) - 1 < 8
    assert result.n_examples == len(result.losses) * 20


def test_a_training_that_diverges_in_its_last_step_says_so(random_images):
    """The loss is measured before the step, so that only the network's outputs show it."""

    def make_model() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(60, 8), nn.ReLU(), nn.Linear(8, 3))

    config = TrainConfig(n_epochs=1, batch_size=20, learning_rate=1e38, max_gradient_norm=None)
    result = train(make_model, random_images, config, seed=0)
    assert math.isfinite(result.losses[-1])
    assert result.status == "diverged"
    assert result.accuracy is None


def test_every_epoch_shows_every_image_once_with_its_label_in_an_order_of_its_own():
    shown = []

    class Recorder(Bias):
        def forward(self, x):
            if self.training:
                shown.append(x.flatten())
            return super().forward(x)

    pixels = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
    data = images_of([0] * 10, [0], pixels)
    train(Recorder, data, TrainConfig(n_epochs=2, batch_size=4), seed=0)
    assert [len(batch) for batch in shown] == [4, 4, 2] * 2
    # The pixels 0 to 9 have a mean of 4.5 and a variance of 8.25.
    first, second = (torch.cat(epoch) * 8.25**0.5 + 4.5 for epoch in (shown[:3], shown[3:]))
    for epoch in (first, second):
        torch.testing.assert_close(epoch.sort().values, torch.arange(10.0))
    assert not torch.equal(first, second)


def test_the_accuracy_is_the_share_of_validation_images_of_all_evaluation_batches():
    # Trained on class 1 alone, the network always answers 1.
    data = images_of([1] * 6, [1] * 700 + [0] * 1400 + [1] * 400)
    assert train(Bias, data, TrainConfig(n_epochs=1), seed=0).accuracy == 1100 / 2500


def test_the_network_trains_in_training_mode_and_is_measured_in_evaluation_mode():
    class RightInEvaluation(Bias):
        def forward(self, x):
            return super().forward(x) + 20 * F.one_hot(torch.tensor(1 if self.training else 0), 3)

    result = train(RightInEvaluation, images_of([0] * 6, [0] * 5), TrainConfig(n_epochs=2), seed=0)
    assert result.accuracies == (1.0, 1.0)
    assert min(result.losses) > 15


def test_frozen_parameters_neither_move_nor_count():
    made = []

    def make_model() -> nn.Module:
        made.append(Bias())
        made[-1].scale = nn.Parameter(torch.ones(4), requires_grad=False)
        return made[-1]

    result = train(make_model, images_of([0, 1, 0], [0]), TrainConfig(n_epochs=1), seed=0)
    assert result.n_parameters == 3
    assert made[0].scale.tolist() == [1] * 4
    assert made[0].logits.abs().sum() > 0


def test_a_parameter_whose_first_gradient_comes_late_trains(random_images):
    class Late(nn.Module):
        def __init__(self):
            super().__init__()
            self.n_calls = 0
            self.early, self.late = nn.Linear(60, 3), nn.Linear(60, 3)

        def forward(self, x):
            self.n_calls += 1
            x = x.flatten(1)
            return self.early(x) + self.late(x) if self.n_calls > 3 else self.early(x)

    assert train(Late, random_images, TrainConfig(n_epochs=2, batch_size=5), seed=0).status == "finished"


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_reaches_about_the_accuracy_of_the_cpu(digits, make_convnet):
    config = TrainConfig(n_epochs=5, batch_size=64, learning_rate=0.05, preprocessing=Preprocessing(flip=True))
    on_cuda, on_cpu = (train(make_convnet, digits, config, seed=0, device=device) for device in ("cuda", "cpu"))
    assert on_cpu.accuracy > 0.8
    assert on_cuda.accuracy == pytest.approx(on_cpu.accuracy, abs=0.05)
    assert on_cuda.device.startswith("cuda")
    assert on_cuda.n_examples == on_cpu.n_examples
    assert digits.train_images.device.type == "cpu"


def test_weights_that_are_a_slice_of_another_tensor_train_as_their_copy_does(random_images):
    def make_model(copied: bool) -> nn.Module:
        model = nn.Sequential(nn.Flatten(), nn.Linear(60, 3))
        wide = torch.randn(3, 90)[:, :60]
        model[1].weight = nn.Parameter(wide.clone() if copied else wide)
        return model

    config = TrainConfig(n_epochs=2, batch_size=5)
    sliced, copied = (train(lambda c=c: make_model(c), random_images, config, seed=0) for c in (False, True))
    assert sliced.losses == copied.losses


def test_activation_checkpointing_gives_the_same_training(digits):
    class Checkpointed(nn.Module):
        def __init__(self, recomputes: bool):
            super().__init__()
            self.recomputes = recomputes
            self.body = nn.Sequential(
                nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 5, padding=2, groups=4, bias=False), nn.MaxPool2d(3, 1, 1)
            )
            self.head = nn.Linear(256, 10)

        def forward(self, x):
            x = checkpoint(self.body, x, use_reentrant=False) if self.recomputes else self.body(x)
            return self.head(x.flatten(1))

    config = TrainConfig(n_epochs=1, batch_size=200)
    kept, recomputed = (train(lambda c=c: Checkpointed(c), digits, config, seed=0) for c in (False, True))
    assert recomputed.losses == pytest.approx(kept.losses, rel=1e-6)


@pytest.mark.parametrize(
    ("make_model", "message"),
    [
        (lambda: None, r"make_model must give a torch\.nn\.Module, not NoneType"),
        (nn.Flatten, "a network with parameters to train, and this one has none"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(60, 5)), r"logits of shape \(N, 3\).* gave \(1, 5\)"),
    ],
)
def test_a_network_that_cannot_be_trained_is_refused_in_a_sentence(random_images, make_model, message):
    with pytest.raises(TrainerError, match=message):
        train(make_model, random_images, TrainConfig(), seed=0)


def test_after_every_step_somebody_is_told_how_far_the_training_is(random_images):
    told = []
    config = TrainConfig(n_epochs=2, batch_size=len(random_images.train_images) // 2)
    result = train(
        lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(random_images.train_images[0].numel(), random_images.num_classes)
        ),
        random_images,
        config,
        seed=0,
        on_step=lambda n_epochs, accuracies: told.append((n_epochs, tuple(accuracies))),
    )
    first, second = result.accuracies
    assert told == [(0.5, ()), (1.0, (first,)), (1.5, (first,)), (2.0, (first, second))]
