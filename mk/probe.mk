# SPDX-License-Identifier: GPL-2.0-or-later
# probe.mk - finds the libraries with pkg-config and installs them with the distribution's package manager.

PKG_CONFIG ?= pkg-config
# Needed by the emulator, by pkg-config name.
PKGS := zlib liblzma liblz4 libzstd jansson liburing libseccomp
# Found by header, because their distributions' packages have no reliable .pc file.
HDR_LIBS := slirp:slirp/libslirp.h bz2:bzlib.h lzo2:lzo/lzo1x.h snappy:snappy-c.h
# Needed by some tests only.
TEST_HDR_LIBS := Zydis:Zydis/Zydis.h

DEPS_DEBIAN := gcc make pkg-config zlib1g-dev libbz2-dev liblzma-dev liblzo2-dev liblz4-dev libzstd-dev libjansson-dev libslirp-dev libsnappy-dev liburing-dev libseccomp-dev \
	libzydis-dev cpio xz-utils bzip2 lzop lz4 zstd dpkg-dev ca-certificates debian-archive-keyring python3
DEPS_FEDORA := gcc make pkgconf zlib-devel bzip2-devel xz-devel lzo-devel lz4-devel libzstd-devel jansson-devel libslirp-devel snappy-devel liburing-devel libseccomp-devel \
	zydis-devel cpio xz bzip2 lzop lz4 zstd dpkg apt python3
DEPS_ARCH := gcc make pkgconf zlib bzip2 xz lzo lz4 zstd jansson libslirp snappy liburing libseccomp zydis cpio lzop dpkg apt debian-archive-keyring python

# What only `make check` uses: references to compare with, and firmware to start.
CHECK_DEBIAN := acpica-tools qemu-system-x86 seabios ovmf gdb gdb-multiarch makedumpfile
CHECK_FEDORA := acpica-tools qemu-system-x86 seabios-bin edk2-ovmf gdb makedumpfile
CHECK_ARCH := acpica qemu-system-x86 seabios edk2-ovmf gdb
# for storage.sh
CHECK_DEBIAN += fio nvme-cli e2fsprogs eject
# for i2c.sh
CHECK_DEBIAN += i2c-tools
CHECK_FEDORA += i2c-tools
CHECK_ARCH += i2c-tools
CHECK_FEDORA += fio nvme-cli e2fsprogs util-linux
CHECK_ARCH += fio nvme-cli e2fsprogs util-linux

# What only `make check-kernel` uses: a kernel's build, and its debugger.
KERNEL_DEBIAN := flex bison bc libelf-dev dwarves gdb
KERNEL_FEDORA := flex bison bc elfutils-libelf-devel dwarves gdb
KERNEL_ARCH := flex bison bc libelf pahole gdb

has_header = $(shell echo '\#include <$(1)>' | $(CC) -E -o /dev/null - 2>/dev/null && echo y)
hdr_of = $(word 2,$(subst :, ,$(1)))
lib_of = $(word 1,$(subst :, ,$(1)))

ifeq ($(shell command -v $(PKG_CONFIG) 2>/dev/null),)
$(error $(PKG_CONFIG) is not installed; `make deps` installs it and every library that is needed)
endif
ifneq ($(shell $(PKG_CONFIG) --exists $(PKGS) && echo y),y)
$(foreach p,$(PKGS),$(if $(shell $(PKG_CONFIG) --exists $(p) && echo y),,\
	$(error library $(p) is missing; `make deps` installs it)))
endif
$(foreach h,$(HDR_LIBS),$(if $(call has_header,$(call hdr_of,$(h))),,\
	$(error library $(call lib_of,$(h)) is missing; `make deps` installs it)))

LIB_CFLAGS := $(filter-out -I/usr/include,$(shell $(PKG_CONFIG) --cflags $(PKGS)))
LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS)) $(foreach h,$(HDR_LIBS),-l$(call lib_of,$(h)))
TEST_FOUND := $(foreach h,$(TEST_HDR_LIBS),$(if $(call has_header,$(call hdr_of,$(h))),$(call lib_of,$(h))))
TEST_LIBS := $(TEST_FOUND:%=-l%)
# A test that needs such a library sees HAVE_ZYDIS.
TEST_CFLAGS := $(if $(filter Zydis,$(TEST_FOUND)),-DHAVE_ZYDIS)
# The disassembler uses it when it is there, and our own tables when not.
CFLAGS_isa/x86/disasm.o := $(TEST_CFLAGS)
LIBS += $(TEST_LIBS)
