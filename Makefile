.DEFAULT_GOAL := help
SHELL := /bin/bash
python := .venv/bin/python

.PHONY: help setup demo demo-check test lint bench docs lock

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/\1|\2/p' $(MAKEFILE_LIST) \
	    | while IFS='|' read -r target text; do printf '  make %-11s %s\n' "$$target" "$$text"; done

setup: ## Install what is missing: system packages, TimescaleDB, Python packages (root or sudo)
	@deploy/setup.sh

demo: setup ## Start the sample city with two factories and keep collecting until Ctrl-C
	@.venv/bin/millpond demo

demo-check: setup ## The same without staying; fails when a verified figure misses the truth
	@.venv/bin/millpond demo --check

# Tests wait for servers, programs and clocks: one more at once than there are cores pays.
test: ## Run the tests against a real database, broker and real protocol servers
	@deploy/setup.sh tests
	@$(python) -m pytest -n 3 --dist loadscope --no-loadscope-reorder

lint: setup ## Check style, types and the import contract
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@.venv/bin/lint-imports

bench: setup ## Measure the numbers that the design promises
	@$(python) -m tests.bench

docs: setup ## Write key tables and samples into the documents
	@$(python) -m deploy.documents

# uv resolves for every Python and processor at once; it lives apart from the locked packages.
# setuptools is what builds Millpond itself.
lock: setup ## Pin the newest allowed Python packages, with hashes, in requirements.lock
	@[ -x .local/lock/bin/uv ] \
	    || { python3 -m venv .local/lock && .local/lock/bin/pip install --quiet uv; }
	@{ echo '# Every package of every supported Python and processor. Written by: make lock'; \
	    echo 'setuptools>=80' | .local/lock/bin/uv --no-config pip compile --quiet --universal \
	        --python-version 3.11 --extra dev --upgrade --generate-hashes --no-header \
	        --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -; \
	} > .local/requirements.lock && mv .local/requirements.lock requirements.lock
