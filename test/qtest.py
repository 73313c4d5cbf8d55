#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# qtest.py - a machine without CPUs, driven by test programs as libqtest does it: two sockets on which the test listens, one for
# qtest and one for QMP. What is expected comes from datasheets; what must be equal everywhere is asked of QEMU too.
# Usage: qtest.py QUERN [QEMU]: prints ok and FAIL lines; with QEMU only the comparison.
import ctypes, json, os, re, shutil, signal, socket, subprocess, sys, tempfile

PATIENCE = 60
COMMON = ["-display", "none", "-nodefaults"]


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Machine:
    def __init__(self, program, args, accel=("-accel", "qtest")):
        self.dir = tempfile.mkdtemp(prefix="quern-qtest-")
        listeners = [self.listen(name) for name in ("qtest", "qmp")]
        self.p = subprocess.Popen([program, "-qtest", f"unix:{self.dir}/qtest", "-qtest-log", f"{self.dir}/log",
                                   "-chardev", f"socket,path={self.dir}/qmp,id=char0", "-mon", "chardev=char0,mode=control",
                                   *COMMON, *args, *accel], preexec_fn=die_with_parent)
        self.q, self.qmp_socket = [self.accept(s) for s in listeners]
        self.qmp_file = self.qmp_socket.makefile("rw")
        self.buf = b""
        self.irq = {}
        self.events = []
        json.loads(self.qmp_file.readline())
        self.qmp("qmp_capabilities")

    def listen(self, name):
        s = socket.socket(socket.AF_UNIX)
        s.bind(f"{self.dir}/{name}")
        s.listen(1)
        s.settimeout(PATIENCE)
        return s

    def accept(self, s):
        c = s.accept()[0]
        c.settimeout(PATIENCE)
        s.close()
        return c

    def line(self):
        while b"\n" not in self.buf:
            got = self.q.recv(1 << 16)
            if not got:
                raise EOFError("the emulator has closed the connection")
            self.buf += got
        line, self.buf = self.buf.split(b"\n", 1)
        return line.decode()

    # The reply; lines of interrupts before it are noted.
    def ask(self, request):
        self.q.sendall(request.encode() + b"\n")
        while (line := self.line()).startswith("IRQ "):
            _, what, n = line.split()
            self.irq[int(n)] = what == "raise"
        return line

    def do(self, request):
        reply = self.ask(request)
        if reply != "OK" and not reply.startswith("OK "):
            raise AssertionError(f"{request}: {reply}")
        return reply[3:]

    def num(self, request):
        return int(self.do(request), 0)

    def qmp(self, command, **arguments):
        self.qmp_file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            answer = json.loads(self.qmp_file.readline())
            if "event" not in answer:
                return answer.get("return", answer)
            self.events.append(answer["event"])

    def config(self, bdf, at):
        self.do(f"outl 0xcf8 {0x80000000 | bdf << 8 | at:#x}")
        return self.num("inl 0xcfc")

    def config_write(self, bdf, at, val):
        self.do(f"outl 0xcf8 {0x80000000 | bdf << 8 | at:#x}")
        self.do(f"outl 0xcfc {val:#x}")

    def cmos(self, at):
        self.do(f"outb 0x70 {at:#x}")
        return self.num("inb 0x71")

    def cmos_write(self, at, val):
        self.do(f"outb 0x70 {at:#x}")
        self.do(f"outb 0x71 {val:#x}")

    def end(self, how):
        how(self)
        status = self.p.wait(PATIENCE)
        shutil.rmtree(self.dir)
        return status

    def kill(self):
        self.p.kill()
        self.p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r} instead of {wanted!r}")


# ---- what must hold

