# Two commands: `make demo` and `make test`. Both install what they need and say what they are doing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
BIN := target/debug
say = @printf '\n==> %s\n' "$(1)"

.PHONY: against-anvil help demo test build install-build install-test lint unit guards solidity clients hardhat web3py story artifacts proof book \
	bench-executor bench-guards bench-load bench-roots soak tsan image clean

help:
	@echo "make demo       start a devnet, attack a contract, guard it, attack again"
	@echo "make test       everything CI runs"
	@echo "make build      the parapet program, at $(BIN)/parapet"
	@echo "make bench-executor  measure the parallel executor; BENCH='--filter erc20' for a part of it"
	@echo "make soak       execute 10,000 blocks on the same workers and report the memory"
	@echo "make tsan       the executor's generated blocks under ThreadSanitizer (needs rust-src); TSAN_SEEDS=1000 for more"
	@echo "make bench-roots     measure what a block's state root costs over a million accounts"
	@echo "make bench-load      measure what the node bears through JSON-RPC, against anvil; BENCH='--siege 60' besieges it"
	@echo "make bench-guards    measure what guards cost; BENCH='--part judging' for a part of it"
	@echo "make hardhat    an unmodified Hardhat project's tests on a running node (some 350 MB of packages)"
	@echo "make web3py     web3.py on a running node (some 60 MB of packages)"
	@echo "make proof      play real attacks against the guards; PROOF='--honest 100000' for more honest traffic"
	@echo "make artifacts  rebuild the committed contracts and guards from their sources"
	@echo "make image      a container image of the node, parapet:latest (needs a container engine)"
	@echo "make book       the book for those who write guards, as HTML at target/book (needs mdbook)"

demo: build
	$(call say,Playing the story on a development chain of its own)
	@$(BIN)/parapet-demo

build: install-build
	$(call say,Building parapet (the first time takes some minutes: RocksDB$(comma) wasmtime and revm are compiled))
	@$(CARGO) build --workspace --bins

comma := ,

install-build:
	@.ci/install build

install-test:
	@.ci/install build guests clients

test: install-test lint unit guards solidity story clients
	$(call say,All of it passed)

