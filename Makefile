# Needs python3 (3.11 or newer), make and git; everything else comes from requirements/*.lock into .venv.
# `make` alone lists the verbs. Options go in ARGS: make run ARGS="--port 9000", make test ARGS="-k quiz".

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
ARGS ?=
# Test processes; each has its own database.
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
# What the installed project's metadata is made from.
PROJECT := pyproject.toml requirements/base.in requirements/hatch_dependencies.py
# Copies of what was installed last: the same content means that there is nothing to do.
LOCK_STAMP := $(VENV)/.installed-lock
PROJECT_STAMP := $(VENV)/.installed-project
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Only `make lock` needs it, so it is in no lock.
UV := uv==0.13.9

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: ## Make .venv from the locks; does nothing when nothing changed
	@cmp -s $(LOCK) $(LOCK_STAMP) && $(BIN)/pip --version 2>/dev/null | grep -qF "$(CURDIR)/$(VENV)/" \
		|| $(MAKE) .install-lock
	@cat $(PROJECT) | cmp -s - $(PROJECT_STAMP) || $(MAKE) .install-project

.PHONY: run
run: install ## Start everything on this machine with the demonstration loaded
	$(BIN)/hv demo $(ARGS)

.PHONY: test
test: install ## Run all tests, on a real Postgres and a real Redis of their own
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

.PHONY: test-soak
test-soak: install ## Run the long races: 100,000 write-offs of 1,000 vouchers, 10,000 mutated requests
	$(BIN)/pytest -m soak $(ARGS)

.PHONY: test-monitoring
test-monitoring: install ## Run every query of alerts and dashboards on a real Prometheus (Debian: apt-get install prometheus)
	$(BIN)/pytest tests/monitoring -m monitoring $(ARGS)

.PHONY: lint
lint: lint-style lint-types lint-borders lint-migrations ## Run every check that needs no database

.PHONY: lint-style
lint-style: install ## … ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: lint-types
lint-types: install ## … mypy, strict
	$(BIN)/mypy

.PHONY: lint-borders
lint-borders: install ## … import contracts and the rules of the house
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q --durations=1 --durations-min=1 tests/architecture

.PHONY: lint-migrations
lint-migrations: install ## … one history, a way back, and squawk on its SQL
	$(BIN)/python -m tests.architecture.migrations_lint

# Node and npm, for the clients only. `make test` runs the mini-program's tests where node is, without npm.
CLIENT := deploy/clients/typescript
SAMPLE := deploy/miniprogram-sample
LOGIC := services/console/pages/static/citizen/logic

.PHONY: clients
clients: install .check-npm ## Generate the TypeScript client from the API; copy the page's logic to the mini-program
	$(BIN)/python -m deploy.clients.documents out/openapi
	cd $(CLIENT) && npm ci --silent && node generate.mjs $(CURDIR)/out/openapi
	cp $(LOGIC)/*.js $(SAMPLE)/miniprogram/logic/

.PHONY: lint-clients
lint-clients: .check-npm ## Type-check the TypeScript client, the pages' scripts and the mini-program; run their tests
	cd $(CLIENT) && npm ci --silent && npm run --silent check && npm run --silent check:pages && npm test --silent
	cd $(SAMPLE) && npm ci --silent && npm run --silent check && npm test --silent

.PHONY: .check-npm
.check-npm:
	@command -v npm > /dev/null || { \
		echo "npm is not here. On Debian or Ubuntu: apt-get install -y nodejs npm" >&2; exit 1; }

.PHONY: bench
bench: install ## Measure the hot calls beside pgbench on this machine, in minutes
	$(BIN)/hv bench $(ARGS)

.PHONY: bench-full
bench-full: install ## … with more people and more rounds; needs an otherwise idle machine to itself
	$(BIN)/hv bench --full $(ARGS)

.PHONY: docs
docs: install ## Write docs/errors.md from the code; check links, settings and decisions; build the site
	$(BIN)/python -m tests.architecture.refusals
	$(BIN)/pytest -q --durations=1 --durations-min=1 tests/architecture/test_docs.py
	@$(MAKE) docs-site

.PHONY: docs-site
docs-site: install ## Build the documentation's site, in Chinese and English, into out/docs/site
	$(BIN)/python -m deploy.site.build

.PHONY: pictures
pictures: install ## Take the documents' pictures anew from a demonstration; needs Chromium and chromium-l10n
	$(BIN)/python -m tests.browser.tour

.PHONY: lock
lock: install ## Pin requirements/*.in anew (UPGRADE=1 takes the newest versions)
	$(PIP) install --quiet $(UV)
	$(BIN)/uv pip compile $(UV_FLAGS) requirements/base.in --output-file requirements/base.lock
	$(BIN)/uv pip compile $(UV_FLAGS) requirements/dev.in --constraint requirements/base.lock \
		--output-file requirements/dev.lock
	@! grep -n '://' requirements/*.lock || { echo "a lock names a host" >&2; exit 1; }

UV_FLAGS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	$(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## Remove .venv, caches and built files; data directories stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist out site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the two halves of install ---

.PHONY: .install-lock
.install-lock: .check-python
	@$(BIN)/pip --version 2>/dev/null | grep -qF "$(CURDIR)/$(VENV)/" || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing $$(grep -c == $(LOCK)) packages from $(LOCK); this takes about a minute"
	$(PIP) install --quiet --only-binary :all: --require-hashes --requirement $(LOCK)
	@rm -f $(PROJECT_STAMP)
	@cp $(LOCK) $(LOCK_STAMP)

# Built with the hatchling of the lock, so that nothing unpinned is fetched.
.PHONY: .install-project
.install-project:
	$(PIP) install --quiet --no-build-isolation --no-deps --editable .
	@cat $(PROJECT) > $(PROJECT_STAMP)

.PHONY: .check-python
.check-python:
	@command -v $(PYTHON) > /dev/null || { \
		echo "$(PYTHON) is not here. On Debian or Ubuntu: apt-get install -y python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, this is $$($(PYTHON) --version)." \
			"Name another one: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		echo "$(PYTHON) cannot make a virtual environment here. On Debian or Ubuntu:" >&2; \
		echo "    apt-get update && apt-get install -y python$$version-venv" >&2; exit 1; }
