# All set-up on a machine that has only Python 3.11 and make. See README.md.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export UV_LINK_MODE ?= copy

.PHONY: demo test check unit scenario campaign clean

demo: $(VENV)/.installed
	$(BIN)/python -m triage demo

# What starts servers and looks at time limits has the machine for itself.
SERVERS := tests/browser tests/integration tests/process

test: check $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto $(SERVERS:%=--ignore=%)
	$(BIN)/python -m pytest $(SERVERS)

check: $(VENV)/.installed-test
	$(BIN)/ruff check triage tests
	$(BIN)/ruff format --check triage tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m triage policy check

unit: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto tests/unit tests/properties

scenario: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto tests/scenarios

campaign: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto tests/campaigns

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.installed-test: requirements-test.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) var