lint:
	$(call say,Formatting)
	@$(CARGO) fmt --all --check
	@cd guards && $(CARGO) fmt --all --check
	$(call say,Clippy$(comma) warnings denied)
	@$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	@cd guards && $(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	@cd guards/contracts && $(CARGO) fmt --all --check
	@cd guards/contracts && $(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

unit:
	$(call say,Building the program that the tests start)
	@$(CARGO) build --workspace --bins
	@cd guards/contracts && $(CARGO) fetch --locked --quiet # a test makes a contract without a network
	$(call say,Tests of the host's crates)
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --no-fail-fast; \
	else \
		$(CARGO) test --workspace --no-fail-fast --lib --bins --tests; \
	fi
	$(call say,Examples in the documentation)
	@$(CARGO) test --workspace --doc --quiet

guards:
	$(call say,Tests of the shipped guards$(comma) natively)
	@cd guards && $(CARGO) test --workspace --quiet
	@cd guards/contracts && $(CARGO) test --workspace --quiet

solidity:
	$(call say,Contracts: the committed artefacts match their sources$(comma) and behave)
	@cd sdk/solidity && npm ci --silent --no-audit --no-fund && node compile.mjs --check && npm test --silent
	$(call say,The registry under forge's fuzzing)
	@cd sdk/solidity && npm run --silent fuzz

story:
	$(call say,The demo's story ends as it should)
	@$(BIN)/parapet-demo > target/demo.txt || { cat target/demo.txt; exit 1; }
	@tail -n 1 target/demo.txt

clients:
	$(call say,Unmodified viem$(comma) ethers$(comma) cast and forge against a running node)
	@cd devnet/clients && npm ci --silent --no-audit --no-fund && node against-parapet.mjs ../../$(BIN)/parapet
	$(call say,Method by method$(comma) what anvil and Parapet answer)
	@cd devnet/clients && node against-anvil.mjs ../../$(BIN)/parapet
	$(call say,What one dumps$(comma) the other loads)
	@cd devnet/clients && node state-files.mjs ../../$(BIN)/parapet

against-anvil:
	$(call say,Method by method$(comma) what anvil and Parapet answer)
	@cd devnet/clients && npm ci --silent --no-audit --no-fund && node against-anvil.mjs ../../$(BIN)/parapet

hardhat:
	$(call say,An unmodified Hardhat project on a running node (downloads some 350 MB of packages))
	@cd devnet/clients/hardhat && npm ci --silent --no-audit --no-fund --ignore-scripts && node run.mjs ../../../$(BIN)/parapet

web3py:
	$(call say,web3.py on a running node (some 60 MB of packages$(comma) into target/web3py))
	@python3 -m venv target/web3py && target/web3py/bin/pip install --quiet --disable-pip-version-check --requirement devnet/clients/web3py/requirements.txt
	@target/web3py/bin/python devnet/clients/web3py/run.py $(BIN)/parapet

artifacts: install-test
	$(call say,Rebuilding the contracts)
	@cd sdk/solidity && npm ci --silent --no-audit --no-fund && node compile.mjs
	$(call say,Rebuilding the guards)
	@$(CARGO) build --workspace --bins
	@target/debug/shipped_guards

book:
	@command -v mdbook >/dev/null || { echo "mdbook is missing: cargo install mdbook --locked (or read docs/book/src as it is)"; exit 1; }
	@mdbook build docs/book
	$(call say,The book is at target/book/index.html)

PROOF ?=

proof: install-build
	$(call say,Building the proof)
	@$(CARGO) build --package parapet-proof
	$(call say,Playing real attacks against the shipped guards$(comma) and honest traffic past them)
	@$(BIN)/proof $(PROOF)

# Real blocks lie in the archive of fixtures beside the project; without it the benchmark says that it leaves them out.
FIXTURES ?= ../shared/fixtures/fixtures.tar.xz
REAL_BLOCKS := dev/prestate-blocks dev/witness-blocks
BENCH ?=

bench-executor:
	$(call say,Building the benchmark$(comma) optimised (the first time takes some minutes))
	@$(CARGO) build --release --package parapet-bench
	@if [ ! -d target/fixtures/dev/witness-blocks ] && [ -f $(FIXTURES) ]; then \
		mkdir -p target/fixtures && tar -xJf $(FIXTURES) -C target/fixtures $(REAL_BLOCKS); \
	fi
	$(call say,Measuring)
	@target/release/bench-executor $(BENCH)

bench-roots:
	$(call say,Building the benchmark$(comma) optimised (the first time takes some minutes))
	@$(CARGO) build --release --package parapet-bench-roots
	$(call say,Measuring)
	@target/release/bench-roots $(BENCH)

bench-load:
	$(call say,Building the node and the benchmark$(comma) optimised (the first time takes some minutes))
	@$(CARGO) build --release --package parapet --bin parapet --package parapet-bench-load
	@cd sdk/solidity && npm ci --silent --no-audit --no-fund
	$(call say,Measuring)
	@target/release/bench-load $(BENCH)

soak:
	$(call say,Building the soak$(comma) optimised)
	@$(CARGO) build --release --package parapet-bench
	$(call say,Executing many blocks on the same workers)
	@target/release/bench-soak

# The sanitizer sees only what is compiled with it, so the standard library is, too. It does not know fences: crossbeam has
# a way without them, by this flag. RUSTC_BOOTSTRAP: both flags of the compiler are not stable, and no nightly is needed.
# A program in place of the tests: those depend on the guard VM, whose compilers would be compiled, too.
TSAN_TARGET ?= x86_64-unknown-linux-gnu
TSAN_SEEDS ?= 100
TSAN_MINUTES ?= 10

tsan:
	$(call say,Building the executor and the standard library under ThreadSanitizer (the first time takes some minutes))
	@if [ ! -f "$$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then \
		echo "the standard library's sources are missing: rustup component add rust-src"; exit 1; \
	fi
	@RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/tsan RUSTFLAGS="-Zsanitizer=thread --cfg crossbeam_sanitize_thread" \
		$(CARGO) build -Zbuild-std --target $(TSAN_TARGET) --package parapet-equivalence --bin equivalence
	$(call say,Parallel equals sequential: $(TSAN_SEEDS) seeds$(comma) at most $(TSAN_MINUTES) minutes)
	@timeout $(TSAN_MINUTES)m target/tsan/$(TSAN_TARGET)/debug/equivalence $(TSAN_SEEDS)

bench-guards:
	$(call say,Building the benchmark$(comma) optimised (the first time takes some minutes))
	@$(CARGO) build --release --package parapet-bench-guards
	$(call say,Measuring)
	@target/release/bench-guards $(BENCH)

image:
	$(call say,Building the container image)
	@docker build --file node/bin/packaging/Dockerfile --tag parapet:latest \
		--build-arg COMMIT="$$(git rev-parse --short=12 HEAD 2>/dev/null || true)" .

clean:
	@rm -rf target guards/target guards/contracts/target