def protocol(m):
    equal(m.ask("endianness"), "OK little")
    equal(m.ask("write 0x1000 4 0xaabbccdd"), "OK")
    equal(m.ask("read 0x1000 5"), "OK 0xaabbccdd00")
    equal(m.ask("readl 0x1000"), "OK 0x00000000ddccbbaa")
    equal(m.ask("writeq 0x2000 0x1122334455667788"), "OK")
    equal(m.ask("readw 0x2001"), "OK 0x0000000000006677")
    equal(m.ask("write 0x1000 6 0x0102"), "OK")  # short data is followed by zeros
    equal(m.ask("read 0x1000 6"), "OK 0x010200000000")
    equal(m.ask("b64write 0x3000 8 AAECAwQFBgc="), "OK")
    equal(m.ask("b64read 0x3000 8"), "OK AAECAwQFBgc=")
    equal(m.ask("memset 0x4000 0x20000 0x5a"), "OK")
    equal(m.ask("read 0x23fff 2"), "OK 0x5a00")
    equal(m.ask("write 0x1000 0 0x"), "ERR invalid argument size")
    equal(m.ask("nonesuch 1"), "FAIL Unknown command 'nonesuch'")
    equal(m.ask("irq_intercept_in nonesuch"), "FAIL Unknown device")
    for bad in ("inb", "inb zz", "inb 0x10000", "outb 0x70", "read 0 0", "read 0 0xffffffffffff", "write 0 2 0xz",
                "b64write 0 3 !!!!", "clock_step zz", "clock_step -1", "set_irq_in ioapic unnamed-gpio-in 99 1",
                "set_irq_in ioapic other 1 1", "module_load nonesuch- x", "inb 1 2", "a b c d e f g h"):
        if not m.ask(bad).startswith("FAIL "):
            raise AssertionError(f"{bad} does not fail")
    # several in one piece, a long one in several
    m.q.sendall(b"writeb 0x10 1\r\nreadb 0x10\n\n  readb   0x10\nrea")
    m.q.sendall(b"db 0x10\n")
    equal([m.line() for _ in range(4)], ["OK"] + ["OK 0x0000000000000001"] * 3)


def qmp(m):
    equal(m.qmp("query-status")["status"], "running")
    m.qmp("stop")
    equal(m.qmp("query-status")["running"], False)
    equal(m.num("clock_step 10"), 10)  # the test goes on
    m.qmp("cont")
    text = m.qmp("human-monitor-command", **{"command-line": "info registers"})
    if "EIP=0000fff0" not in text and "RIP=000000000000fff0" not in text:
        raise AssertionError(f"the CPU is not at its reset vector: {text[:200]}")


# MC146818: registers A to D; the periodic interrupt at 1024 Hz; IRQ 8 falls when C is read.
def rtc(m):
    m.do("irq_intercept_in ioapic")
    equal(m.cmos(0xd), 0x80, "valid RAM and time")
    equal(m.cmos(0xa) & 0x7f, 0x26, "divider and rate")
    m.cmos_write(0xa, 0x26)
    m.cmos(0xc)
    m.cmos_write(0xb, 0x42)
    m.do("clock_step 2000000")
    equal(m.irq.get(8), True, "IRQ 8")
    equal(m.cmos(0xc) & 0xc0, 0xc0, "interrupt and periodic flag")
    m.do("inb 0")
    equal(m.irq.get(8), False, "IRQ 8 after the flags were read")
    m.cmos_write(0xb, 0x02)
    before = m.cmos(0)
    m.do("clock_step 3000000000")
    after = m.cmos(0)
    bcd = lambda v: (v >> 4) * 10 + (v & 15)
    equal((bcd(after) - bcd(before)) % 60, 3, "seconds")
    equal(m.ask("irq_intercept_in hpet"), "FAIL IRQ intercept already enabled")


# 8254: 1193182 Hz; mode 0 raises its output when the count is over. Read-back latches count and status.
def pit(m):
    m.do("irq_intercept_in pic")
    m.do("outb 0x43 0x30")
    m.do("outb 0x40 0x9c")
    m.do("outb 0x40 0x2e")  # 11932: 10 ms
    m.do("clock_step 5000000")
    m.do("outb 0x43 0xc2")
    equal(m.num("inb 0x40"), 0x30, "status")
    count = m.num("inb 0x40") | m.num("inb 0x40") << 8
    if not 5960 <= count <= 5972:
        raise AssertionError(f"the count is {count} after half of it")
    equal(m.irq.get(0, False), False, "IRQ 0")
    m.do("clock_step 5100000")
    equal(m.irq.get(0), True, "IRQ 0")


