# One command each, the same on a laptop and in CI. `make setup` is implied by all of them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# One test process per core, four at most: each of them may take 2 GiB.
WORKERS := -n logical --maxprocesses=4
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check audit fmt docs bench notebook clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## virtual environment with pinned dependencies

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,postgres,redis,dev]'
	@touch $(STAMP)

demo: setup  ## a simulated shop, its profiles, lists, accuracy and report.html
	OMP_WAIT_POLICY=PASSIVE $(BIN)/huaxiang demo --out runs/demo

test: setup  ## the tests that finish in five minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" $(WORKERS) -q

test-slow: setup  ## every test, the slow ones included
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(WORKERS) -q --durations=40

check: setup  ## lint, formatting, types, import order, spelling, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md docs src tests benchmarks
	$(BIN)/python docs/generate.py --check

audit: setup  ## what is installed: pinned, licensed, not withdrawn, without known weaknesses
	$(BIN)/python scripts/audit_dependencies.py

fmt: setup  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup  ## write the generated reference pages
	$(BIN)/python docs/generate.py

notebook: setup  ## run the example notebook
	$(BIN)/python docs/run_notebook.py examples/01_first_profile.ipynb

bench: setup  ## measure every figure of benchmarks/README.md (about an hour)
	for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## remove what was made
	rm -rf $(VENV) runs shops build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
