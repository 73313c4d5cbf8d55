#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# virtio.sh - the virtio drivers of distribution kernels on every machine, over PCI (modern, transitional, ports only, packed rings)
# and memory-mapped registers, do checked work: see virtio.console.
# timeout: 900
. "$(dirname "$0")/lib.sh"
export QUERN
cloud=$("$ROOT/tools/fetch-kernel" --dir linux-image-cloud-amd64) || exit 1
amd64=$("$ROOT/tools/fetch-kernel" --dir linux-image-amd64) || exit 1
modules="virtio_pci virtio_mmio virtio_rng virtio_console virtio_blk virtio_net virtio_balloon vmw_vsock_virtio_transport af_packet crc32c_generic ext4"

cat > "$TMP/udhcpc.script" <<'END'
#!/bin/sh
[ "$1" = bound ] && ifconfig $interface $ip netmask $subnet && route add default gw $router && echo "$ip $router $dns"
END
${CC:-cc} -O1 -o "$TMP/vsock-peer" "$ROOT/test/vsock-peer.c" || exit 1
for kernel in cloud amd64; do
	mapfile -t lines < <("$ROOT/test/module-lines" "${!kernel}" $modules)
	"$ROOT/test/shell-initramfs" amd64 "$TMP/$kernel.img" "${lines[@]}" "file /udhcpc.script $TMP/udhcpc.script 755 0 0" "dir /mnt 755 0 0" \
		"prog /bin/vsock-peer $TMP/vsock-peer 755 0 0" || exit 1
done
mkdir "$TMP/www"
head -c 3000000 /dev/urandom > "$TMP/www/big"
head -c 33554432 /dev/urandom > "$TMP/disk.orig"
md5=$(md5sum < "$TMP/disk.orig") big=$(md5sum < "$TMP/www/big")
mkfifo "$TMP/alive"
"$ROOT/test/virtio-peer.py" "$TMP" < "$TMP/alive" &
exec 5> "$TMP/alive"
for _ in $(seq 100); do [ -e "$TMP/http-port" ] && break; read -rt 0.1 <> <(:); done

# works NAME KERNEL MACHINE SUFFIX PROPERTIES: SUFFIX is what makes a device of that transport's, PROPERTIES go to each.
works() {
	local name=$1 kernel=$2 machine=$3 suffix=$4 props=$5 forward status vsock vsock_props
	[[ $name == $which ]] || return 0
	# there was no such device before 1.0
	case $suffix,$props in
	-pci-transitional,*) vsock=vhost-vsock-pci vsock_props=$props ;;
	*disable*) vsock=vhost-vsock-pci vsock_props= ;;
	*) vsock=vhost-vsock${suffix:--pci} vsock_props=$props ;;
	esac
	forward=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cp "$TMP/disk.orig" "$TMP/disk"
	"$ROOT/test/console.py" --log "$TMP/$name.log" --timeout 60 --set "MD5=${md5%% *}" --set "BIG=${big%% *}" \
		--set "HTTP=$(cat "$TMP/http-port")" --set "FORWARD=$forward" "$ROOT/test/virtio.console" -- \
		"$QUERN" -M "$machine" -m 512 -lint -D "$TMP/$name.lint" -kernel "${!kernel}"/boot/vmlinuz-* -initrd "$TMP/$kernel.img" \
		-append "console=ttyS0 panic=-1" -nographic -no-reboot \
		-device "virtio-serial$suffix,id=ports$props" -chardev "socket,id=port,path=$TMP/port.sock" \
		-device virtserialport,chardev=port,name=org.quern.test -chardev "socket,id=hvc,path=$TMP/hvc.sock" \
		-device virtconsole,chardev=hvc -chardev "file,id=file,path=$TMP/port.out" -device virtserialport,chardev=file,bus=ports.0 \
		-object rng-random,id=rng -device "virtio-rng$suffix,rng=rng$props" \
		-drive "if=none,id=disk,format=raw,file=$TMP/disk,discard=unmap" -device "virtio-blk$suffix,drive=disk,serial=quern-disk$props" \
		-drive "if=none,id=ro,format=raw,readonly=on,file=$TMP/disk.orig" -device "virtio-blk$suffix,drive=ro$props" \
		-netdev "user,id=net,tftp=$TMP/www,hostfwd=tcp:127.0.0.1:$forward-:7" -device "virtio-net$suffix,netdev=net$props" \
		-device "$vsock,guest-cid=3,path=$TMP/vsock$vsock_props" \
		-object "filter-dump,id=dump,netdev=net,file=$TMP/$name.pcap" > "$TMP/$name.out" 2>&1
	status=$?
	cat "$TMP/$name.out"
	if [ $status = 0 ]; then ok "$name"; else fail "$name" "status $status"; tail -n 30 "$TMP/$name.log" | cut -c 1-300 | sed "s,^,    ,"; fi
	same "$name-port" "$TMP/port.out" <(seq 1 100000)
	# nothing that these drivers do is a mistake
	grep 'guest error' "$TMP/$name.lint" | grep -v 'MSR' | head -n 5 > "$TMP/wrong"
	if [ -s "$TMP/wrong" ]; then fail "$name-lint" "$(cat "$TMP/wrong")"; else ok "$name-lint"; fi
	if [ "$(od -An -tx4 -N4 "$TMP/$name.pcap" | tr -d ' ')" = a1b2c3d4 ] && grep -qa 'hello from the host' "$TMP/$name.pcap"; then ok "$name-pcap"
	else fail "$name-pcap" "no frames"; fi
}

# an argument selects one
which=${1:-*}
works pc amd64 pc "" ""
works q35-cloud cloud q35 -pci ,disable-legacy=on
works microvm amd64 microvm -device ""
works pc-packed cloud pc -pci-non-transitional ,packed=on
works microvm-packed cloud microvm -device ,packed=on
works pc-ports amd64 pc -pci ,disable-modern=on
works pc-intx cloud pc -pci-transitional ,vectors=0
works pc-plain cloud pc -pci ,event_idx=off,indirect_desc=off
finish