# HPET (IA-PC HPET 1.0a): 10 ns; without an argument the clock goes to the timer.
def hpet(m):
    base = 0xfed00000
    m.do("irq_intercept_in ioapic")
    equal(m.num(f"readl {base + 4:#x}"), 10000000, "period in femtoseconds")
    routes = m.num(f"readl {base + 0x104:#x}")
    line = routes.bit_length() - 1
    m.do(f"writel {base + 0x100:#x} {6 | line << 9:#x}")  # level
    m.do(f"writeq {base + 0x108:#x} 100000")
    m.do(f"writel {base + 0x10:#x} 1")
    start = m.num("clock_set 0")
    end = m.num("clock_step")
    while end - start < 1000000:
        end = m.num("clock_step")
    equal(end - start, 1000000, "1 ms")
    equal(m.num(f"readq {base + 0xf0:#x}"), 100000, "counter")
    equal(m.irq.get(line), True, f"IRQ {line}")


def fw_cfg(m):
    m.do("outw 0x510 0")
    equal(bytes(m.num("inb 0x511") for _ in range(4)), b"QEMU", "signature")
    m.do("outw 0x510 5")
    equal(m.num("inb 0x511"), 1, "CPUs")


# A device and its DMA: edu counts n! and copies; its interrupt line is one of the I/O APIC's.
def pci(m):
    bdf = 5 << 3
    m.config_write(1 << 3, 0x60, 0x0b0b0b0b)  # PIIX3: PIRQA# to D# are IRQ 11
    m.do("irq_intercept_in ioapic")
    equal(m.config(bdf, 0), 0x11e81234, "identity")
    m.config_write(bdf, 0x10, 0xfe000000)
    m.config_write(bdf, 4, 6)
    equal(m.num("readl 0xfe000000"), 0x010000ed, "version")
    m.do("writel 0xfe000020 0x80")
    m.do("writel 0xfe000008 5")
    for _ in range(100):
        if not m.num("readl 0xfe000020") & 1:
            break
        m.do("clock_step")
    equal(m.num("readl 0xfe000008"), 120, "5!")
    equal(m.num("readl 0xfe000024"), 1, "interrupt status")
    m.do("inb 0")
    equal([n for n in m.irq if m.irq[n]], [11], "lines that are high")
    m.do("writel 0xfe000064 1")
    m.do("inb 0")
    equal(sum(m.irq.values()), 0, "lines that are high")


# The disk's part is the host's time, not the guest's: commands end while the clock stands. ATA: IDENTIFY and READ SECTORS.
def disk(m):
    def ready():
        for _ in range(100000):
            if (v := m.num("inb 0x1f7")) & 0x88 == 0x08:
                return
        raise AssertionError(f"the drive is not ready: status {v:#x}")

    m.do("outb 0x1f6 0xe0")
    m.do("outb 0x1f2 1")
    for port, v in ((0x1f3, 1), (0x1f4, 0), (0x1f5, 0)):
        m.do(f"outb {port:#x} {v}")
    m.do("outb 0x1f7 0x20")
    ready()
    equal([m.num("inw 0x1f0") for _ in range(4)], [0x3131] * 4, "sector 1")


def reset(m):
    m.config_write(1 << 3, 0x60, 0x0b0a0909)
    m.cmos_write(0xb, 0x42)
    m.do("outb 0xcf9 2")
    m.q.sendall(b"outb 0xcf9 6\noutl 0xcf8 0x80000860\ninl 0xcfc\n")
    equal([m.line() for _ in range(3)], ["OK", "OK", "OK 0x80808080"])
    m.qmp("query-status")
    if "RESET" not in m.events:
        raise AssertionError(f"no RESET event among {m.events}")


# ---- what is the same in QEMU

