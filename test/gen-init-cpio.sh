#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gen-init-cpio.sh - `quern initramfs` writes what the kernel's own gen_init_cpio writes, byte for byte, for every kind of line,
# every option and a long list made up at random. GEN_INIT_CPIO names another build of the tool, such as one with -a and -o.
# timeout: 300
. "$(dirname "$0")/lib.sh"
tool=${GEN_INIT_CPIO:-$("$ROOT/tools/gen-init-cpio")}
[ -n "$tool" ] || exit 1
cd "$TMP"
printf 'some data' > data
head -c 9000 /dev/urandom > big
: > empty
# Older tools take -t for everything but files.
touch -d @5 data big empty
export DIR=$PWD T=

cat > every.list <<END
# comment
dir /dev 0755 0 0

nod /dev/console 0600 0 0 c 5 1
nod	/dev/sda 0660 0 6 b 8 0
nod /dev/odd 0660 0 6 x 8 4294967295
file /init \${DIR}/da\${T}ta 0755 0 0
file linked $PWD/big 4755 1 2 /l1 //l2 l3
file no-data $PWD/empty 644 0 0 again
slink /bin usr/bin 777 1 2
slink s $(printf 'x%.0s' {1..254}) 777 1 2
pipe /p 0600 1000 100
 sock /ignored 0600 0 0
sock /s 0600 0 0
sock /t 01777 4294967295 2147483648
unknown line of another tool
dir / 755 0 0
dir // 755 0 0
dir relative/./and/../back 755 0 0
END
printf 'dir /without-newline 755 0 0' >> every.list

python3 - > random.list <<'END'
import os, random
random.seed(1)
letters = "abcXYZ019._-+=,@%/\"'\\$#{}"
name = lambda: "/" + "".join(random.choices(letters, k=random.choice([1, 2, 3, 4, 5, 6, 7, 8, 60, 200])))
for i in range(3000):
    owner = "%o %d %d" % (random.randrange(0o10000), random.choice([0, 1000, 2**31 - 1]), random.randrange(70000))
    kind = random.choice(["file", "dir", "nod", "slink", "pipe", "sock"])
    line = [kind, name()]
    if kind == "file":
        line += [os.environ["DIR"] + random.choice(["/data", "/big", "/empty", "/${NOTHING}data"])]
    if kind == "slink":
        line += [name()]
    line += [owner]
    if kind == "nod":
        line += [random.choice("bc"), str(random.randrange(4096)), str(random.randrange(1 << 20))]
    if kind == "file":
        line += [name() for n in range(random.choice([0, 0, 0, 1, 2, 9]))]
    print(random.choice([" ", "  ", "\t"]).join(line))
END

# both NAME LIST OPTION...: the two outputs and exit statuses.
both() {
	local name=$1 list=$2 want status
	shift 2
	"$tool" "$@" "$list" > k.cpio 2> k.err; want=$?
	"$QUERN" initramfs "$@" "$list" > q.cpio 2> q.err; status=$?
	if [ $status != $want ]; then fail "$name" "status $status, not $want"; cat k.err q.err; else same "$name" k.cpio q.cpio; fi
}
"$tool" -h > usage 2>&1
options=("-t 5" "-t 5 -c")
if grep -q -- '-a <' usage; then
	options+=("-t 5 -a 4096" "-c -a 512 -t 5" "-a 12 -t 5" "-a 4 -t 5")
	"$tool" -t 5 -a 4096 -o k.cpio every.list 2> /dev/null
	"$QUERN" initramfs -t 5 -a 4096 -o q.cpio every.list 2> /dev/null
	same output-file k.cpio q.cpio
	check output-mode test "$(stat -c %a q.cpio)" = "$(stat -c %a k.cpio)"
fi
for list in every random; do
	for o in "${options[@]}"; do
		both "$list $o" $list.list $o
		[ "$(wc -c < k.cpio)" -gt 2000 ] || fail "$list $o" "the kernel's tool wrote nothing: $(cat k.err)"
	done
done
# The list on standard input, and nothing in it.
"$tool" -t 5 - < every.list > k.cpio 2> /dev/null
"$QUERN" initramfs -t 5 - < every.list > q.cpio 2> /dev/null
same standard-input k.cpio q.cpio
: > empty.list
both empty-list empty.list
# A mistake ends with the same status; an archive that ends in the middle helps nobody, so there is none.
bad() {
	local name=$1 want status
	printf '%s\n' "$2" > bad.list
	"$tool" bad.list > /dev/null 2>&1; want=$?
	"$QUERN" initramfs bad.list > q.cpio 2> q.err; status=$?
	if [ $status = $want ] && [ $status != 0 ] && [ ! -s q.cpio ]; then ok "$name"; else fail "$name" "status $status, not $want"; fi
}
bad missing-gid "dir /b 755 0"
bad mode-no-number "dir /b rwx 0 0"
bad file-missing "file /b $PWD/nofile 755 0 0"
bad nod-no-minor "nod /b 755 0 0 c 1"
bad nod-no-type "nod /b 755 0 0"
bad slink-no-target "slink /b"
bad slink-no-gid "slink /b 755 0 0"
for arguments in "" "-x every.list" "-t x every.list" "-t 4294967296 every.list" "every.list empty.list" nofile -h; do
	"$tool" $arguments > /dev/null 2>&1; want=$?
	"$QUERN" initramfs $arguments > /dev/null 2>&1; status=$?
	if [ $status = $want ]; then ok "usage '$arguments'"; else fail "usage '$arguments'" "status $status, not $want"; fi
done
finish
