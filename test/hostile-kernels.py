#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hostile-kernels.py - writes kernels that cannot be started, for errors.sh, and prints `FILE<TAB>REGEX`: what the refusal must say.

Usage: hostile-kernels.py BZIMAGE DIRECTORY
Offsets: Documentation/arch/x86/boot.rst of Linux (setup header), ELF specification 1.2, Multiboot specification 0.6.96.
"""
import os
import random
import struct
import sys

good = open(sys.argv[1], "rb").read()
out = sys.argv[2]
setup = (good[0x1F1] + 1) * 512
payload_at, payload_size = struct.unpack_from("<II", good, 0x248)
payload = setup + payload_at
rng = random.Random(1)


def put(name, data, says):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)
    print(f"{name}\t{says}")


def patched(*changes, data=good):
    data = bytearray(data)
    for at, fmt, value in changes:
        struct.pack_into("<" + fmt, data, at, value)
    return data


# ---- no kernels at all
NEITHER = "could not load kernel '.*': it is neither"
put("empty", b"", "could not load kernel '.*': the file is empty")
for size in 1, 3, 511, 512, 4096, 1 << 20:
    put(f"random-{size}", rng.randbytes(size), NEITHER)
put("zeros", bytes(65536), NEITHER)
put("text", b"This is no kernel.\n" * 1000, NEITHER)
put("only-mz", b"MZ" + bytes(4000), NEITHER)
put("only-hdrs", bytes(0x202) + b"HdrS", "kernel file|" + NEITHER)

# ---- cut off: in the boot sector, in the setup code, in the payload
cuts = {2, 0x1F1, 0x1F2, 0x200, 0x201, 0x202, 0x205, 0x206, 0x208, 0x20C, 0x230, 0x248, 0x260, 0x268, 0x270, 0x290}
cuts |= {setup - 512, setup - 1, setup, setup + 1, setup + 511, payload - 1, payload, payload + 1, payload + 18}
cuts |= {payload + payload_size * k // 16 for k in range(1, 16)} | {payload + payload_size - 1}
cuts |= {rng.randrange(1, payload + payload_size) for _ in range(20)}
for at in sorted(cuts):
    put(f"cut-{at}", good[:at], "is truncated|" + NEITHER)

# ---- headers that lie
short = good[:setup + 65536]
put("old-protocol", patched((0x206, "H", 0x1FF)), "boot protocol 1.255 is too old")
put("zimage", patched((0x211, "B", good[0x211] & ~1)), "is a zImage")
put("alignment", patched((0x230, "I", 0x300000)), "kernel_alignment 0x300000 is no power of two")
put("setup-sects", patched((0x1F1, "B", 255), data=short[:4096]), "is truncated")
put("payload-offset", patched((0x248, "I", 0xFFFFFFF0)), "is truncated: its payload")
put("payload-length", patched((0x24C, "I", 0xFFFFFFFF)), "is truncated: its payload")
put("payload-wraps", patched((0x248, "I", 0xFFFFFFFF), (0x24C, "I", 2)), "is truncated: its payload")
put("payload-format", patched((payload, "Q", 0x1122334455667788)), "payload is in no known compression format")
put("payload-tiny", patched((0x24C, "I", 8)), "kernel file")
put("payload-claims", patched((payload + payload_size - 4, "I", 0xFFFFFFFF)), "kernel file")
for k in range(4):
    at = payload + payload_size * (k + 1) // 5
    put(f"payload-damaged-{k}", good[:at] + rng.randbytes(256) + good[at + 256:], "could not unpack its [a-z0-9]+ payload")
put("init-size", patched((0x260, "I", 0xFFFFF000)), "use a larger -m")


# ---- ELF
def elf(segments, machine=62, kind=2, klass=2, phoff=64, phnum=None, size=0x3000):
    head = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", klass, 1, 1, 0, kind, machine, 1, 0x1000000, phoff, 0, 0, 64, 56,
                       len(segments) if phnum is None else phnum, 0, 0, 0)
    for offset, address, filesz, memsz in segments:
        head += struct.pack("<IIQQQQQQ", 1, 7, offset, address, address, filesz, memsz, 4096)
    return head.ljust(size, b"\0")


one = (0x1000, 0x1000000, 0x1000, 0x1000)
put("elf-cut-header", elf([one])[:40], "is truncated inside the ELF header|is no ELF|" + NEITHER)
put("elf-arm", elf([one], machine=183), "is an ELF file for another machine")
put("elf-relocatable", elf([one], kind=1), "is an ELF file of type 1, not an executable")
put("elf-class", elf([one], klass=9), "ELF class 9 is neither")
put("elf-nothing", elf([]), "nothing to load")
put("elf-headers-outside", elf([one], phoff=1 << 40), "do not lie in the file")
put("elf-headers-wrap", elf([one], phoff=(1 << 64) - 8), "do not lie in the file")
put("elf-headers-many", elf([one], phnum=0xFFFF), "do not lie in the file")
put("elf-segment-outside", elf([(0x1000, 0x1000000, 0x100000, 0x100000)]), "is truncated: a segment")
put("elf-segment-offset", elf([((1 << 64) - 16, 0x1000000, 0x1000, 0x1000)]), "is truncated: a segment")
put("elf-file-over-memory", elf([(0x1000, 0x1000000, 0x1000, 0x10)]), "larger in the file than in memory")
put("elf-wraps", elf([(0x1000, (1 << 64) - 0x1000, 0x1000, 0x2000)]), "wraps around")
put("elf-overlap", elf([one, (0x1000, 0x1000800, 0x1000, 0x1000)]), "overlap")
put("elf-huge", elf([(0x1000, 0x1000000, 0x1000, 1 << 45)]), "kernel file|memory")
put("elf-high", elf([(0x1000, 1 << 40, 0x1000, 0x1000)]), "above 4 GiB|memory")


# ---- multiboot
def multiboot(flags=0x10000, header=0x100000, load=0x100000, load_end=0, bss_end=0, entry=0x100020, checksum=None, size=512):
    checksum = -(0x1BADB002 + flags) & 0xFFFFFFFF if checksum is None else checksum
    return struct.pack("<8I", 0x1BADB002, flags, checksum, header, load, load_end, bss_end, entry).ljust(size, b"\0")[:size]


put("multiboot-checksum", multiboot(checksum=1), NEITHER)
put("multiboot-features", multiboot(flags=0x10000 | 0x8000), "requires unknown features")
put("multiboot-cut", multiboot(size=20), "truncated inside the multiboot header|" + NEITHER)
put("multiboot-load-after-header", multiboot(load=0x200000), "invalid multiboot addresses")
put("multiboot-end-before-start", multiboot(load_end=0x1000), "invalid multiboot load_end_addr")
put("multiboot-end-past-file", multiboot(load_end=0x40000000), "is truncated")
put("multiboot-bss", multiboot(load_end=0x100100, bss_end=0x100080), "invalid multiboot bss_end_addr")
put("multiboot-bss-huge", multiboot(bss_end=0xFFFFF000), "memory")
