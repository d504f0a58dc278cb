# Two commands do everything: `make demo` and `make test`. Both make and reuse .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO_UI ?= 1
export TOKENIZERS_PARALLELISM := false

.PHONY: setup demo test lint bench docs clean

## The environment for use: what the workbench needs to run.
.venv/.runtime: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing (some minutes the first time) ..."
	@$(PIP) torch==2.13.0
	@$(PIP) --editable '.[fast]'
	@touch $@

## The environment for development: tests, linters, every extra.
.venv/.development: .venv/.runtime
	@$(PIP) --editable '.[fast,onnx,dashboard,entities,ragas,postgres,dev]'
	@touch $@

setup: .venv/.development

## Evaluate the example pipelines on the bundled dataset, print the comparison, serve the UI (DEMO_UI=0: don't).
demo: .venv/.runtime
	@$(BIN)/rag-workbench run docs/examples/*.yaml --dataset meridian --reuse
	@if [ "$(DEMO_UI)" != 0 ]; then echo; echo "The UI is at http://127.0.0.1:8501 (Ctrl-C ends it)."; $(BIN)/rag-workbench ui; fi

test: setup lint
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: setup
	@$(BIN)/python -m benchmarks

## Write docs/components.md anew from the components' own declarations.
docs: setup
	@$(BIN)/python -m benchmarks.component_docs docs/components.md

clean:
	rm -rf .venv var build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
