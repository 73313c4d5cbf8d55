# SPDX-License-Identifier: GPL-2.0-or-later
# Quern's only Makefile. Sources are globbed by room, every .c is compiled once with the same flags, and a configuration is a
# directory: `make BUILD=asan` fills out/asan. `make help` lists the targets.

BUILD ?= release
OUT := out/$(BUILD)
PREFIX ?= /usr/local
DESTDIR ?=
# The names under which clients look for an emulator; `make install` links them to quern. Empty for none.
INSTALL_LINKS ?= qemu-system-x86_64 qemu-system-i386
VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

GOALS := $(or $(MAKECMDGOALS),all)
# Goals that need neither libraries nor a compiler; check and quickstart install them and then run make again.
NO_PROBE := help clean deps check check-kernel quickstart fmt fmt-check doc
ifneq ($(filter-out $(NO_PROBE),$(GOALS)),)
include mk/probe.mk
endif

# ---- flags

CFLAGS_release := -O2 -g
CFLAGS_debug := -Og -g3
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread
# Instrumented code misleads some of gcc's flow analysis.
CFLAGS_asan += -Wno-format-truncation -Wno-maybe-uninitialized -Wno-stringop-overflow
CFLAGS_tsan += -Wno-format-truncation -Wno-maybe-uninitialized
CFLAGS_hostile := -O2 -g -DQUERN_HOSTILE
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_fuzz := -fsanitize=address,undefined

ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE= -D_FILE_OFFSET_BITS=64 \
	-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror $(or $(CFLAGS_$(BUILD)),$(CFLAGS_release)) -fno-strict-aliasing -frounding-math -pthread \
	-Iinclude -I. -DQUERN_VERSION='"$(VERSION)"' $(LIB_CFLAGS) $(CFLAGS)
# -rdynamic: devices in shared objects find the public API in the binary.
ALL_LDFLAGS := $(LDFLAGS_$(BUILD)) -pthread -rdynamic -Wl,--as-needed $(LDFLAGS)

# One file's extra flags, e.g.  CFLAGS_jit/tlb.o := -fno-inline ; the name is the object's below $(OUT).
-include $(wildcard mk/flags.mk)

# ---- sources

