# Two commands: `make demo` and `make test`. Each sets up what it needs; the rest is for developers.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
STATE ?= .demo
ENTITIES ?= 10000
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test lint bench fuzz docs dist floors format clean system
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

demo: .venv/product ## build a synthetic province, serve it, take the tour (ONCE=1: end after the tour; TOUR=1: take it again)
	$(BIN)/xinqiao-gateway demo --state $(STATE) --entities $(ENTITIES) $(if $(PORT),--port $(PORT)) $(if $(ONCE),--once) $(if $(TOUR),--tour)

test: .venv/ready system ## run every test (PART=limits: of one part; FULL=1: the long ones in full)
	@PART=$(PART) $(BIN)/python -m tests.run $(ARGS)

lint: .venv/ready ## ruff, mypy, import-linter, names of parameters and of test files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lint.parameter_names
	$(BIN)/python -m tests.lint.file_names

bench: .venv/ready system ## measure the request paths (PART=verification, query, token, page, batch, watch, lookup, ingest, codes or all; SCALE=N for look-ups)
	$(BIN)/python -m tests.bench $(if $(PART),--part $(PART)) $(if $(SCALE),--scale $(SCALE)) $(ARGS)

fuzz: .venv/ready system ## send the API whatever it describes, and what it does not (some minutes)
	FULL=1 $(BIN)/python -m pytest tests/fuzz -s $(ARGS)

format: .venv/ready ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Programs that tests use beside Python: a Redis server, Chromium, proxies, a JDK, fonts. As root on Debian they are
# installed; elsewhere the tests that need a missing one are skipped and say so.
system: ; @sh tests/system-packages.sh

docs: .venv/ready ## make the reference pages anew from what they describe
	$(BIN)/xinqiao-gateway catalogue show --format markdown > docs/understand/catalogue.md.new
	mv docs/understand/catalogue.md.new docs/understand/catalogue.md
	$(BIN)/python -m tests.generated.disclosure_term_examples > docs/understand/clocks.md
	$(BIN)/python -m tests.generated.repair_term_examples > docs/understand/repair.md
	$(BIN)/python -m verification.questions_page > docs/understand/questions.md
	$(BIN)/python -m gateway.creditfile.catalogue.rating_schemes_page > docs/understand/rating-schemes.md
	$(BIN)/python -m gateway.access.service_classes_page > docs/integrate/service-classes.md
	$(BIN)/python -m gateway.data_quality.rules_page > docs/understand/data-quality-rules.md
	$(BIN)/python -m tests.generated.closed_lists_page > docs/understand/closed-lists.md
	$(BIN)/python -m tests.generated.sdk_labels > sdk/src/xinqiao/cli/labels.json
	$(BIN)/python -m tests.generated.sdk_published > sdk/src/xinqiao/testing/published.json

dist: .venv/product ## build wheel and sdist of the gateway and of the SDK into dist/
	$(BIN)/python -m hatchling build -d dist
	cd sdk && ../$(BIN)/python -m hatchling build -d ../dist

floors: .venv/ready ## test the SDK with the oldest and with the newest dependencies that it allows
	$(BIN)/python -m tests.floors

clean: ## remove the environment and the demo (stop it first)
	-test ! -f $(STATE)/state.json || rm -rf "$$(dirname "$$(sed -n 's/.*"database_folder": "\(.*\)".*/\1/p' $(STATE)/state.json)")"
	rm -rf .venv $(STATE) dist tests/node/node_modules

# Without dependencies: the locks name all of them, and pip must not look for what it would choose today.
# The demo needs no test tools, and is up sooner without them.
LOCKED := $(BIN)/python -m pip install --quiet --no-deps --require-hashes

.venv/product: requirements.lock pyproject.toml sdk/pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found."; exit 1; }
	@echo "Setting up .venv, once: one to three minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(LOCKED) -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e . -e sdk
	$(BIN)/python -m pip check
	@touch $@

.venv/ready: .venv/product requirements-dev.lock
	$(LOCKED) -r requirements-dev.lock
	$(BIN)/python -m pip check
	@touch $@
