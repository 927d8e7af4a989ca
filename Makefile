# make alone prints help. Everything is installed into .venv; nothing outside it but the browser.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
EXAMPLES := colon myeloid

.DEFAULT_GOAL := help
.PHONY: help run test check fix soak bench shots lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: $(VENV)/installed ## serve the dashboard on 127.0.0.1:8501 (PORT=... for another)
	@$(BIN)/python -m etl first
	@echo "Your own data:  $(BIN)/python -m etl load PATH --mapping NAME   (see README.md)"
	@echo "The dashboard:  http://127.0.0.1:$(PORT)   (stop it with Ctrl+C)"
	@exec $(BIN)/streamlit run app.py --server.port $(PORT)

test: check $(VENV)/chromium ## lint, types and all tests, the browser's too
	$(BIN)/pytest -m "not soak"

check: $(VENV)/installed-dev ## lint and types; changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

fix: $(VENV)/installed-dev ## format, mend what lint can mend, make the generated documents again
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m trial.glossary > GLOSSARY.md
	$(BIN)/python -m analysis.stats.catalogue > STATISTICS.md

soak: $(VENV)/installed-dev ## the long counts; prints a summary line for each
	$(BIN)/pytest -m soak -n 0 -s

bench: $(VENV)/chromium ## benchmarks: ratios against lifelines and R, loading, and clicks in a browser
	$(BIN)/python -m tests.bench $(if $(SIZES),--sizes $(SIZES))

shots: $(VENV)/chromium ## screenshots of every page into tests/browser/shots, and the README's
	$(BIN)/python -m tests.browser.screenshots

lock: $(VENV)/installed-dev ## pin all dependencies again from pyproject.toml (needs uv)
	uv pip compile -q pyproject.toml --python-version 3.11 --no-emit-index-url --no-header -o requirements.txt
	uv pip compile -q --group dev --python-version 3.11 --no-emit-index-url --no-header -c requirements.txt -o requirements-dev.txt

clean: ## remove the virtual environment (loaded data stay)
	rm -rf $(VENV)

# uv is faster and used where it is there; pip does the same.
define install
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install -q --python $(BIN)/python -r $(1); \
	else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check -r $(1); \
	fi
endef

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "python3.11 is missing: apt-get install python3.11 python3.11-venv"; exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "venv is missing: apt-get install python3.11-venv"; exit 1; }

$(VENV)/installed: requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt (once; one to three minutes) ..."
	$(call install,requirements.txt)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing requirements-dev.txt ..."
	$(call install,requirements-dev.txt)
	@touch $@

$(VENV)/chromium: $(VENV)/installed-dev
	@$(BIN)/python -m tests.browser.chromium > $@.new && mv $@.new $@
