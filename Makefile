# Thresher. `make` lists the targets; each does all of its own set-up in .venv and is cheap to run again.

PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# Holds torch's CPU build; where it cannot be reached, pip's own configuration decides.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check
export REACHABLE = import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)
pinned = $(shell grep -i '^$(1)==' constraints.txt)

.DEFAULT_GOAL := help
.PHONY: help setup demo custom-unit methods test lint bench bench-hlsc bench-cost fuzz-hlsc fuzz-networks fuzz-models sweep-units resets prove-kernels clean check-machine

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | \
	  while IFS="$$(printf '\t')" read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

setup: $(READY)  ## Create .venv with everything that the other targets need

demo: $(READY)  ## Train two 1-bit networks on digits, build their accelerators, simulate them, print the tables
	$(BIN)/python -W "ignore:fast_hadamard_transform" examples/digits/demo.py

custom-unit: $(READY)  ## A kernel from a package of its own: install it, train, build, simulate, print the table
	@$(PIP) install -q --no-deps --no-build-isolation ./examples/custom_unit
	$(BIN)/python -W "ignore:fast_hadamard_transform" examples/custom_unit/run.py

# Of all, or of METHOD (make methods METHOD=bnn): the names of the files in examples/methods.
methods: $(READY)  ## Each binarisation method (METHOD=bnn: one): train, build, simulate, print the accuracies
	$(BIN)/python -W "ignore:fast_hadamard_transform" examples/methods/run_method.py $(or $(METHOD),all)

test: lint  ## Linters, unit tests, C simulations and RTL simulations
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy

# Of this and the next, each part is run even where one before it misses a bound; the exit code is then 1.
bench: $(READY)  ## Measure speed, memory and size: tables, JSON in build, and bench/RESULTS.md
	@code=0; for part in bench bench.convolutional bench.verification bench.folding bench.networks bench.peers bench.page; do $(BIN)/python -m $$part || code=1; done; exit $$code

bench-hlsc: $(READY)  ## Measure hlsc: size beside hand-written SystemVerilog and peers, routed clocks, compile time
	@code=0; for part in quality peers routing compile_time; do $(BIN)/python -m bench.$$part || code=1; done; exit $$code

bench-cost: $(READY)  ## Synthesise the units of the cost model's table again and fit to it (some 20 minutes)
	$(BIN)/python -m bench.cost --jobs $(JOBS)

fuzz-hlsc: $(READY)  ## Compare N random units, C++ against SystemVerilog, from seed SEED on (N=2000, SEED=0)
	$(BIN)/python -m tests.hlsc.fuzz -n $(or $(N),2000) --seed $(or $(SEED),0) --jobs $(JOBS)

fuzz-networks: $(READY)  ## Hold N random networks, from seed SEED on, to an executor of their models (N=2000, SEED=0, RTL=0)
	$(BIN)/python -m tests.fuzz_networks -n $(or $(N),2000) --seed $(or $(SEED),0) --jobs $(JOBS) --rtl $(or $(RTL),0)

fuzz-models: $(READY)  ## Give N mutated models, arrays, foldings and projects, from seed SEED on, to the command line (N=1000, SEED=0)
	$(BIN)/python -m tests.fuzz_models -n $(or $(N),1000) --seed $(or $(SEED),0) --jobs $(JOBS)

sweep-units: $(READY)  ## Hold 5,400 matrix-vector units to plain arithmetic, all fan-ins near powers of two (N=100: so many)
	$(BIN)/python -m tests.kernels.sweep -n $(or $(N),0) --seed $(or $(SEED),0) --jobs $(JOBS)

resets: $(READY)  ## Reset units of every kernel, and three branched networks, N times each (N=200, SEED=0; 15 minutes)
	$(BIN)/python -W "ignore:fast_hadamard_transform" -m tests.resets -n $(or $(N),200) --seed $(or $(SEED),0)

prove-kernels: $(READY)  ## Prove the SystemVerilog of small layers of each kernel, pipelined and in one stage (20 minutes)
	$(BIN)/python -m tests.kernels.prove

clean:  ## Remove what was built; .venv stays (remove it with: rm -r .venv)
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): pyproject.toml constraints.txt | check-machine
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setup: installing into $(VENV) (some minutes the first time)"
	@$(PIP) install -q --no-warn-conflicts --no-deps $(call pinned,torch) $(call pinned,hls4ml) \
	  $$($(BIN)/python -c "$$REACHABLE" $(TORCH_INDEX)/torch/ 2>/dev/null && echo --extra-index-url $(TORCH_INDEX))
	@$(PIP) install -q --no-warn-conflicts -c constraints.txt $(call pinned,hatchling) $(call pinned,editables)
	@$(PIP) install -q --no-warn-conflicts -c constraints.txt --no-build-isolation -e '.[sim,train,evaluate,synth,dev]'
	@$(BIN)/python -m find_libpython >/dev/null || \
	  { echo "setup: $(PYTHON) has no shared libpython, and cocotb needs it; install it (Debian: apt-get install python3-dev)" >&2; exit 4; }
	@touch $@

check-machine:
	@test -x $(BIN)/python || { command -v $(PYTHON) >/dev/null && \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; } || \
	  { echo "setup: Python 3.11 or newer is needed, and '$(PYTHON)' is not; install it, or name it: make PYTHON=python3.12" >&2; exit 4; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "setup: $(PYTHON) has no 'venv' module; install it (Debian: apt-get install python3-venv)" >&2; exit 4; }
	@for tool in g++ perl; do command -v $$tool >/dev/null || \
	  { echo "setup: $$tool is missing, and Verilator needs it; install it (Debian: apt-get install $$tool)" >&2; exit 4; }; done
