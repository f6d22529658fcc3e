# Works on a bare Debian 12: python3 >= 3.11, pip, make. No root, no apt, no python3-venv (no ensurepip), no compiler.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The system's pip works *into* the environment: no ensurepip, no "externally managed" refusal (pip >= 22.3).
PIP := $(PYTHON) -m pip --python $(BIN)/python

.PHONY: help setup demo serve test test-statistics test-faults lint bench oracles lock clean
help:
	@echo 'make demo   the whole story on this machine; under a minute, the first time one more for set-up'
	@echo 'make test   all tests            make lint   format, lint, types, layers'
	@echo 'make bench  the figures          make serve  the API and the page on 127.0.0.1'
	@echo 'make setup | test-statistics | test-faults | oracles | lock | clean'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mintmark needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --without-pip $(VENV)

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes --only-binary :all: --no-deps -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

setup: $(STAMP)

demo: $(STAMP)
	$(BIN)/mintmark demo --home demo

serve: $(STAMP)
	$(BIN)/mintmark serve

test: $(STAMP)
	$(BIN)/python -m pytest

# Simulated false alarms and power, with error bars; about twenty minutes.
test-statistics: $(STAMP)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest tests/statistics -n 0 --timeout=3600

# Hundreds of processes killed at random moments, on SQLite and on PostgreSQL; about half an hour.
test-faults: $(STAMP)
	$(BIN)/python -m pytest tests/faults/campaign*.py -n 0 --timeout=7200

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

# Developers only, needs a compiler: makes the committed test vectors again from the reference implementation.
oracles: $(STAMP)
	$(PYTHON) -m venv .oracles
	.oracles/bin/pip install --quiet pdqhash opencv-python-headless pillow numpy meeteval
	.oracles/bin/python tests/drift/oracles/make_pdq_vectors.py
	.oracles/bin/python tests/drift/oracles/make_cpwer_vectors.py

# Developers only, needs uv. The lowest Python and Linux, so that one file serves every Python >= 3.11.
lock: $(BIN)/python
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 --only-binary :all: \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --no-strip-markers --extra asr --extra c2pa --extra vmaf --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .oracles demo
