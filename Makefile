# Onclair's doors for contributors. Each target makes .venv with the locked versions when they are not there.
# A stamp in .venv remembers which lock was installed, so a changed lock installs again and an unchanged one costs nothing.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --requirement

.PHONY: setup peers demo test lint bench docs lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/.stamp-run
	@$(VENV)/bin/onclair demo

test: $(VENV)/.stamp-test
	@$(RUN) -m pytest -n 2 --dist loadfile

setup: $(VENV)/.stamp-dev peers

# Tools that the benchmarks run beside Onclair, each in an environment of its own; a peer that does not build is named and passed over.
PEERS := .venv-peers
peers: $(PEERS)/statistics/.stamp $(PEERS)/parosol/.stamp $(PEERS)/panoptica/.stamp $(VENV)/.stamp-run
	@$(VENV)/bin/onclair bench peers --peer-home $(PEERS)

$(PEERS)/statistics/.stamp: requirements/peer-statistics.txt
	@echo "Installing the statistics peers for the benchmarks in $(PEERS)/statistics."
	@$(PYTHON) -m venv $(PEERS)/statistics
	@$(PEERS)/statistics/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# A finite-element solver under the GPL: started as a process of its own by `bench fe`, never imported. It has no wheel everywhere.
$(PEERS)/parosol/.stamp: requirements/peer-parosol.txt
	@echo "Installing the finite-element peer for the benchmarks in $(PEERS)/parosol."
	@$(PYTHON) -m venv $(PEERS)/parosol
	@$(PEERS)/parosol/bin/pip install --quiet --disable-pip-version-check --requirement $< && touch $@ || \
		{ echo "parosol-py could not be installed here; \`onclair bench fe\` will say that it is missing." >&2; rm -rf $(PEERS)/parosol; }

# Panoptica pins an older numpy; a reference test asks it by a subprocess and is skipped without it.
$(PEERS)/panoptica/.stamp: requirements/peer-panoptica.txt
	@echo "Installing panoptica for the reference tests in $(PEERS)/panoptica."
	@$(PYTHON) -m venv $(PEERS)/panoptica
	@$(PEERS)/panoptica/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

lint: $(VENV)/.stamp-dev
	@$(VENV)/bin/ruff check --quiet src tests examples docs
	@$(VENV)/bin/mypy --no-error-summary
	@said=$$($(VENV)/bin/lint-imports 2>&1) || { echo "$$said"; exit 1; }

bench: $(VENV)/.stamp-run
	@$(VENV)/bin/onclair bench radiomics $(if $(wildcard $(PEERS)),--peer-home $(PEERS))
	@$(VENV)/bin/onclair bench validate $(if $(wildcard $(PEERS)),--peer-home $(PEERS))
	@$(VENV)/bin/onclair bench spectra
	@$(VENV)/bin/onclair bench coverage

docs: $(VENV)/.stamp-dev
	@NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict --quiet
	@echo "The documentation is in site/index.html."

# The locks follow the bounds in pyproject.toml; the newest versions that satisfy them are taken. Commit what changes.
LOCK = $(VENV)/bin/pip-compile --quiet --upgrade --strip-extras --no-header --no-annotate \
	--allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-options
lock: $(VENV)/.stamp-dev
	@$(PIP) install --quiet pip-tools
	@$(LOCK) --output-file requirements/build.txt requirements/build.in
	@$(LOCK) --output-file requirements/run.txt pyproject.toml
	@$(LOCK) --constraint requirements/run.txt --extra test --extra pdf --extra dask --extra live --output-file requirements/test.txt pyproject.toml
	@$(LOCK) --constraint requirements/test.txt --extra test --extra pdf --extra dask --extra live --extra docs --extra lint --output-file requirements/dev.txt pyproject.toml
	@sed -i.bak -e '/^#/d' -e '/^$$/d' -e 's/+cpu$$//' requirements/build.txt requirements/run.txt requirements/test.txt requirements/dev.txt
	@rm -f requirements/*.txt.bak

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Onclair needs Python 3.11 or newer; '$(PYTHON)' is older. Say which: make PYTHON=/path/to/python3.12 demo" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "No virtual environment could be made in $(VENV); on Debian and Ubuntu: apt-get install python3-venv, then again." >&2; exit 2; }

# The project itself goes in editable, without its dependencies (the lock has them) and without a build environment of its own.
$(VENV)/.stamp-project: pyproject.toml requirements/build.txt | $(RUN)
	@$(PIP) --version > /dev/null 2>&1 || $(RUN) -m ensurepip --default-pip > /dev/null
	@$(INSTALL) requirements/build.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.stamp-run: requirements/run.txt $(VENV)/.stamp-project
	@echo "Installing the locked run-time packages into $(VENV) (about a minute the first time)."
	@$(INSTALL) requirements/run.txt
	@touch $@

$(VENV)/.stamp-test: requirements/test.txt $(VENV)/.stamp-run
	@echo "Installing the locked test packages into $(VENV)."
	@$(INSTALL) requirements/test.txt
	@touch $@

$(VENV)/.stamp-dev: requirements/dev.txt $(VENV)/.stamp-test
	@echo "Installing all that a contributor wants into $(VENV)."
	@$(INSTALL) requirements/dev.txt
	@touch $@

clean:
	@rm -rf $(VENV) $(PEERS) build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
