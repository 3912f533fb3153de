# Every target does the setup it needs, once. Works with GNU make 3.81 (macOS) and newer; on Windows it runs under bash.

PROFILE ?= default
BASE ?= origin/main
RESULT ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
READY := $(VENV)/ready
COMPILED := $(VENV)/compiled
# All Python files below the folders $(1); $(wildcard) alone sees one level.
below = $(foreach path,$(wildcard $(1:=/*)),$(call below,$(path),$(2)) $(filter $(2),$(path)))
SOURCES := $(call below,bench workloads,%.py)

CANDIDATES := $(if $(PYTHON),"$(PYTHON)",python3 python python3.14 python3.13 python3.12 python3.11)
NEW_ENOUGH := -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null
BASE_PYTHON := -c "import sys; print(getattr(sys, '_base_executable', None) or sys.executable)"
VERSION := -c "import platform; print(platform.python_version())" 2>/dev/null

# Wheels only: nothing is built with tools that are not pinned in requirements.lock.
LOCKED := --require-hashes --only-binary :all: -r requirements.lock
EDITABLE := --no-deps --no-build-isolation --editable .

# The environment is rebuilt when its interpreter is gone, when this folder was moved or copied (the environment would run
# the old folder's code), and when another PYTHON is asked for.
OUTDATED := $(shell test ! -d $(VENV) || { test -x $(BIN)/python \
  && { test ! -f $(READY) || grep -qxF "folder $(CURDIR)" $(READY); } \
  $(if $(PYTHON),&& grep -qxF "python $(PYTHON)" $(READY) 2>/dev/null); } || echo outdated)

.DEFAULT_GOAL := help
.PHONY: help setup bench plots report check test lint format lock clean outdated

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(COMPILED) ## Create .venv from requirements.lock, with uv if it is installed; PYTHON=python3.12 chooses the interpreter
	@echo "$(VENV) is ready"

bench: $(COMPILED) ## Measure the workloads of a profile; PROFILE=quick|default|thorough, ARGS="..."
	$(BIN)/gilbench run --profile $(PROFILE) $(ARGS)

plots: $(COMPILED) ## Draw the newest result, or RESULT=results/NAME.json, into plots/
	$(BIN)/gilbench plot $(RESULT) -o plots $(ARGS)

report: $(COMPILED) ## Explain the newest result, or RESULT=results/NAME.json, on one page: report.html
	$(BIN)/gilbench report $(RESULT) -o report.html $(ARGS)

check: $(COMPILED) ## Say whether the working tree is slower than BASE=origin/main; ARGS="..."
	$(BIN)/gilbench check --base "$(BASE)" $(ARGS)

test: $(COMPILED) ## Run the tests, in parallel where that is safe; ARGS="-k name" runs some of them
	@parallel=0; $(BIN)/python -m pytest -m "not serial" -n auto $(ARGS) || parallel=$$?; \
	test $$parallel != 2 || exit 2; \
	serial=0; $(BIN)/python -m pytest -m serial $(ARGS) || serial=$$?; \
	case "$$parallel $$serial" in \
	  "0 0") ;; \
	  "0 5" | "5 0") $(if $(ARGS),,echo "make test: one of the two runs above found no tests" >&2; exit 1) ;; \
	  *) exit 1 ;; \
	esac

lint: $(READY) ## Check style, formatting, types and the directions of imports
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

format: $(READY) ## Fix style and formatting
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

lock: ## Update requirements.lock after a change to pyproject.toml (needs uv); ARGS=--upgrade also takes newer versions
	@uv pip compile --quiet --only-binary :all: --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --group dev --output-file requirements.lock pyproject.toml $(ARGS)

clean: ## Remove .venv and all caches; keep results and plots
	rm -rf $(VENV) .cache dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find bench docs tests workloads -name __pycache__ -type d -prune -exec rm -rf {} +

$(COMPILED): $(READY) $(SOURCES)
	@$(BIN)/python -m compileall -q bench workloads
	@touch $@

$(READY): pyproject.toml requirements.lock $(OUTDATED)
	@set -e; \
	if command -v uv >/dev/null 2>&1; then tool=uv; else tool=pip; fi; \
	python=$$(sed -n 's/^python //p' $@ 2>/dev/null) || true; \
	if [ -n "$(OUTDATED)" ] || ! $(BIN)/python $(NEW_ENOUGH) \
	  || { [ $$tool = pip ] && ! $(BIN)/python -m pip --version >/dev/null 2>&1; }; then \
	  python=; found=; \
	  for candidate in $(CANDIDATES); do \
	    if "$$candidate" $(NEW_ENOUGH); then python=$$candidate; break; fi; \
	    version=$$("$$candidate" $(VERSION)) && found="$${found:+$$found, }$$candidate is $$version" || true; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "gilbench needs Python 3.11 or newer, but $${found:-there is no $(subst ",,$(firstword $(CANDIDATES)))}; choose one with PYTHON=..." >&2; \
	    exit 1; \
	  fi; \
	  base=$$("$$python" $(BASE_PYTHON)); \
	  echo "Setting up $(VENV) with Python $$("$$base" $(VERSION)) and $$tool, once"; \
	  rm -rf $(VENV); \
	  if [ $$tool = uv ]; then uv venv --quiet --python "$$base" $(VENV); else "$$base" -m venv $(VENV); fi; \
	fi; \
	if [ $$tool = uv ]; then \
	  install="uv pip install --python $(BIN)/python"; bytecode=--compile-bytecode; \
	else \
	  install="$(BIN)/python -m pip install --disable-pip-version-check --no-input"; bytecode=--compile; \
	fi; \
	$$install $$bytecode $(LOCKED); \
	$$install $(EDITABLE); \
	printf 'folder %s\npython %s\n' "$(CURDIR)" "$$python" >$@
