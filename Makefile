# SPDX-License-Identifier: Apache-2.0
# The short names of what meson, ninja and scripts/ do. `make demo` is the way in.
FUZZ_SECONDS ?= 60
MAKEFLAGS += --no-print-directory
.PHONY: build deps demo test test-slow fuzz lint install clean

build: build/build.ninja
	ninja -C build

build/build.ninja:
	meson setup build

deps:
	scripts/install-deps

demo: deps
	$(MAKE) build
	scripts/demo

test: deps
	$(MAKE) build
	scripts/run-tests quick

test-slow: deps
	$(MAKE) build
	scripts/run-tests slow

fuzz: deps
	FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/run-fuzz

lint: deps
	$(MAKE) build/build.ninja
	scripts/lint

install: build
	meson install -C build --no-rebuild

clean:
	rm -rf build build-asan build-fuzz
