"""The repository is one that torch.hub loads models from."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_torch_hub_builds_the_zoo(tmp_path: Path) -> None:
    code = (
        "import torch\n"
        f"model = torch.hub.load({str(ROOT)!r}, 'pnasnet5_cifar', source='local', num_classes=7)\n"
        "print(tuple(model.eval()(torch.zeros(1, 3, 32, 32)).shape))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "(1, 7)\n"
