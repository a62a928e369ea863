# make lab      opens your copy of the lessons                make test   runs every check, cheapest first
# make lessons  executes the lessons again and stores their outputs
# make bench    measures against the plain loop of lesson 03  make test-gpu, make bench-gpu   the same on a CUDA device
#
# make wheel    builds the wheel into dist/                   make address REPO=owner/name [REF=v0.2.0] [PYPI=yes]
#                                                             writes where this repository lives into every copy (REPO=none: takes it out)
# make site     writes the website into site/
#
# Needs python3 (3.10 or later), make and a package index. For another Python: make lab PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
# What is installed: this folder, or a wheel (PACKAGE=dist/florence_nb-0.1.0-py3-none-any.whl).
PACKAGE ?= --editable .
# The version that the stored outputs were made with. TORCH=torch takes the newest one that pyproject.toml allows. pip takes the build
# that your index offers: on Linux most offer CUDA builds of several GB (REFERENCE.md names the small CPU build).
TORCH ?= torch==2.13.0
COLAB_VENV ?= .venv-colab

# Two processes of one thread each are faster here than one process of two, and far faster on a busy machine, where threads wait for
# each other.
SPREAD = --numprocesses=2 --dist=loadfile
GPU_CASES = time six slider sixteen settings throughput decoding

BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
NBVAL = --nbval --nbval-current-env --nbval-cell-timeout=120 --nbval-sanitize-with=tests/notebooks/sanitize.cfg
ALLOW_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test venv lint test-unit test-notebooks test-browser test-colab test-site test-slow test-gpu bench bench-gpu lessons derive slides site wheel address clean

lab: $(VENV)/.lab
	$(BIN)/florence-nb lab $(ALLOW_ROOT)

# The slow rings wait for pages and kernels most of the time, so two of them run side by side.
test: test-unit test-notebooks
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-browser test-colab test-site

venv: $(BIN)/python

$(BIN)/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10))" || \
	  { echo "florence-nb needs Python 3.10 or later, and '$(PYTHON)' is older or missing: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.lab: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet "$(TORCH)" $(PACKAGE)[lab,many]
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet "$(TORCH)" $(PACKAGE)[dev]
	@touch $@ $(VENV)/.lab $(VENV)/.site

$(VENV)/.site: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet "$(TORCH)" $(PACKAGE)[site]
	@touch $@

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/mypy

test-unit: lint
	OMP_NUM_THREADS=1 $(BIN)/pytest $(SPREAD)

test-notebooks: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest $(SPREAD) $(NBVAL) tests/notebooks notebooks

test-browser: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --durations=8 tests/browser

test-site: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --durations=8 tests/site

test-colab: $(VENV)/.dev
	OMP_NUM_THREADS=1 COLAB_VENV=$(COLAB_VENV) $(BIN)/pytest --durations=8 tests/colab

test-slow: $(VENV)/.dev
	$(BIN)/pytest tests/slow

test-gpu: $(VENV)/.dev
	$(BIN)/pytest tests/gpu

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

bench-gpu: $(VENV)/.dev
	$(BIN)/python -m benchmarks --device cuda --cases $(GPU_CASES)

lessons: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.notebooks.refresh

# What the lessons take from elsewhere: the exercises' sheets and workshop/quiz.toml. Then: make lessons.
derive: $(VENV)/.dev
	$(BIN)/python -m tests.notebooks.derive

slides: $(VENV)/.dev
	$(BIN)/florence-nb slides

site: $(VENV)/.site
	PYTHONPATH=docs $(BIN)/python -m florence_site

wheel: $(BIN)/python
	@$(BIN)/python .ci/wheel.py

address:
	@$(PYTHON) .ci/address.py $(if $(REPO),'$(REPO)') $(if $(REF),--ref '$(REF)') $(if $(PYPI),--pypi '$(PYPI)')

clean:
	rm -rf $(VENV) $(COLAB_VENV) build dist site *.egg-info
