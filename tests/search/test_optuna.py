import subprocess
import sys


def test_without_optuna_the_extra_is_named() -> None:
    code = "import sys; sys.modules['optuna'] = None; import pnas_search; import pnas_search.optuna"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith('pnas_search.optuna needs Optuna: pip install "pnas-search[optuna]"\n')
