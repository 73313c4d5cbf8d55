#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# net.sh - two guests on one network: their cards joined by a TCP connection and by a multicast group.
# timeout: 300
. "$(dirname "$0")/lib.sh"
export QUERN
cloud=$("$ROOT/tools/fetch-kernel" --dir linux-image-cloud-amd64) || exit 1
mapfile -t lines < <("$ROOT/test/module-lines" "$cloud" virtio_pci virtio_net)
"$ROOT/test/shell-initramfs" amd64 "$TMP/net.img" "${lines[@]}" || exit 1
sum=$(seq 1 500000 | md5sum)

# guest SCRIPT ARGUMENT...
guest() {
	local script=$1
	shift
	"$ROOT/test/console.py" --log "$TMP/$script.log" --timeout 60 --set "SUM=${sum%% *}" "$ROOT/test/$script.console" -- \
		"$QUERN" -M pc -m 256 -kernel "$cloud"/boot/vmlinuz-* -initrd "$TMP/net.img" -append "console=ttyS0 panic=-1" \
		-nographic -no-reboot "$@" > "$TMP/$script.out" 2>&1
}
# pair NAME ONE TWO: the arguments of each
pair() {
	local name=$1 first second
	rm -f "$TMP/net-one.log"
	guest net-one $2 &
	first=$!
	# when the first one's kernel speaks, its socket listens
	for _ in $(seq 300); do [ -s "$TMP/net-one.log" ] && break; read -rt 0.1 <> <(:); done
	guest net-two $3
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
finish
