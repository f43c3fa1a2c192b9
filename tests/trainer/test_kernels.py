"""Our Triton kernels where there is no GPU: what they compute by an interpreter, and that they compile for GPUs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pnas_trainer._cuda._chains import Chain
from pnas_trainer._cuda._separable import separable_layers

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU runs them itself")


@pytest.fixture(autouse=True)
def _triton():
    pytest.importorskip("triton", reason="this PyTorch has no Triton")


@pytest.mark.skipif("TRITON_INTERPRET" in os.environ, reason="is what runs this")
def test_what_they_compute():
    files = [str(HERE / name) for name in ("test_separable.py", "test_fused.py", "test_choice.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 30


class Launches:
    """Stands where the kernels are, and keeps what they are launched with."""

    def __init__(self) -> None:
        self.all = []

    def __getattr__(self, name):
        return Launcher(name, self.all)


class Launcher:
    def __init__(self, name, launches):
        self._name, self._launches = name, launches

    def __getitem__(self, grid):
        assert 1 <= len(grid) <= 3
        return lambda *args, **options: self._launches.append((self._name, args, options))


@pytest.mark.parametrize("architecture", [80, 90])
def test_they_compile(separable_layer, monkeypatch, tmp_path, architecture):
    """With the arguments that they really get; Triton brings the assembler with it."""
    import triton
    from triton.backends.compiler import GPUTarget

    from pnas_trainer._cuda import _kernels, _passes

    if not isinstance(_kernels.forward, triton.JITFunction):
        pytest.skip("Triton interprets")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    launches = Launches()
    monkeypatch.setattr(_passes, "_kernels", lambda: launches)
    modules = nn.Sequential(*separable_layer(24, 24, 5, stride=2), *separable_layer(24, 24, 5))
    x = torch.zeros(2, 24, 8, 8, dtype=torch.bfloat16, requires_grad=True)
    y = separable_layers(x, Chain(list(modules)).layers(x))
    y.backward(torch.zeros_like(y))
    assert len(launches.all) == 14
    for name, args, options in launches.all:
        kernel = getattr(_kernels, name)
        settings = {key: options.pop(key) for key in ("num_warps", "enable_fp_fusion", "num_stages") if key in options}
        arguments = dict(zip(kernel.arg_names, args, strict=False)) | options
        assert list(arguments) == kernel.arg_names
        constants = {key: 1 for key, value in arguments.items() if isinstance(value, int) and value == 1} | options
        types = {key: TYPES[getattr(value, "dtype", type(value))] for key, value in arguments.items()}
        source = triton.compiler.ASTSource(
            fn=kernel, signature=types | dict.fromkeys(constants, "constexpr"), constexprs=constants
        )
        compiled = triton.compile(source, target=GPUTarget("cuda", architecture, 32), options=settings)
        assert compiled.asm["cubin"], name


TYPES = {
    torch.float32: "*fp32",
    torch.bfloat16: "*bf16",
    torch.int64: "*i64",
    int: "i32",
    float: "fp32",
    bool: "constexpr",
    str: "constexpr",
}
