#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# topology.sh - Linux finds packages, dies, cores and threads where -smp puts them, all of its CPUs start under APIC IDs with gaps,
# and the identifiers are those that the topology gives.
# timeout: 200
. "$(dirname "$0")/lib.sh"
export QUERN
kernel=$("$ROOT/tools/fetch-kernel" linux-image-cloud-amd64) || exit 1
cd "$TMP"
"$ROOT/test/shell-initramfs" amd64 shell.img || exit 1

# finds NAME SMP CPUS 'APICIDS' SIBLINGS CORES DIES ARGUMENT...: lists of CPU 1's thread siblings, of its die, of its package.
finds() {
	local name=$1 smp=$2 cpus=$3 apicids=$4 threads=$5 die=$6 package=$7
	shift 7
	cat > script <<-END
		\$ nproc; sed -n 's/^apicid.*: //p' /proc/cpuinfo | tr '\\n' ' '; echo
		$cpus
		$apicids 
		\$ cd /sys/devices/system/cpu/cpu1/topology; cat thread_siblings_list die_cpus_list package_cpus_list
		$threads
		$die
		$package
		\$ poweroff -f
	END
	if "$ROOT/test/console.py" --timeout 100 --log console script -- "$QUERN" -smp "$smp" -m 512 -kernel "$kernel" -initrd shell.img \
		-append console=ttyS0 -nographic "$@" > out 2>&1; then
		ok "$name"
	else
		fail "$name" "Linux found another topology"
		cat out
		tail -n 15 console
	fi
}
finds threads 12,sockets=2,cores=3,threads=2 12 "0 1 2 3 4 5 8 9 10 11 12 13" 0-1 0-5 0-5 -M q35 -cpu Nehalem
finds dies 6,dies=2,cores=3 6 "0 1 2 4 5 6" 1 0-2 0-5 -M pc -cpu Nehalem
finds microvm 4,sockets=2,cores=2 4 "0 1 2 3" 1 0-1 0-1 -M microvm
finds partial 3,maxcpus=8,sockets=2,cores=2,threads=2 3 "0 1 2" 0-1 0-2 0-2 -M q35
finds flat 3 3 "0 1 2" 1 0-2 0-2 -M pc
finish
