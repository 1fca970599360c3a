# The commands of this project. `make` alone lists them.
#
# Needs Python 3.11 or newer, git and make; the rest goes into .venv, which is filled again only when
# requirements*.txt change. Installs are checked against the hashes in those files.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
UV_COMPILE := env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u UV_FIND_LINKS -u UV_INDEX -u UV_EXTRA_INDEX_URL \
	UV_NO_CONFIG=1 $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# Two at once: most tests wait for most of their time. A file's tests stay together, since they share what they start.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# What the tests start for real, from Debian: binary:package.
TEST_SERVICES := mosquitto:mosquitto mosquitto_sub:mosquitto-clients chromium:chromium curl:curl openssl:openssl \
	node:nodejs npm:npm nginx:nginx redis-server:redis-server pg_ctlcluster:postgresql rabbitmq-server:rabbitmq-server \
	promtool:prometheus ip:iproute2 systemd-analyze:systemd
# mosquitto and others lie in /usr/sbin, which is not in a plain user's PATH on Debian.
export PATH := $(PATH):/usr/sbin:/sbin

PYTHON_CODE := $(wildcard vda5050 app.py wsgi.py gunicorn.conf.py scripts tests benchmarks)

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: install
install: $(VENV)/.run-stamp ## install what the gateway needs into .venv

.PHONY: run
run: $(VENV)/.run-stamp ## start broker, gateway and simulated robots (make run ROBOTS=50 for a larger fleet); Ctrl-C ends all
	@exec $(BIN)/python scripts/run_demo.py $(if $(ROBOTS),--robots $(ROBOTS))

.PHONY: test
test: services $(VENV)/.dev-stamp ## install what the tests need, Debian's mosquitto and chromium included, and run all tests
	@$(PYTEST)

.PHONY: check
check: $(VENV)/.dev-stamp ## format, lint, types, layers, unit and api tests: under a minute
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(PYTHON_CODE)
	@$(BIN)/lint-imports
	@$(PYTEST) tests/unit tests/api

.PHONY: live
live: services $(VENV)/.dev-stamp ## run the tests against a real broker and a real gunicorn
	@$(PYTEST) tests/live

.PHONY: bench
bench: $(VENV)/.dev-stamp ## measure the figures of benchmarks/README.md (BENCH="--help" passes options)
	@exec $(BIN)/python benchmarks/run.py $(BENCH)

.PHONY: screenshots
screenshots: services $(VENV)/.dev-stamp ## make the pictures of docs/images with the simulated fleet: four minutes
	@$(BIN)/python -m tests.browser.make_screenshots

.PHONY: lock
lock: $(VENV)/.dev-stamp ## write requirements*.txt from requirements*.in: newest versions that fit, with hashes
	@$(UV_COMPILE) --upgrade requirements.in --output-file requirements.txt
	@$(UV_COMPILE) --upgrade requirements-dev.in --output-file requirements-dev.txt

.PHONY: clean
clean: ## remove .venv and every cache
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# --- what the commands above need -----------------------------------------------------------------------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@has_venv() { $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; }; \
	if ! has_venv && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's python3-venv ..."; \
		apt-get -qq update; \
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv >/dev/null; \
	fi; \
	has_venv || { echo "$(PYTHON) cannot make virtual environments: Debian keeps that part of Python in a package."; \
		echo "Install it once, then try again:  sudo apt-get install python3-venv"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.run-stamp: requirements.txt | $(VENV)/bin/python
	@echo "Installing requirements.txt into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

# requirements-dev.txt holds the runtime requirements too, in the same versions.
$(VENV)/.dev-stamp: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $(VENV)/.run-stamp $@

# Where apt-get may be used (root, or sudo without a password), it is. Where not, the packages are named, and the tests
# that need them are skipped with the reason; with CI set they fail instead (tests/services.py).
# A service that apt starts by itself would take a port: policy-rc.d keeps it from starting now, `disable` later.
# One that was there before is left alone.
.PHONY: services
services:
	@missing=; for pair in $(TEST_SERVICES); do \
		command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if ! command -v apt-get >/dev/null || ! $$sudo true 2>/dev/null; then \
		echo "Not installed, and not root:$$missing. The tests that need them are skipped. For all tests:" >&2; \
		echo "    sudo apt-get install$$missing" >&2; \
		exit 0; \
	fi; \
	echo "Installing from Debian:$$missing ..."; \
	policy=/usr/sbin/policy-rc.d; \
	if [ ! -e $$policy ]; then \
		trap "$$sudo rm -f $$policy" EXIT; \
		printf '#!/bin/sh\nexit 101\n' | $$sudo tee $$policy >/dev/null; $$sudo chmod 755 $$policy; \
	fi; \
	$$sudo apt-get -qq update; \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	for service in mosquitto nginx redis-server postgresql rabbitmq-server prometheus; do \
		case "$$missing " in *" $$service "*) $$sudo systemctl disable $$service >/dev/null 2>&1 || true;; esac; \
	done