RTC = [r for i in (0xa, 0xb, 0xd, 0x0f, 0x10, 0x12, 0x15, 0x16, 0x17, 0x18) for r in (f"outb 0x70 {i:#x}", "inb 0x71")]
PIT = ["outb 0x43 0x36", "outb 0x40 0x34", "outb 0x40 0x12", "outb 0x43 0xe2", "inb 0x40", "outb 0x43 0xd2", "inb 0x40", "inb 0x40",
       "outb 0x43 0xb6", "outb 0x42 0x98", "outb 0x42 0x0a", "outb 0x43 0xe8", "inb 0x42"]
PIC = ["outb 0x20 0x11", "outb 0x21 0x20", "outb 0x21 0x04", "outb 0x21 0x01", "outb 0xa0 0x11", "outb 0xa1 0x28", "outb 0xa1 0x02",
       "outb 0xa1 0x01", "outb 0x21 0xfb", "outb 0xa1 0xff", "inb 0x21", "inb 0xa1", "outb 0x20 0x0a", "inb 0x20", "outb 0x20 0x0b",
       "inb 0x20", "outb 0x4d0 0xff", "inb 0x4d0", "outb 0x4d1 0xff", "inb 0x4d1", "outb 0x4d0 0", "outb 0x4d1 0"]
IOAPIC = [r for i in (0, 1, 2, 0x10, 0x11, 0x3e, 0x3f) for r in (f"writel 0xfec00000 {i:#x}", "readl 0xfec00010")] + \
         ["writel 0xfec00000 0x14", "writel 0xfec00010 0x0001a931", "readl 0xfec00010", "writel 0xfec00000 0x15",
          "writel 0xfec00010 0xff000000", "readl 0xfec00010"]
HPET = ["readq 0xfed00000", "readl 0xfed00004", "readq 0xfed00010", "writeq 0xfed000f0 0x1234", "readq 0xfed000f0",
        "readl 0xfed00100", "readl 0xfed00120", "readq 0xfed00108"]
FWCFG = ["outw 0x510 0"] + ["inb 0x511"] * 4 + ["outw 0x510 1", "inb 0x511", "outw 0x510 5", "inb 0x511", "inl 0x514", "inl 0x518"]
DMA = ["outb 0x0c 0", "outb 0x00 0x34", "outb 0x00 0x12", "outb 0x0c 0", "inb 0x00", "inb 0x00", "inb 0x08", "outb 0x81 0x5a",
       "inb 0x81", "outb 0x0d 0", "inb 0x08"]
KEYBOARD = ["outb 0x64 0xaa", "inb 0x60", "outb 0x64 0xab", "inb 0x60"]
SERIAL = [f"inb {0x3f8 + i:#x}" for i in (1, 2, 3, 5, 7)] + ["outb 0x3fb 0x80", "inb 0x3f8", "inb 0x3f9", "outb 0x3fb 3",
                                                                "outb 0x3ff 0xa5", "inb 0x3ff"]


def config_of(slot, fn, registers):
    return [r for at in registers for r in (f"outl 0xcf8 {0x80000000 | slot << 11 | fn << 8 | at:#x}", "inl 0xcfc")]


# Where QEMU and the datasheets differ is left out: Command and Status of chipset functions, the 8254's output in mode 2, the
# 16550's OUT2, what is reserved in the I/O APIC; so is what is a model's own affair: where capabilities and MSI-X tables lie.
HEADER = (0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x2c, 0x30, 0x3c)
CHIPSET = (0, 8, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x2c, 0x30, 0x3c)


# What a size is: all ones written to each address.
def sizes_of(slot, registers=(0x10, 0x14, 0x18, 0x20)):
    return [r for at in registers for r in
            (f"outl 0xcf8 {0x80000000 | slot << 11 | at:#x}", "outl 0xcfc 0xffffffff", "inl 0xcfc", "outl 0xcfc 0")]


