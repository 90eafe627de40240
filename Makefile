# GNU make. Everything is installed into .venv, at the versions in constraints.txt.

.DEFAULT_GOAL := help
.PHONY: help run test lab release site report clean

# Threads that wait for each other by spinning make training many times slower as soon as another program wants a core.
export OMP_WAIT_POLICY ?= PASSIVE

# The notebooks' networks are small: cores are better used by notebooks side by side, each on one thread.
# For large ones: make run JOBS=1 OMP_NUM_THREADS=8.
export OMP_NUM_THREADS ?= 1

BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt
# Notebooks at a time: by default `run` takes as many as there are cores and memory for, `test` checks two.
JOBS ?=
# The first of these that is Python 3.11 or later makes the environment; another: make PYTHON=...
PYTHON ?= python3.11 python3.12 python3.13 python3.14 python3 python

help:  ## this list
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile

run: .venv/course.stamp  ## the whole course, on drawings or on the photographs in DATA=DIR, into OUT=DIR
	@$(BIN)/course run $(if $(DATA),--preset photographs --data "$(DATA)") $(if $(OUT),--out "$(OUT)") \
		$(if $(JOBS),--jobs "$(JOBS)")

test: .venv/test.stamp  ## lint, every test, each notebook against its stored outputs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m pytest tests -p no:cacheprovider -n $(or $(JOBS),2) --dist loadfile
	@$(BIN)/python -m pytest notebooks --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg \
		-p no:cacheprovider -n $(or $(JOBS),2)

lab: .venv/course.stamp  ## JupyterLab, on the notebook to start with
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start.ipynb

release: .venv/grade.stamp  ## the blank version for students, into DIR=DIR
	@test -n "$(DIR)" || { echo "error: Name a new folder: make release DIR=..." >&2; exit 2; }
	@$(BIN)/course release "$(DIR)"

site: .venv/site.stamp  ## the course as a web site, into site/; without its solutions: SOLUTIONS=left-out
	@echo "Building the web site takes a minute or two"
	@rm -rf site docs/instructors/api
	@$(BIN)/sphinx-build -q -W --keep-going -c docs/instructors/site -d .cache/site -D solutions=$(or $(SOLUTIONS),folded) . site; \
		status=$$?; rm -rf jupyter_execute; exit $$status
	@echo "Open site/index.html"

report: .venv/course.stamp  ## report.html and the claims table of the run in OUT=DIR (default: runs/builtin)
	@$(BIN)/course report "$(or $(OUT),runs/builtin)"

clean:  ## remove the environment and caches; results and data stay
	rm -rf .venv .pytest_cache *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@for python in $(PYTHON); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$python -m venv .venv; \
		fi; \
	done; \
	echo "error: Found no Python 3.11 or later; install one, or name it: make PYTHON=..." >&2; exit 1

# uv installs the same versions as pip, in less than half the time.
.venv/bin/uv: constraints.txt | .venv/bin/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt uv
	@touch $@

.venv/course.stamp: pyproject.toml constraints.txt .venv/bin/uv
	@echo "Installing the packages of the course into .venv; torch alone takes a minute or more"
	@$(INSTALL) -e .
	@touch $@

.venv/grade.stamp: .venv/course.stamp
	@$(INSTALL) -e ".[grade]"
	@touch $@

.venv/site.stamp: .venv/course.stamp
	@$(INSTALL) -e ".[site]"
	@touch $@

.venv/test.stamp: .venv/course.stamp
	@$(INSTALL) -e ".[test,site]"
	@touch $@
