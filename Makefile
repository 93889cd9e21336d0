# Every target installs what it needs; only Python 3.11 or later and a package index are required.

VENV := .venv
BIN := $(VENV)/bin
SDKS := .sdks
SDKS_LOCKED := tests/support/sdks
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true  # pip would, with one core

.DEFAULT_GOAL := help
.PHONY: help run demo test test-long test-sdks test-thorough sdks bench faults fuzz interactions screenshots lint format lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: $(VENV)/installed ## Start everything on this machine, at http://127.0.0.1:8000 (PORT=8123 for another port)
	@exec $(BIN)/brazebee up

demo: $(VENV)/installed ## Play a story with real webhooks, against a running `make run`
	@exec $(BIN)/brazebee demo

# Otherwise each process compiles all tests.
COMPILE_TESTS = $(if $(TESTS),,for part in tests/unit tests/integration; do \
	$(BIN)/python -m pytest --collect-only -qq $$part >/dev/null & done; wait;)

test: $(VENV)/installed-dev ## Run all tests (TESTS=tests/unit for some)
	@unset PYTHONDONTWRITEBYTECODE; $(COMPILE_TESTS) \
	exec $(BIN)/python -m pytest --numprocesses 5 --dist loadgroup $(or $(TESTS),tests)

test-long: $(VENV)/installed-dev ## Run the tests of whole products and of figures of the demo data, in four minutes (TESTS=tests/acceptance/docs for some)
	@exec $(BIN)/python -m pytest -m 'long and not thorough' --numprocesses 3 --dist loadgroup $(or $(TESTS),tests)

test-thorough: $(VENV)/installed-dev ## Run all tests on a larger scale, with many random examples: over an hour (TESTS=tests/unit for some)
	@HYPOTHESIS_PROFILE=thorough exec $(BIN)/python -m pytest -m '' --numprocesses 3 --dist loadgroup $(or $(TESTS),tests)

test-sdks: $(VENV)/installed-dev sdks ## Send 10,000 calls by each SDK of another product, in four minutes (needs Node)
	@BRAZEBEE_REQUIRE_SDKS=1 exec $(BIN)/python -m pytest -m '' tests/acceptance/sdks

sdks: $(SDKS)/python/installed $(SDKS)/node/installed ## Install the SDKs of other products for `make test` (needs Node)

bench: $(VENV)/installed ## Measure the path of an event, in five minutes (BENCH="ingest --quick", growth, rules, webhooks or pages for others)
	@exec $(BIN)/python -m bench $(or $(BENCH),ingest)

faults: $(VENV)/installed ## Inflict faults on a loaded product and check every event, in ten minutes (FAULTS="--brief" for a minute)
	@exec $(BIN)/python -m faults $(FAULTS)

fuzz: $(VENV)/installed ## Send 100,000 hostile inputs to a running product, in six minutes (FUZZ="--inputs 5000" for fewer)
	@exec $(BIN)/python -m fuzz $(FUZZ)

interactions: $(VENV)/installed-dev ## Measure in a browser how long the dashboard takes to answer, in eight minutes (needs Chromium)
	@exec $(BIN)/python -m tests.support.browser.interactions

screenshots: $(VENV)/installed-dev ## Retake the pictures of the dashboard in docs/images (needs Chromium)
	@exec $(BIN)/python -m tests.support.browser.screenshots

lint: $(VENV)/installed-dev ## Check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Resolve the dependencies again (needs uv)
	echo "pip>=26" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		- -o requirements-pip.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build \
		pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build --extra dev \
		pyproject.toml -c requirements.txt -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		$(SDKS_LOCKED)/requirements.in -o $(SDKS_LOCKED)/requirements.txt
	npm install --prefix $(SDKS_LOCKED) --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## Remove the environment and caches, but no data
	rm -rf $(VENV) $(SDKS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# The pip that comes with Python can be years old; then it takes twice as long for the rest.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed, as python3.11 or python3."; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements-pip.txt

$(VENV)/installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing ..."
	@$(PIP) --no-compile --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing the dependencies of tests and checks ..."
	@$(PIP) --no-compile --require-hashes -r requirements-dev.txt
	@$(COMPILE)
	@touch $@

# SDKs have an environment of their own: their dependencies are not those of the product.
$(SDKS)/python/installed: $(SDKS_LOCKED)/requirements.txt
	@echo "Installing the SDKs for Python ..."
	@$(PYTHON) -m venv $(SDKS)/python
	@$(SDKS)/python/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

$(SDKS)/node/installed: $(SDKS_LOCKED)/package.json $(SDKS_LOCKED)/package-lock.json
	@echo "Installing the SDKs for Node ..."
	@mkdir -p $(SDKS)/node && cp $^ $(SDKS)/node
	@npm ci --prefix $(SDKS)/node --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
