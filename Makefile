# Thin: what CI and a person type. All logic is in CMake, in build/tollgate and in ci/.
# ARGS goes to tollgate (make check ARGS='--suite syscall'), CMAKE_FLAGS to cmake, TOLLGATE_* to all of it.

JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local

# A sub-make must not see this one's variables: cmake's own makefiles have an ARGS too.
CMAKE = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u ARGS cmake
CTEST = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u ARGS ctest --output-on-failure

# $(call cmake_build,DIR,TYPE)
define cmake_build
	$(CMAKE) -S . -B $(1) -DCMAKE_BUILD_TYPE=$(2) $(CMAKE_FLAGS)
	$(CMAKE) --build $(1) -j $(JOBS)
endef

all: build

build:
	$(call cmake_build,build,Release)

# Everything but timing: what the machine's noise could turn red has the label `gate`.
test: build
	$(CTEST) --test-dir build -LE gate

# 77: nothing could be judged, which is what a machine without a baseline says. Scripts that need the
# statuses call build/tollgate: make turns each of them into 2.
check: build
	@build/tollgate check $(ARGS); status=$$?; \
	if [ $$status -eq 77 ]; then \
		echo 'no baseline of this machine yet: make baseline'; \
	else \
		exit $$status; \
	fi

baseline: build
	build/tollgate record $(ARGS)

asan:
	$(call cmake_build,build-asan,Asan)
	$(CTEST) --test-dir build-asan -LE gate

coverage:
	$(call cmake_build,build-coverage,Coverage)
	find build-coverage -name '*.gcda' -delete
	$(CTEST) --test-dir build-coverage -LE gate
	ci/coverage.sh build-coverage

install: build
	$(CMAKE) --install build --prefix $(PREFIX)

clean:
	rm -rf build build-asan build-coverage

.PHONY: all build test check baseline asan coverage install clean
