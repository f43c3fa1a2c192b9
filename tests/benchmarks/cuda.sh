#!/usr/bin/env bash
# Everything that only a GPU can show, in the order of what is needed most: about 25 minutes on one.
# It runs from source, with any python that has PyTorch and pytest: PYTHON=python3 tests/benchmarks/cuda.sh [folder for results]
set -uo pipefail
cd "$(dirname "$0")/../.."
results=${1:-build/cuda}
mkdir -p "$results"
for package in searchspace surrogate models trainer search; do
  PYTHONPATH="packages/$package/src:${PYTHONPATH:-}"
done
export PYTHONPATH="$PYTHONPATH:tests/benchmarks"
python=${PYTHON:-python3}

run() {  # a name for the results, and a command
  local name=$1
  shift
  echo "== $name: $*"
  timeout 590 "$@" 2>&1 | tee "$results/$name.txt" | tail -25
}

run versions "$python" -c 'import torch, triton; print(torch.__version__, torch.version.cuda, triton.__version__, torch.cuda.get_device_name())'
run tests "$python" -m pytest -q -m cuda tests/trainer tests/models -p no:cacheprovider
run kernels "$python" -m pytest -q -p no:cacheprovider --benchmark-only tests/benchmarks/test_bench_fused.py
run children "$python" -m pytest -q -p no:cacheprovider --benchmark-only tests/benchmarks/test_bench_trainer.py -m cuda
for beside in 1 4 8 16; do
  run "projection-$beside" "$python" tests/benchmarks/projection.py --device cuda --precision bfloat16 --batch 64 --beside "$beside"
done
run projection-together "$python" tests/benchmarks/projection.py --device cuda --precision bfloat16 --batch 64 --together 8
run projection-deterministic env CUBLAS_WORKSPACE_CONFIG=:4096:8 "$python" tests/benchmarks/projection.py --device cuda --deterministic
run networks "$python" -m pytest -q -p no:cacheprovider --benchmark-only tests/benchmarks/test_bench_models.py -m cuda
