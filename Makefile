# Every target sets up what it needs, in .venv. Needs Python 3.11 to 3.14 and make.
#   make demo       see the whole thing work: calls, ledger, proof
#   make test       the tests that need only Python packages
#   make test-all   lint, types, old and new clients, and what touches files once more against the built wheel, outside the checkout
SHELL := /bin/sh
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && echo $$name && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
# Two processes at most: each has an engine of its own, with threads of its own. A file's tests stay together: they share a store.
PROCESSES := --numprocesses=auto --maxprocesses=2
PARALLEL := $(PROCESSES) --dist=loadfile --durations=25

.PHONY: demo audit test test-all test-clients test-go test-collector test-alertmanager test-deploy test-node test-page test-wheel collector bench lint typecheck format build install clean

demo: $(VENV)/.demo
	@$(BIN)/spanledger demo $(DEMO_ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(PARALLEL)

test-all: lint typecheck test-clients test-go test-collector test-alertmanager test-deploy test-node test-page test-wheel

# Old and new clients and the frameworks that need their own, each in an environment that is made once, in the cache.
test-clients: $(VENV)/.dev
	@$(BIN)/python -m tests.instrumentation.clients_matrix

# Our distribution of the OpenTelemetry Collector, built with Go into the cache, once for each content of its folder; prints where it is.
collector: $(VENV)/.dev
	@$(BIN)/python collector/otelcol/build.py

# That program between an SDK and a ledger: money, tenants, privacy, and what is lost when something dies (nothing). Skipped without Go.
test-collector: $(VENV)/.dev
	@binary=$$($(BIN)/python collector/otelcol/build.py) || test $$? -eq 3 || exit 1; \
	OTELCOL_BINARY="$$binary" $(BIN)/python -m pytest --durations=10 tests/collector/otelcol

# The chart with Helm (built with Go) and the schemas of Kubernetes; what it and compose give to the Collector, by the Collector. All three
# are kept in the cache. Nothing is started.
test-deploy: $(VENV)/.dev
	@$(BIN)/python -m tests.deploy.tools

# The program in JavaScript of deploy/languages.md, its packages kept in the cache.
test-node: $(VENV)/.dev
	@$(BIN)/python -m tests.deploy.node

# What is known against the packages that are installed. Asks PyPI's advisories: it needs the network, and fails where one was not asked about.
audit: $(VENV)/.dev
	@$(BIN)/pip install --quiet 'pip-audit>=2.10'
	@$(BIN)/pip freeze --exclude-editable >$(VENV)/installed.txt
	@$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement $(VENV)/installed.txt

# Debian's Alertmanager, unpacked into the cache: what fires arrives there, whatever is killed. Skipped where apt-get cannot fetch it.
test-alertmanager: $(VENV)/.dev
	@program=$$($(BIN)/python -m tests.collector.alerting.alertmanager) || test $$? -eq 3 || exit 1; \
	ALERTMANAGER_BINARY="$$program" $(BIN)/python -m pytest $(PROCESSES) --durations=10 tests/collector/alerting/test_alertmanager.py tests/demo/test_incidents.py

# The ClickHouse driver of the Collector's exporter and of Grafana, built with Go; Go keeps what it fetched and built.
test-go: $(VENV)/.dev
	@$(BIN)/python -m tests.collector.queries.clickhouse_go

# The built-in page in a real Chromium (Debian's, if there is none), with axe-core from npm; says by name what is missing.
test-page: $(VENV)/.browser
	@$(BIN)/python -m tests.dashboards.browser

# A forgotten file shows only in an installed wheel, away from the checkout.
test-wheel: $(VENV)/.dev
	@set -e; away=$$(mktemp -d); trap 'rm -rf "$$away"' EXIT; \
	$(BIN)/python -m build --wheel --outdir "$$away/dist" . >"$$away/build.log" 2>&1 || { cat "$$away/build.log"; exit 1; }; \
	$(PYTHON) -m venv "$$away/venv"; \
	wheel=$$(echo "$$away"/dist/*.whl); "$$away/venv/bin/pip" install --quiet "$$wheel[dev]"; \
	cp -R tests README.md pyproject.toml "$$away"; cd "$$away"; \
	env -u PYTHONPATH "$$away/venv/bin/python" -m pytest $(PARALLEL) tests/collector/cli/test_names.py tests/collector/cli/test_explain.py \
		tests/demo/test_demo.py tests/instrumentation/test_zero_code.py tests/sql/test_migrations.py tests/test_house_rules.py

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.sdk
	@$(BIN)/python -m tests.bench.soak

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

typecheck: $(VENV)/.dev
	@$(BIN)/mypy

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

build: $(VENV)/.dev
	@$(BIN)/python -m build --outdir dist .

install: $(VENV)/.dev

clean:
	@rm -rf $(VENV) dist build

$(VENV)/.demo: pyproject.toml
	@$(call installed,demo)

$(VENV)/.dev: pyproject.toml
	@$(call installed,dev)

$(VENV)/.browser: pyproject.toml
	@$(call installed,browser)

define installed
	test -n "$(PYTHON)" || { echo "spanledger needs Python 3.11 to 3.14; none was found. Say where: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }; \
	echo "Setting up $(VENV) with $(PYTHON): extra [$(1)]"; \
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[$(1)]' && touch $(VENV)/.$(1)
endef
