#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# net.sh - two guests on one network: their cards joined by connections, datagrams and a multicast group, also to QEMU's guest; and a
# guest with the host, by an interface of it.
# timeout: 600
. "$(dirname "$0")/lib.sh"
export QUERN
cloud=$("$ROOT/tools/fetch-kernel" --dir linux-image-cloud-amd64) || exit 1
mapfile -t lines < <("$ROOT/test/module-lines" "$cloud" virtio_pci virtio_net)
"$ROOT/test/shell-initramfs" amd64 "$TMP/net.img" "${lines[@]}" || exit 1
sum=$(seq 1 500000 | md5sum)

# guest EMULATOR SCRIPT ARGUMENT...
guest() {
	local emulator=$1 script=$2
	shift 2
	"$ROOT/test/console.py" --log "$TMP/$script.log" --timeout 60 --set "SUM=${sum%% *}" "$ROOT/test/$script.console" -- \
		"$emulator" -M pc -m 256 -kernel "$cloud"/boot/vmlinuz-* -initrd "$TMP/net.img" -append "console=ttyS0 panic=-1" \
		-nographic -no-reboot "$@" > "$TMP/$script.out" 2>&1
}
# pair NAME ONE TWO [EMULATOR]: the arguments of each; the first one's emulator
pair() {
	local name=$1 first second
	rm -f "$TMP/net-one.log"
	guest "${4:-$QUERN}" net-one $2 &
	first=$!
	# when the first one's kernel speaks, its socket listens
	for _ in $(seq 300); do [ -s "$TMP/net-one.log" ] && break; read -rt 0.1 <> <(:); done
	guest "$QUERN" net-two $3
	second=$?
	wait $first
	first=$?
	if [ $first = 0 ] && [ $second = 0 ]; then ok "$name"; else
		fail "$name" "status $first and $second"
		cat "$TMP/net-one.out" "$TMP/net-two.out"
	fi
}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
pair stream "-netdev socket,id=n,listen=127.0.0.1:$port -device virtio-net,netdev=n,mac=52:54:00:00:00:01" \
	"-netdev socket,id=n,connect=127.0.0.1:$port -device virtio-net,netdev=n,mac=52:54:00:00:00:02"
pair multicast "-netdev socket,id=n,mcast=230.0.0.1:$port,localaddr=127.0.0.1 -device virtio-net,netdev=n,mac=52:54:00:00:00:01" \
	"-netdev socket,id=n,mcast=230.0.0.1:$port,localaddr=127.0.0.1 -device virtio-net,netdev=n,mac=52:54:00:00:00:02"
cards=("-device virtio-net-pci,netdev=n,mac=52:54:00:00:00:01" "-device virtio-net-pci,netdev=n,mac=52:54:00:00:00:02")
pair stream-unix "-netdev stream,id=n,server=on,addr.type=unix,addr.path=$TMP/s ${cards[0]}" \
	"-netdev stream,id=n,addr.type=unix,addr.path=$TMP/s ${cards[1]}"
pair dgram-unix "-netdev dgram,id=n,local.type=unix,local.path=$TMP/a,remote.type=unix,remote.path=$TMP/b ${cards[0]}" \
	"-netdev dgram,id=n,local.type=unix,local.path=$TMP/b,remote.type=unix,remote.path=$TMP/a ${cards[1]}"
qemu=$(command -v qemu-system-x86_64)
if [ -n "$qemu" ]; then
	pair dgram-qemu "-netdev dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=$port,remote.type=inet,remote.host=127.0.0.1,remote.port=$((port + 1)) ${cards[0]}" \
		"-netdev dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=$((port + 1)),remote.type=inet,remote.host=127.0.0.1,remote.port=$port ${cards[1]}" "$qemu"
else
	skip qemu "qemu-system-x86_64 is not installed (make check installs it)"
fi

# The host's end of the interface has an address and answers pings.
if [ "$(id -u)" = 0 ] && [ -w /dev/net/tun ] && command -v ip > /dev/null; then
	cat > "$TMP/up" <<-END
	#!/bin/sh
	ip addr add 10.9.77.1/24 dev \$1 && ip link set \$1 up && echo \$1 > $TMP/ifname
	END
	printf '#!/bin/sh\necho down %s > %s\n' '$1' "$TMP/down.done" > "$TMP/down"
	chmod 755 "$TMP/up" "$TMP/down"
	cat > "$TMP/tap.console" <<-END
	\$ ip link set eth0 up; ip addr add 10.9.77.2/24 dev eth0; ping -c 3 -i 0.2 10.9.77.1 | grep -o '3 packets received'
	3 packets received
	\$ poweroff -f
	END
	check tap "$ROOT/test/console.py" --log "$TMP/tap.log" --timeout 60 "$TMP/tap.console" -- "$QUERN" -M pc -m 256 \
		-kernel "$cloud"/boot/vmlinuz-* -initrd "$TMP/net.img" -append "console=ttyS0 panic=-1" -nographic -no-reboot \
		-netdev "tap,id=n,script=$TMP/up,downscript=$TMP/down" -device virtio-net-pci,netdev=n
	check tap-scripts grep -qx "down $(cat "$TMP/ifname")" "$TMP/down.done"
else
	skip tap "needs root and /dev/net/tun"
fi
finish
