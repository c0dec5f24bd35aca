# All set-up on a machine that has only Python 3.11 and make. See README.md.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export UV_LINK_MODE ?= copy
# Tests start the program some hundred times: it is compiled once, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check unit scenario campaign clean

demo: $(VENV)/.installed
	$(BIN)/python -m triage demo

# What starts servers waits for most of its time, so two files at once, the long ones first. What
# measures seconds (marked `alone`) has the machine for itself.
SERVERS := tests/process tests/integration tests/browser
TWO_FILES := -n 2 --dist loadfile --no-loadscope-reorder

test: check $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --dist worksteal $(SERVERS:%=--ignore=%)
	$(BIN)/python -m pytest $(TWO_FILES) -m "not alone" $(SERVERS)
	$(BIN)/python -m pytest -m alone $(SERVERS)

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
