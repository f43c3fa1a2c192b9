from pnas_tools._errors import BadInput


def check_device(device: str) -> None:
    """Raise `BadInput` unless PyTorch has the device."""
    import torch

    if device != "cpu" and (torch.device(device).index or 0) >= torch.cuda.device_count():
        raise BadInput(
            f"--device {device} asks for a CUDA device, and PyTorch finds {torch.cuda.device_count()} of them: "
            "pass another one, or --device cpu"
        )
