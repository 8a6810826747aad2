# make demo | explore | serve | test | test-fast | kills | odd | fuzz | lint | format | docs | notebooks | bench | calibrate | paper | maplibre: each makes the environment it needs first, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# TORCH_INDEX=ADDRESS takes torch and torchvision from another package index (README: CPU-only)
TORCH_INDEX ?=
# of Prefect's page in make serve
PORT ?= 4200
# of the results that it links to (default: the next one)
RUNS_PORT ?=
# tests that run at once; a file stays with one process, and those come first that wait for servers and browsers;
# a process that dies ends it, for one in its place is not handed its last tests (pytest-xdist 3.8)
JOBS ?= 2
SPREAD := --dist loadfile --no-loadscope-reorder --max-worker-restart 0
# what make bench runs: BENCHES="dense growth" runs these alone
BENCHES ?= encoding reading pipeline dense dense_quality placing growth whole_run recovery road_types expected junctions geopackage orchestration many_workers country search explore_ask

.PHONY: demo explore serve test test-fast kills odd fuzz lint format docs notebooks bench calibrate paper maplibre clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.ready
	@$(BIN)/roadprint demo

# the demo town's page in the browser; the town is run first where it was not
explore: $(VENV)/.ready
	@test -e runs/demo-town/latest || $(BIN)/roadprint demo
	@$(BIN)/roadprint explore runs/demo-town

serve: $(VENV)/.ready
	@$(BIN)/python -m roadprint.start flows.serve --port $(PORT) $(if $(RUNS_PORT),--runs-port $(RUNS_PORT))

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -n $(JOBS) $(SPREAD) --durations=40

# each part alone: no runs of a city, no server, no other program
test-fast: $(VENV)/.ready-dev
	$(BIN)/python -m pytest tests/unit tests/odd -m unit -n $(JOBS) $(SPREAD)

# kills the demo town's run at thirty moments: half an hour
kills: $(VENV)/.ready-dev
	ROADPRINT_KILLS=30 $(BIN)/python -m pytest tests/integration/test_ends.py -k killed

# the table of odd inputs, and what becomes of each: docs/odd-inputs.md
odd: $(VENV)/.ready-dev
	$(BIN)/python tests/odd/table.py docs/odd-inputs.md

# ten thousand drawn inputs, other ones each time: half an hour
fuzz: $(VENV)/.ready-dev
	ROADPRINT_FUZZ=10000 $(BIN)/python -m pytest tests/odd/test_fuzzed_readers.py -n $(JOBS)

lint: $(VENV)/.ready-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

format: $(VENV)/.ready-dev
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

# what the package offers to Python users, as pages: docs/api/index.html
docs: $(VENV)/.ready-dev
	$(BIN)/python docs/build_api.py

# the notebooks with their figures, made anew from the demo town
notebooks: $(VENV)/.ready-dev demo
	$(BIN)/jupyter execute --inplace --NotebookClient.record_timing=False docs/notebooks/*.ipynb

# all are run; the end names those that failed, and is then a failure itself
bench: $(VENV)/.ready-dev
	@failed=""; \
	for one in $(BENCHES); do \
		echo "bench/$$one.py"; \
		$(BIN)/python bench/$$one.py || failed="$$failed $$one"; \
	done; \
	if [ -n "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

calibrate: $(VENV)/.ready
	$(BIN)/python bench/calibrate.py

paper: $(VENV)/.ready
	$(BIN)/python bench/paper.py

# MapLibre GL for the page of roadprint explore, anew, in the version that its package.json names: needs npm
MAPLIBRE := flows/explore/static/maplibre
maplibre:
	@version=$$(sed -n 's/.*"maplibre-gl": "\(.*\)".*/\1/p' $(MAPLIBRE)/package.json); folder=$$(mktemp -d); \
	npm pack --silent --pack-destination "$$folder" "maplibre-gl@$$version" > /dev/null \
		&& tar -xzf "$$folder/maplibre-gl-$$version.tgz" -C "$$folder" \
		&& for file in maplibre-gl.mjs maplibre-gl-worker.mjs; do \
			sed '/^\/\/# sourceMappingURL=/d' "$$folder/package/dist/$$file" > "$(MAPLIBRE)/$$file" || exit 1; \
		done \
		&& cp "$$folder/package/LICENSE.txt" $(MAPLIBRE)/; \
	done=$$?; rm -rf "$$folder"; exit $$done

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"roadprint needs Python 3.11 or newer, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml | $(BIN)/python
ifneq ($(TORCH_INDEX),)
	$(BIN)/python -m pip install --quiet --index-url $(TORCH_INDEX) torch torchvision
endif
	@echo "Installing roadprint into $(VENV): torch is large, this takes minutes the first time."
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.ready-dev: pyproject.toml $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
