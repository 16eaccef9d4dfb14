# Everything that a developer runs. Needs Linux, make, Python ≥ 3.11, and Go or a livekit-server.

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .uv/bin/uv
UV_READY := .uv/.version-$(UV_VERSION)
BIN := .venv/bin
COMPILE := $(UV) pip compile pyproject.toml --generate-hashes --no-header --universal --python-version 3.11 --quiet --extra speech --extra summary
# livekit-agents pins another SDK than ours: an environment of its own, for a benchmark and end-to-end tests.
PEERS := $(UV) pip compile --no-config --generate-hashes --no-header --universal --python-version 3.11 --quiet
TEST_PROCESSES ?= 4
# Unit tests hardly wait: more processes than processors only collect them once more (8 s of CPU each, measured).
UNIT_PROCESSES ?= $(shell n=$$(nproc); echo $$((n < $(TEST_PROCESSES) ? n : $(TEST_PROCESSES))))
# Of all tests 89 % is measured (pyproject.toml has that floor), but measuring them doubles what they take. Raise it as it goes up.
UNIT_COVERAGE := 55
# Where this is set, every process of the tests would compile them anew.
export PYTHONDONTWRITEBYTECODE :=
# Tests that judge by when something happened measure the load of the machine with it: few at once, nothing beside them.
# They wait for half of their time.
REALTIME_PROCESSES ?= $(shell n=$$(($$(nproc) + 1)); echo $$((n < $(TEST_PROCESSES) ? n : $(TEST_PROCESSES))))
REALTIME_FOLDERS := tests/e2e tests/integration/worker tests/integration/store/lifecycle
# Cases per operation, and chains of requests along the OpenAPI links. 2000 take about an hour and a half.
SCHEMATHESIS_EXAMPLES ?= 2000

PAGES_SOURCES = $(shell find web/src control_api sessions -name '*.ts*' ! -name schema.d.ts -o -name '*.py') web/package-lock.json

# Each notes in docs/compatibility.json what it has passed with.
DRILLS := tests/e2e/operations/test_pooler.py tests/integration/control_api/http/serving/test_nginx.py \
	tests/integration/worker/outputs/product/test_storages_of_others.py \
	tests/integration/control_api/outputs/recordings/test_browser.py

.DEFAULT_GOAL := help
.PHONY: help setup lint check test coverage demo dev schemathesis faults figures attack image clients compatibility bench docs lock clean livekit-server peers pages types style
.DELETE_ON_ERROR:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.synced pages livekit-server ## install everything into .venv, build the pages, find or build livekit-server

check: lint ## lint, formatting, types, layers, unit tests: the fast part
	$(BIN)/python -m pytest tests/unit

test: livekit-server peers pages lint ## everything: what check does, integration and end-to-end tests
	@rm -rf .coverage && mkdir .coverage
	$(BIN)/coverage run -m pytest tests/unit -n $(UNIT_PROCESSES) --dist worksteal
	@$(BIN)/coverage combine --quiet
	@echo "Branch coverage of the unit tests (at least $(UNIT_COVERAGE) %; make coverage has that of all), in %:"
	@$(BIN)/coverage report --format=total --fail-under=$(UNIT_COVERAGE)
	$(BIN)/python -m pytest tests/integration tests/e2e -m "not realtime and not long" -n $(TEST_PROCESSES) --dist worksteal
	$(BIN)/python -m pytest $(REALTIME_FOLDERS) -m "realtime and not long" -n $(REALTIME_PROCESSES) --dist worksteal

coverage: livekit-server peers pages ## branch coverage of what is not real-time; takes twice as long as without
	@rm -rf .coverage && mkdir .coverage
	$(BIN)/coverage run -m pytest tests -m "not realtime and not long" -n $(TEST_PROCESSES) --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

image: setup livekit-server ## build the container's image, run its commands in it, and record a session (needs root, buildah)
	$(BIN)/python -m pytest tests/e2e/image

demo: setup ## record a conversation in a real LiveKit room on this machine
	@exec $(BIN)/parley demo

dev: setup ## run the whole stack in the foreground
	@exec $(BIN)/parley dev

schemathesis: setup ## look longer for requests that the API answers other than its document says
	PARLEY_SCHEMATHESIS_EXAMPLES=$(SCHEMATHESIS_EXAMPLES) $(BIN)/python -m pytest -s \
		tests/integration/control_api/operations/test_schemathesis.py

faults: setup livekit-server ## hurt the stack in every way that docs/faults.md names
	$(BIN)/python -m tools.faults

figures: setup livekit-server ## the table of docs/faults.md; FIGURE="hand-over child" N=30 SEED=1 for a part of it
	$(BIN)/python -m tools.figures $(FIGURE) $(if $(N),--n $(N)) $(if $(SEED),--seed $(SEED))

attack: setup livekit-server ## attack a stack of its own (needs root and nft for one drill); DRILL="crawler" N=100 SEED=1 for a part
	$(BIN)/python -m tools.attack $(DRILL) $(if $(N),--n $(N)) $(if $(SEED),--seed $(SEED))

clients: setup ## let other people's makers of clients make one from the OpenAPI document, which records a session
	$(BIN)/python -m tools.clients

compatibility: setup ## run the drills with what others make, and write docs/compatibility.md
	NOTE_RUNS=1 $(BIN)/python -m pytest $(DRILLS) -m "long or not long"
	NOTE_RUNS=1 $(BIN)/python -m tools.clients
	$(BIN)/python tools/generate_docs.py

bench: setup ## measure, and print a table
	$(BIN)/python -m bench

docs: .venv/.synced ## generate the pages that are made from the code
	$(BIN)/python tools/generate_docs.py

lock: $(UV_READY) ## pin the dependencies of pyproject.toml with hashes (all to the newest: make lock UPGRADE=--upgrade)
	$(COMPILE) $(UPGRADE) --group dev -o requirements.txt
	$(COMPILE) $(UPGRADE) -c requirements.txt -o requirements-runtime.txt
	$(PEERS) $(UPGRADE) tools/peers/livekit_agents.in -o tools/peers/livekit_agents.txt
	$(PEERS) $(UPGRADE) tools/peers/faster_whisper.in -o tools/peers/faster_whisper.txt
	$(PEERS) $(UPGRADE) web/node.in -o web/node.txt

clean: ## remove what the targets made here (not the data in .parley)
	rm -rf .venv .uv .clients web/.node web/node_modules web/.checked control_api/pages/built build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Types of Python beside all the rest: each takes one processor and about as long. What one of them says stays together.
lint: .venv/.synced pages
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types style

types: .venv/.synced
	$(BIN)/mypy

style: .venv/.synced web/.checked
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

pages: .venv/.synced
	@$(BIN)/python web/build.py --uv $(UV)

# The pages' types are made from the OpenAPI document: one that asks for what the API lacks does not pass.
web/.checked: $(PAGES_SOURCES) | .venv/.synced pages
	@$(BIN)/python -m tools.openapi_file web/openapi.json
	@$(BIN)/python web/build.py --uv $(UV) --check
	@touch $@

peers: .venv/.synced
	@$(BIN)/python -m tools.peers.peer_environment

livekit-server: .venv/.synced
	@$(BIN)/python -m parley.servers.livekit_program build

.venv/.synced: pyproject.toml requirements.txt $(UV_READY)
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$(command -v $(PYTHON))" .venv
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python -m compileall -q sessions audio store worker control_api parley
	@touch $@

$(UV_READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Parley needs Python 3.11 or newer; make PYTHON=/path/to/python3.11 names another one." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
