import torch
from torch import Tensor, nn

from pnas_trainer._batches import Batches
from pnas_trainer._processes import Processes


@torch.inference_mode()
def accuracies(model: nn.Module, batches: Batches, processes: Processes, batch_size: int) -> list[float | None]:
    """Share of the validation images that each child classifies right; None where its outputs are not finite."""
    model.eval()
    processes.agree(model)
    device = next(model.parameters()).device
    counts = torch.zeros(2, batches.n_children, dtype=torch.int64, device=device)  # right; not finite
    for images, labels in batches.validation(batch_size):
        logits: Tensor = model(images.contiguous(memory_format=torch.channels_last))
        by_child = logits.view(batches.n_children, *logits.shape[-2:])
        counts[0] += (by_child.argmax(2) == labels).sum(1)
        counts[1] += (~by_child.isfinite()).flatten(1).any(1)
    n_right, n_broken = processes.sum(counts).tolist()
    n_images = batches.n_validation_images
    return [None if broken else right / n_images for right, broken in zip(n_right, n_broken, strict=True)]
