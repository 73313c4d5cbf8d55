#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# e1000e.sh - the Intel network cards with the drivers of a distribution kernel: see e1000e.console. By MSI-X, MSI and the pin.
# timeout: 900
. "$(dirname "$0")/lib.sh"
export QUERN
amd64=$("$ROOT/tools/fetch-kernel" --dir linux-image-amd64) || exit 1
ethtool=$("$ROOT/tools/fetch-kernel" ethtool) && mnl=$("$ROOT/tools/fetch-kernel" libmnl0) || exit 1
mkdir -p "$TMP/root/usr/sbin" "$TMP/www"
cp "$ethtool"/*bin/ethtool "$TMP/root/usr/sbin/" 2> /dev/null || cp "$ethtool"/usr/sbin/ethtool "$TMP/root/usr/sbin/" || exit 1
cp -r "$mnl/usr/lib" "$TMP/root/usr/"
cp /lib/x86_64-linux-gnu/lib{c,m}.so.6 "$TMP/root/usr/lib/x86_64-linux-gnu/"
mkdir -p "$TMP/root/lib64" && cp /lib64/ld-linux-x86-64.so.2 "$TMP/root/lib64/"
cat > "$TMP/udhcpc.script" <<'END'
#!/bin/sh
[ "$1" = bound ] && ifconfig $interface $ip netmask $subnet && route add default gw $router && echo "$ip $router $dns"
END
mapfile -t lines < <("$ROOT/test/module-lines" "$amd64" e1000 af_packet acpiphp)
mapfile -t express < <("$ROOT/test/module-lines" "$amd64" e1000e | grep '^file' | sed 's,/modules/,/later/,')
# e1000e is loaded by hand, with the kind of interrupts; what it needs comes first
SYSROOT=$TMP/root "$ROOT/test/shell-initramfs" amd64 "$TMP/net.img" "${lines[@]}" "dir /later 755 0 0" "${express[@]}" \
	"file /udhcpc.script $TMP/udhcpc.script 755 0 0" "prog /sbin/ethtool $TMP/root/usr/sbin/ethtool 755 0 0" || exit 1
head -c 6000000 /dev/urandom > "$TMP/www/big"
sum=$(md5sum < "$TMP/www/big")

# A web server, and a port that answers what it gets with its checksum.
cat > "$TMP/peer.py" <<'END'
import functools, hashlib, http.server, os, socketserver, sys, threading
class Sink(socketserver.BaseRequestHandler):
    def handle(self):
        sum, left = hashlib.md5(), int(sys.argv[2])
        while left and (data := self.request.recv(65536)):
            sum.update(data)
            left -= len(data)
        self.request.sendall(f'{sum.hexdigest()}  -\n'.encode())
class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
web = Threads(('127.0.0.1', 0), functools.partial(Quiet, directory=sys.argv[1] + '/www'))
sink = Threads(('127.0.0.1', 0), Sink)
for s in web, sink:
    threading.Thread(target=s.serve_forever, daemon=True).start()
with open(sys.argv[1] + '/ports.new', 'w') as f:
    f.write(f'{web.server_address[1]} {sink.server_address[1]}\n')
os.rename(sys.argv[1] + '/ports.new', sys.argv[1] + '/ports')
sys.stdin.read()
END
mkfifo "$TMP/alive"
python3 "$TMP/peer.py" "$TMP" 6000000 < "$TMP/alive" &
exec 5> "$TMP/alive"
for _ in $(seq 100); do [ -e "$TMP/ports" ] && break; read -rt 0.1 <> <(:); done
read -r port sink < "$TMP/ports"

# works NAME MACHINE CARD IRQ LOAD: IRQ is what /proc/interrupts shows, LOAD loads the driver.
works() {
	local name=$1 machine=$2 card=$3 irq=$4 load=$5
	{ echo "\$ $load; dmesg -n 1"; echo "~~"; cat "$ROOT/test/e1000e.console"; } > "$TMP/$name.console"
	if "$ROOT/test/console.py" --log "$TMP/log" --timeout 150 --set "SUM=${sum%% *}" --set "PORT=$port" --set "SINK=$sink" \
		--set "IRQ=$irq" "$TMP/$name.console" -- "$QUERN" -M "$machine" -m 256 -kernel "$amd64"/boot/vmlinuz-* \
		-initrd "$TMP/net.img" -append "console=ttyS0 panic=-1 quiet" -nographic -no-reboot -lint -D "$TMP/$name.lint" \
		-netdev user,id=n -device "$card,netdev=n" > "$TMP/out" 2>&1; then ok "$name"; else
		fail "$name" "see the console"
		cat "$TMP/out"
	fi
}
load='for m in /later/*; do insmod $m; done'
works msix q35 e1000e eth0-rx-0 "$load"
works msi q35 e1000e PCI-MSI "${load/insmod \$m/insmod \$m \$(case \$m in *e1000e*) echo IntMode=1;; esac)}"
works pin q35 e1000e fasteoi "${load/insmod \$m/insmod \$m \$(case \$m in *e1000e*) echo IntMode=0;; esac)}"
works e1000 pc e1000 fasteoi "true"
finish