ROOMS := lib core ir isa isa/* jit jit/* bus dev dev/* board boot block net share host gdb mon qtest guest dump initrd cli
SRC := $(sort $(wildcard $(ROOMS:%=%/*.c)))
TEST_SRC := $(filter %_test.c,$(SRC)) lib/test.c
BIN_SRC := $(filter-out $(TEST_SRC),$(SRC))
BIN_OBJ := $(BIN_SRC:%.c=$(OUT)/%.o)
TEST_OBJ := $(TEST_SRC:%.c=$(OUT)/%.o)

# The differential tester, a program of its own.
DIFF_SRC := $(sort $(wildcard test/diff/*.c))
DIFF_OBJ := $(DIFF_SRC:%.c=$(OUT)/%.o)

BIN := $(OUT)/quern
UNIT := $(OUT)/test-unit
DIFF := $(OUT)/diff

# Until main exists, only the objects and the tests are built.
BIN_NOW := $(if $(wildcard cli/main.c),$(BIN))

all: $(or $(BIN_NOW),$(BIN_OBJ))
# Everything that a test needs, built but not run.
build-tests: $(BIN_NOW) $(UNIT) $(DIFF)

$(BIN): $(BIN_OBJ)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS) -lm -ldl
	@$(if $(filter release,$(BUILD)),$(foreach l,$(INSTALL_LINKS),ln -sf quern $(OUT)/$(l);))

$(UNIT): $(filter-out $(OUT)/cli/main.o,$(BIN_OBJ)) $(TEST_OBJ)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS) $(TEST_LIBS) -lm -ldl

$(DIFF): $(filter-out $(OUT)/cli/main.o,$(BIN_OBJ)) $(DIFF_OBJ)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS) $(TEST_LIBS) -lm -ldl

# Objects depend on the directory's flags through $(OUT)/.flags, which changes only when the flags do.
$(OUT)/%.o: %.c $(OUT)/.flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(if $(filter %_test.c test/diff/%,$<),$(TEST_CFLAGS)) $(CFLAGS_$*.o) -MMD -MP -c -o $@ $<

FLAGS_NOW := $(CC) $(ALL_CFLAGS)
ifneq ($(filter-out $(NO_PROBE),$(GOALS)),)
$(OUT)/.flags: FORCE
	@mkdir -p $(OUT)
	@echo '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS_NOW))' > $@
# Removed or renamed sources leave no stale objects in a link, but the link must notice.
$(BIN) $(UNIT) $(DIFF): $(OUT)/.sources
$(OUT)/.sources: FORCE
	@mkdir -p $(OUT)
	@echo '$(SRC) $(DIFF_SRC)' | cmp -s - $@ || echo '$(SRC) $(DIFF_SRC)' > $@
-include $(BIN_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(DIFF_OBJ:.o=.d)
endif
FORCE:

# ---- tests

RUN_ENV = OUT=$(OUT) BUILD=$(BUILD)

test: build-tests
	@$(RUN_ENV) test/run --quick

# On a fresh machine: three steps, because the probe must see what the first one installed.
check:
	@test/have-deps check || tools/install-deps check
	@$(MAKE) --no-print-directory -j$$(nproc) build-tests
	@$(RUN_ENV) test/run

# Nothing but the probe of mk/probe.mk: does it find every library?
probe:
	@echo 'libraries: $(PKGS) $(HDR_LIBS)'

rooms: build-tests
	@tools/rooms $(OUT)

unit: $(UNIT)
	@$(UNIT)

bench: $(BIN)
	@$(RUN_ENV) tools/bench

# Random instructions: interpreter against the back end and the host CPU. N= is the number of snippets.
ISA ?= x86_64
N ?= 100000
diff: $(DIFF)
	@$(RUN_ENV) tools/diff $(ISA) $(N)

# libFuzzer, which clang brings: make fuzz-options runs test/fuzz/options_fuzz.c for FUZZ_SECONDS; the corpus stays in out/fuzz.
FUZZ_SECONDS ?= 60
# One device: make fuzz-device DEVICE=nvme; tools/fuzz-devices runs them all.
FUZZ_OBJ_device := core/tdev_test.o bus/vdrv_test.o
FUZZ_CORPUS = out/fuzz/corpus-$*$(if $(DEVICE),/$(DEVICE))
export DEVICE
fuzz-%:
	@$(MAKE) --no-print-directory BUILD=fuzz CC=clang out/fuzz/run-$*
	@mkdir -p $(FUZZ_CORPUS)
	out/fuzz/run-$* -max_total_time=$(FUZZ_SECONDS) -close_fd_mask=3 -artifact_prefix=$(CURDIR)/out/fuzz/ $(patsubst %,-dict=%,$(wildcard test/fuzz/$*.dict)) $(FUZZ_CORPUS)
$(OUT)/run-%: $(OUT)/test/fuzz/%_fuzz.o $(filter-out $(OUT)/cli/main.o,$(BIN_OBJ))
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(LIBS) -lm -ldl
$(OUT)/run-device: $(FUZZ_OBJ_device:%=$(OUT)/%)
.PRECIOUS: $(OUT)/test/fuzz/%_fuzz.o

quickstart:
	@test/have-deps || $(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@OUT=$(OUT) tools/quickstart

# What test/crash.sh reads, 300 MB of a kernel's debugging data: not fetched by `make check`, which skips the test without.
crash-test: build-tests
	@test/crash.sh --fetch
	@$(RUN_ENV) test/run crash

# The same for a session of gdb with a kernel's source lines and types: 250 MB to fetch, 1.7 GB unpacked, two minutes of gdb reading them.
check-dbg: build-tests
	@test/gdb-source.sh --fetch
	@$(RUN_ENV) test/run gdb-source

# The tests that need a kernel of their own, with the kernel's debuggers and detectors: it is built once, in some minutes.
check-kernel:
	@test/have-deps kernel || tools/install-deps kernel
	@$(MAKE) --no-print-directory -j$$(nproc) build-tests
	@tools/build-kernel > /dev/null
	@$(RUN_ENV) test/run --in test/kernel

# ---- installing, tidying

deps:
	@tools/install-deps

install: $(BIN) doc/quern.1
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/quern $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/quern
	install -m 644 include/quern/*.h $(DESTDIR)$(PREFIX)/include/quern
	install -m 644 doc/quern.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/doc/quern
	install -m 644 $(wildcard doc/*.md) $(DESTDIR)$(PREFIX)/share/doc/quern
	$(BIN) doc --all $(DESTDIR)$(PREFIX)/share/doc/quern/devices
	$(foreach l,$(INSTALL_LINKS),ln -sf quern $(DESTDIR)$(PREFIX)/bin/$(l);)

C_FILES = $(sort $(wildcard $(ROOMS:%=%/*.[ch]) include/quern/*.h test/diff/*.[ch] test/fuzz/*.c))
CLANG_FORMAT ?= clang-format
fmt:
	@$(CLANG_FORMAT) -i $(C_FILES)
fmt-check:
	@$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)
tidy:
	@clang-tidy --quiet $(BIN_SRC) -- $(filter-out -Werror,$(ALL_CFLAGS))

doc: doc/quern.1
	@! command -v man >/dev/null || man --warnings -E UTF-8 -l doc/quern.1 >/dev/null

# A page of each device, from its tables.
doc-devices: $(BIN)
	@$(BIN) doc --all $(OUT)/doc-devices
	@echo 'see $(OUT)/doc-devices/index.md'

clean:
	rm -rf $(OUT)

help:
	@echo 'make              build $(BIN)'
	@echo 'make test         all tests that need no network, root or downloads'
	@echo 'make check        on a fresh machine: dependencies, build, every test, real kernels included'
	@echo 'make quickstart   on a fresh machine: dependencies, build, a kernel, a shell in the guest'
	@echo 'make deps         install the libraries (Debian, Ubuntu), or say how (Fedora, Arch)'
	@echo 'make fuzz-options  random command lines, for FUZZ_SECONDS=$(FUZZ_SECONDS); fuzz-X for each test/fuzz/X_fuzz.c'
	@echo 'make bench, diff  measure; compare random instructions (ISA=x86_64 N=100000)'
	@echo 'make crash-test   fetch a kernel with debugging data and open dumps of it with crash'
	@echo 'make check-dbg    fetch a kernel with debugging data and debug it by its source lines with gdb'
	@echo 'make check-kernel build a kernel for debugging, and test with its own debuggers and detectors'
	@echo 'make install      DESTDIR=, PREFIX=$(PREFIX), INSTALL_LINKS="$(INSTALL_LINKS)"'
	@echo 'make fmt, fmt-check, tidy, doc, doc-devices, clean'
	@echo 'BUILD=release|debug|asan|tsan|hostile, CC=gcc|clang'

.PHONY: all build-tests probe test check check-dbg check-kernel rooms unit bench diff crash-test quickstart deps install fmt fmt-check tidy doc doc-devices clean help FORCE
