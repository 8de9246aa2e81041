# The checkout's commands; `make help` lists them. GNU Make 3.81 or newer.

PYTHON ?= python3
HOST := 127.0.0.1
PORT ?= 8000
UV ?= uv

# .venv serves and tests: requirements/dev.txt holds all of serve.txt in the same versions.
# Training has a folder of its own, since tensorflow and development's tensorflow-cpu (half
# the download) are the same files under two names, and would overwrite each other.
VENVS := .venv .venv-train .venv-gpu .venv-bench .venv-audit
LOCKS := $(addprefix requirements/,serve.txt train.txt gpu.txt dev.txt bench.txt audit.txt ray.txt)
# Where a Python is asked for, folders that another one made are made anew.
ifneq ($(origin PYTHON),file)
version := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())' 2>/dev/null)
.PHONY: $(foreach venv,$(VENVS),$(shell grep -qs '^version = $(version)$$' $(venv)/pyvenv.cfg \
	|| echo $(venv)/bin/python))
endif
serve_stamp := $(if $(GPU),.venv-gpu/gpu.stamp,.venv/serve.stamp)
train_stamp := $(if $(GPU),.venv-gpu/gpu.stamp,.venv-train/train.stamp)

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help serve test lint format train no-data bench audit chaos contract fuzz soak scaling lock upgrade clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-16s%s\n", $$1, $$2 }'
	@echo "Variables: PYTHON=python3.13, ARGS='more options of the command', GPU=1 to serve or train"
	@echo "on an NVIDIA GPU under Linux (TensorFlow with CUDA: gigabytes to download)."

serve: $(serve_stamp) ## serve the model; HOST=127.0.0.1, PORT=8000
	@exec $(<D)/bin/python -m app --host "$(HOST)" --port "$(PORT)" $(ARGS)

test: .venv/dev.stamp ## run all tests
	$(<D)/bin/python -m pytest --numprocesses=auto --no-loadscope-reorder $(ARGS)

fuzz: .venv/dev.stamp ## decode half a million damaged pictures (Linux on x86-64; an hour)
	$(<D)/bin/python -m tests.fuzz $(ARGS)

lint: .venv/dev.stamp ## check style and types
	$(<D)/bin/python -m ruff check
	$(<D)/bin/python -m ruff format --check
	$(<D)/bin/python -m mypy

format: .venv/dev.stamp ## correct style where that can be done
	$(<D)/bin/python -m ruff check --fix
	$(<D)/bin/python -m ruff format

train: $(if $(DATA),$(train_stamp),no-data) ## train a model; DATA=archive or folder
	$(<D)/bin/python -m training train --data "$(DATA)" $(ARGS)

no-data:
	@echo "Name the pictures: make train DATA=dogs-vs-cats.zip" >&2; exit 1

bench: .venv-bench/bench.stamp ## measure speed against the machine and other servers (needs wrk)
	$(<D)/bin/python -m benchmarks $(ARGS)

audit: .venv-audit/audit.stamp ## look for unsafe code, and for known faults of the locked packages
	$(<D)/bin/bandit --quiet --configfile pyproject.toml --recursive app training
	$(<D)/bin/pip-audit --strict --disable-pip --require-hashes $(addprefix --requirement ,$(LOCKS))

chaos: .venv/dev.stamp ## besiege the service, and write to SECURITY.md what it withstood
	$(<D)/bin/python -m hardening chaos $(ARGS)

contract: .venv/dev.stamp ## hold the service to its OpenAPI document with schemathesis
	$(<D)/bin/python -m hardening contract $(ARGS)

soak: .venv/dev.stamp ## keep the service busy for half an hour (needs wrk)
	$(<D)/bin/python -m hardening soak $(ARGS)

scaling: .venv/dev.stamp ## measure the service on Ray, and lose parts of it (needs wrk, Linux; 5 minutes)
	$(<D)/bin/python -m hardening scaling $(ARGS)

lock: ## resolve pyproject.toml into requirements/, keeping locked versions that still fit
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: install it with 'pip install uv'." >&2; exit 1; }
	$(call compile,serve,)
	$(call compile,train,--extra train --constraints requirements/serve.txt)
	$(call compile,gpu,--extra gpu --extra train --constraints requirements/train.txt)
	$(call compile,dev,--extra dev --constraints requirements/train.txt)
	$(call compile,bench,--extra bench --constraints requirements/train.txt)
	$(call compile,audit,--extra audit --constraints requirements/train.txt)
	$(call compile,ray,--extra ray --constraints requirements/dev.txt)

upgrade: lock_options := --upgrade
upgrade: lock ## the same, with the newest versions

# Each lock is constrained by one before it, so that a package has one version in all of them.
compile = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(lock_options) \
	$(2) --output-file requirements/$(1).txt pyproject.toml

clean: ## remove what was installed and cached; runs/ stays
	rm -rf $(VENVS) .mypy_cache .pytest_cache .ruff_cache
	find app benchmarks hardening training tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The interpreter is a prerequisite like the lock: where it was replaced or removed, the folder
# is made anew and everything installed again.
.venv/%.stamp: requirements/%.txt .venv/bin/python
	$(install)
.venv-train/%.stamp: requirements/%.txt .venv-train/bin/python
	$(install)
.venv-gpu/%.stamp: requirements/%.txt .venv-gpu/bin/python
	$(install)
.venv-bench/%.stamp: requirements/%.txt .venv-bench/bin/python
	$(install)
.venv-audit/%.stamp: requirements/%.txt .venv-audit/bin/python
	$(install)

define install
$(@D)/bin/python -m pip install --disable-pip-version-check --no-input --require-hashes -r $<
@touch $@
endef

$(VENVS:=/bin/python):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Python 3.11 to 3.13 is needed, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(@:/bin/python=)