COMPARED = {
    "pc": (["-M", "pc", "-m", "64", "-serial", "null", "-device", "edu,addr=5", "-device", "virtio-rng-pci,addr=6",
            "-device", "nvme,serial=x,addr=7", "-device", "pci-testdev,addr=8", "-device", "i6300esb,addr=9",
            "-device", "virtio-serial-pci,addr=0xa"],
           {"rtc": RTC, "pit": PIT, "pic": PIC, "ioapic": IOAPIC, "hpet": HPET, "fw_cfg": FWCFG, "dma": DMA, "i8042": KEYBOARD,
            "serial": SERIAL, "i440fx": config_of(0, 0, CHIPSET), "piix3": config_of(1, 0, CHIPSET + (0x60,)),
            "ide": config_of(1, 1, CHIPSET + (0x40,)), "pm": config_of(1, 3, HEADER), "edu": config_of(5, 0, HEADER) + sizes_of(5),
            "virtio-rng": config_of(6, 0, HEADER) + sizes_of(6), "nvme": config_of(7, 0, HEADER) + sizes_of(7, (0x10, 0x14)),
            "pci-testdev": config_of(8, 0, HEADER) + sizes_of(8), "i6300esb": config_of(9, 0, HEADER[:-1]) + sizes_of(9),
            "virtio-serial": config_of(10, 0, HEADER) + sizes_of(10), "empty slot": config_of(20, 0, (0, 8))}),
    "q35": (["-M", "q35", "-m", "64"],
            {"mch": config_of(0, 0, CHIPSET), "lpc": config_of(31, 0, CHIPSET + (0x60, 0x68)),
             "ahci": config_of(31, 2, CHIPSET), "ahci size": sizes_of(31)}),
}


def compare(quern, qemu):
    helped = subprocess.run([qemu, "-accel", "help"], capture_output=True, text=True).stdout
    accel = ("-accel", "qtest") if "qtest" in helped.split() else ("-S",)
    for name, (args, groups) in COMPARED.items():
        a = b = None
        try:
            a, b = Machine(quern, args), Machine(qemu, args, accel)
            for group, requests in groups.items():
                differ = []
                for i, r in enumerate(requests):
                    x, y = a.ask(r), b.ask(r)
                    if x != y:
                        differ.append(f"{requests[i - 1]}; {r}: {x} / {y}")
                verdict(f"{name}-{group.replace(' ', '-')}-as-in-qemu", "; ".join(differ))
        finally:
            for m in (a, b):
                if m:
                    m.kill()


failed = False


def verdict(name, why):
    global failed
    failed |= bool(why)
    print(f"FAIL {name}: {why}" if why else f"ok {name}", flush=True)


def expect(name, quern, args, check):
    m = None
    try:
        m = Machine(quern, args)
        check(m)
        verdict(name, "")
    except (AssertionError, OSError, EOFError, ValueError, KeyError) as e:
        verdict(name, f"{type(e).__name__} {e}")
    finally:
        if m:
            m.kill()


def ends(quern):
    for name, how in (("quit", lambda m: m.qmp("quit")), ("sigterm", lambda m: m.p.terminate())):
        m = Machine(quern, ["-M", "pc"])
        m.do("inb 0")
        status = m.end(how)
        verdict(f"ends-by-{name}", "" if status == 0 else f"exit status {status}")
    m = Machine(quern, ["-M", "q35,accel=qtest"], accel=())
    log = f"{m.dir}/log"
    m.do("clock_set 1000")
    with open(log) as f:
        text = f.read()
    wanted = [r"\[I 0\.000000\] OPENED", r"\[R \+\d+\.\d{6}\] clock_set 1000", r"\[S \+\d+\.\d{6}\] OK 1000"]
    missing = [w for w in wanted if not re.search(w, text)]
    verdict("log", f"no {missing} in {text!r}" if missing else "")
    m.kill()


if __name__ == "__main__":
    quern = sys.argv[1]
    if len(sys.argv) > 2:
        compare(quern, sys.argv[2])
        sys.exit(failed)
    with tempfile.NamedTemporaryFile() as image:
        image.write(b"0" * 512 + b"1" * 512 + b"\0" * (1 << 20))
        image.flush()
        for check, args in ((protocol, []), (qmp, []), (rtc, []), (pit, []), (hpet, []), (fw_cfg, []),
                            (pci, ["-device", "edu,addr=5"]), (disk, ["-drive", f"file={image.name},format=raw,if=ide,snapshot=on"]),
                            (reset, [])):
            expect(check.__name__, quern, ["-M", "pc", *args], check)
    ends(quern)
    sys.exit(failed)
