# One command per need; `make` alone lists them. Nothing but Python 3.11+ and make has to be there.
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
HOST_READY := $(VENV)/.ready-base
DEV_READY := $(VENV)/.ready-dev

# Extra words for pytest: make test ARGS="-k frames"
ARGS ?=
# make fuzz CASES=100000 GRADER_FUZZ_SEED=3
CASES ?= 10000
GRADER_FUZZ_SEED ?= $(shell od -An -N4 -tu4 /dev/urandom)
# make lock UPGRADE=--upgrade takes the newest releases; alone it keeps what is pinned.
UPGRADE ?=
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-strip-extras $(UPGRADE)
# For one Python on one system, so that no marker is left for the wrong interpreter to judge.
IMAGE = --python-version 3.13 --python-platform x86_64-manylinux_2_28 --only-binary :all:

.PHONY: help demo test check prove attacks fuzz lock bench setup clean

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: $(HOST_READY) ## grade three sample submissions and show where the score sheets are
	@$(BIN)/grader setup
	@$(BIN)/grader demo

# What times its answers, looks at everything an engine has, or installs a package needs the machine to itself.
ALONE := tests/proof tests/integration/sandbox tests/integration/store
TOGETHER := -n logical --dist loadfile
SLOWEST := --durations 30 --durations-min 8

# Unit tests need no image: those are built meanwhile, which mostly waits for packages.
test: $(DEV_READY) ## run the whole test suite, Docker tests included
ifeq ($(ARGS),)
	@$(BIN)/grader setup & built=$$!; \
	$(BIN)/python -m pytest $(TOGETHER) tests/unit; passed=$$?; \
	wait $$built && exit $$passed
	@$(BIN)/python -m pytest $(TOGETHER) $(addprefix --ignore=,tests/unit $(ALONE)) $(SLOWEST)
	@$(BIN)/python -m pytest $(ALONE) $(SLOWEST)
else
	@$(BIN)/grader setup
	@$(BIN)/python -m pytest $(ARGS)
endif

check: $(DEV_READY) ## lint, format, types and import contracts; no tests
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >$(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

setup: $(HOST_READY) ## install what grader needs, make sure of a Docker engine, build the images
	@$(BIN)/grader setup

bench: $(DEV_READY) ## measure overhead, sessions and memory; prints figures, passes no judgement
	@$(BIN)/grader setup
	@$(BIN)/python -m tests.bench $(ARGS)
	@$(BIN)/python -m tests.bench.bench_batches
	@$(BIN)/python -m tests.bench.bench_similar

prove: $(DEV_READY) ## grade every solution ladder on three variants; goes on where it was stopped
	@$(BIN)/grader setup
	@$(BIN)/grader author prove $(ARGS)

attacks: $(DEV_READY) ## run every attack of tests/attacks between honest submissions, and print one table
	@$(BIN)/grader setup
	@$(BIN)/python -m tests.attacks $(ARGS)

# Draws other inputs each time, for property-based tests too; `make test` draws the same ones.
fuzz: $(DEV_READY) ## ten thousand bent inputs for every parser of what strangers send; ARGS="-k archive" for one
	@GRADER_FUZZ_CASES=$(CASES) GRADER_FUZZ_SEED=$(strip $(GRADER_FUZZ_SEED)) $(BIN)/python -m pytest --quiet \
		--hypothesis-profile explore -m "fuzz or hypothesis" tests/fuzz tests/unit $(ARGS)

lock: $(DEV_READY) ## compile requirements/*.in to pinned, hashed *.txt
	@$(COMPILE) --universal --python-version 3.11 requirements/base.in -o requirements/base.txt
	@$(COMPILE) --universal --python-version 3.11 -c requirements/base.txt requirements/dev.in -o requirements/dev.txt
	@$(COMPILE) $(IMAGE) requirements/runtime-image.in -o requirements/runtime-image.txt
	@$(COMPILE) $(IMAGE) -c requirements/runtime-image.txt requirements/checker-image.in -o requirements/checker-image.txt

clean: ## remove the virtual environment and every cache; images stay (see: grader doctor --clean)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(HOST_READY): requirements/base.txt pyproject.toml tools/install.sh
	@sh tools/install.sh $(VENV) requirements/base.txt
	@touch $@

# Holds the host's packages too, at the same versions.
$(DEV_READY): requirements/dev.txt pyproject.toml tools/install.sh
	@sh tools/install.sh $(VENV) requirements/dev.txt
	@touch $(HOST_READY) $@
