# Each target sets itself up: from a fresh clone, Python 3.11 or newer and Rust are all it takes.
#
#   make demo     train a small network on real digits
#   make test     every test, Rust and Python
#   make bench    the same workloads on ferrograd and on its peers; PEERS=path/to/python names who has them
#   make bench-peers    PyTorch and JAX in an environment of their own, which make bench then finds
#   make bench-kernels    the kernels alone, without Python (criterion); FILTER=pattern names some
#   make lint     what has to be clean before a change lands
#   make wheel    the release wheel, in dist/
#   make test-aarch64    the core crate's tests built for 64-bit Arm and run under qemu
#   make wheel-aarch64    the release wheel for 64-bit Arm, in dist/
#   make test-array-api SUITE=path    the array API conformance suite, from a checkout of data-apis/array-api-tests

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := demo
.PHONY: demo test test-rust test-python test-aarch64 bench bench-peers bench-kernels lint lint-rust lint-python stubs renew-stubs \
	wheel wheel-aarch64 test-array-api tools clean

export PATH := $(HOME)/.cargo/bin:$(PATH)
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
VENV_PEERS := $(CURDIR)/.venv-peers
JOBS ?= 2
# Release speed with overflow checks. Tests and extension share it, so that dependencies compile once.
CARGO_PROFILE := verify
# Compiles the extension and installs the package editable; the argument names the extras to install with it.
develop = VIRTUAL_ENV=$(VENV) $(BIN)/maturin develop --quiet --profile $(CARGO_PROFILE) $(if $(1),--extras $(1))

demo: tools
	$(call develop)
	$(BIN)/ferrograd demo

test: test-rust test-python

# The whole workspace is named so that both halves resolve to the same features of shared dependencies.
test-rust: tools
	cargo test --workspace --profile $(CARGO_PROFILE)

test-python: tools
	$(call develop,test)
	$(BIN)/python -m pytest -n $(JOBS)

# The toolchain's compiler, or else the distribution's, whichever has Arm's standard library. The emulated process takes
# loader and C library from the cross compiler's root, even where the machine has an Arm libc beside its own. Left out
# is what starts its own binary again, which an emulator does not pass on.
ARM := aarch64-unknown-linux-gnu
ARM_ROOT := /usr/aarch64-linux-gnu
test-aarch64 wheel-aarch64: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER := aarch64-linux-gnu-gcc
test-aarch64: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER := qemu-aarch64-static -L $(ARM_ROOT) \
	-E LD_LIBRARY_PATH=$(ARM_ROOT)/lib
test-aarch64:
	@.ci/prerequisites --aarch64
	RUSTC=$$(.ci/prerequisites --rustc $(ARM)) cargo test --package ferrograd-core --lib --profile $(CARGO_PROFILE) \
		--target $(ARM) -- --skip guard_mode_catches --skip poison_mode_fills

# Speed is measured on what is shipped.
bench: CARGO_PROFILE := release
bench: tools
	$(call develop)
	$(BIN)/python benches/compare.py $(if $(PEERS),--peers $(PEERS))

# PyPI's PyTorch brings CUDA along; from its own index, where that can be reached, it comes without.
bench-peers: tools
	$(BIN)/python -m venv $(VENV_PEERS)
	$(VENV_PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 \
		--extra-index-url https://download.pytorch.org/whl/cpu torch jax numpy

bench-kernels:
	cargo bench -p ferrograd-core -- $(FILTER)

lint: lint-rust lint-python stubs

lint-rust: tools
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || \
		{ echo "rustfmt or clippy is missing. Install them: rustup component add rustfmt clippy"; exit 1; }
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --profile $(CARGO_PROFILE) -- -D warnings

lint-python: tools
	$(call develop,lint)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The stub is generated from the compiled module's own signatures: a stale one is an error that shows the difference.
stubs: tools
	$(call develop)
	$(BIN)/python -c 'from ferrograd import _core; print(_core._stub(), end="")' \
		| diff -u python/ferrograd/_core.pyi - || { echo "_core.pyi is stale. Renew it: make renew-stubs"; exit 1; }

renew-stubs: tools
	$(call develop)
	$(BIN)/python -c 'from ferrograd import _core; print(_core._stub(), end="")' > python/ferrograd/_core.pyi

wheel: tools
	$(BIN)/maturin build --release --out dist
	@ls -l dist

wheel-aarch64: tools
	@.ci/prerequisites --aarch64
	RUSTC=$$(.ci/prerequisites --rustc $(ARM)) $(BIN)/maturin build --release --target $(ARM) --out dist
	@ls -l dist

test-array-api: tools
	@test -d "$(SUITE)/array_api_tests" || { echo "SUITE is no checkout of the suite. Get one:" \
		"git clone --recursive https://github.com/data-apis/array-api-tests && make $@ SUITE=array-api-tests"; exit 1; }
	$(call develop,conformance)
	cd $(SUITE) && ARRAY_API_TESTS_MODULE=ferrograd ARRAY_API_TESTS_VERSION=2025.12 \
		$(BIN)/python -m pytest array_api_tests -n $(JOBS) --max-examples 200 --disable-deadline

tools: $(BIN)/maturin

$(BIN)/maturin: pyproject.toml
	@.ci/prerequisites
	@test -x $(BIN)/python || "$$(.ci/prerequisites --python)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'maturin>=1.9,<2'
	@touch $@

clean:
	rm -rf $(VENV) $(VENV_PEERS) target dist python/ferrograd/*.so
