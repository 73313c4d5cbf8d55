#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# initramfs.sh - `quern initramfs`: unpacking with cpio, every compression, trees, and the library closure of programs built for
# the purpose. gen-init-cpio.sh compares with the kernel's own tool.
# quick
# timeout: 60
. "$(dirname "$0")/lib.sh"
cd "$TMP"
build() { "$QUERN" initramfs "$@"; }

printf 'some data' > data
head -c 9000 /dev/urandom > big
cat > plain.list <<END
# comment
dir /dev 0755 0 0

nod /dev/console 0600 0 0 c 5 1
nod	/dev/sda 0660 0 6 b 8 0
file /init \${DIR}/da\${T}ta 0755 0 0
file linked $PWD/big 4755 1 2 /l1 //l2 l3
slink /bin usr/bin 777 1 2
pipe /p 0600 1000 100
 sock /ignored 0600 0 0
sock /s 0600 0 0
unknown line of another tool
dir / 755 0 0
END
# ---- unpacking
rm -f q.cpio
DIR=$PWD build -t 5 -o q.cpio plain.list 2> err
check mode-0600 test "$(stat -c %a q.cpio)" = 600
check unknown-type grep -q "^unknown file type line 12: 'unknown'" err
cpio -tv --quiet < q.cpio > listing 2> /dev/null
check cpio-lists-all test "$(wc -l < listing)" = 12
check device grep -q '^brw-rw---- .* 8, *0 .* dev/sda$' listing
mkdir x && (cd x && cpio -id --quiet --no-preserve-owner init linked l1 l3 bin p) < q.cpio 2>/dev/null
same file-data x/init data
same hard-link x/l1 big
check hard-links test "$(stat -c %h x/l3)" = 3
check symlink test "$(readlink x/bin)" = usr/bin
check fifo test -p x/p

# ---- errors
build missing.list > out 2> err; status=$?
check error-status test $status = 1
check error-text grep -q "could not open 'missing.list'" err
printf 'dir /a 755 0 0\ndir /b 755\n' > bad.list
build -o bad.cpio bad.list 2> err; status=$?
check bad-line-status test $status = 255
check bad-line-text grep -q "bad.list:2: dir line: uid is missing" err
check bad-line-no-file test ! -e bad.cpio
build -t x plain.list > out 2>&1; status=$?
check bad-option test $status = 1
check stdin sh -c "printf 'dir a 755 0 0\n' | '$QUERN' initramfs - | cpio -t --quiet | grep -qx a"

# ---- compression: by suffix, and by name
DIR=$PWD build -t 5 -o q.cpio plain.list 2>/dev/null
for pair in gz:gzip bz2:bzip2 "lzma:xz --format=lzma" xz:xz lzo:lzop lz4:lz4 zst:zstd; do
	suffix=${pair%%:*} cmd=${pair#*:}
	if ! command -v ${cmd%% *} > /dev/null; then skip "$suffix" "no ${cmd%% *}"; continue; fi
	DIR=$PWD build -t 5 -o "q.cpio.$suffix" plain.list 2>/dev/null
	$cmd -dc < "q.cpio.$suffix" > back 2> err || cat err
	same "compress-$suffix" back q.cpio
	DIR=$PWD build -t 5 -z "$suffix" plain.list 2>/dev/null > by-name
	same "compress-z-$suffix" by-name "q.cpio.$suffix"
done

# ---- trees
mkdir -p tree/bin "tree/with space"
cp data tree/bin/prog
ln tree/bin/prog "tree/with space/link"
ln -s ../bin/prog tree/bin/soft
build tree | (mkdir t1 && cd t1 && cpio -id --quiet)
check tree-same diff -r tree t1
check tree-links test "$(stat -c %h t1/bin/prog)" = 2
check tree-owner sh -c "build() { '$QUERN' initramfs tree; }; build | cpio -tv --quiet -n | awk '\$3 != 0 || \$4 != 0 { exit 1 }'"
printf 'tree "%s/tree/with space" /usr/share/x\n' "$PWD" > tree.list
build tree.list | cpio -t --quiet > listing
check tree-prefix grep -qx usr/share/x/link listing
check tree-parents grep -qx usr/share listing
build -t 1 tree > a && build -t 1 tree > b
same tree-repeatable a b

# ---- closure: RUNPATH with $ORIGIN, a soname symlink, a library of a library, and a foreign root
if ! command -v "${CC:-gcc}" > /dev/null; then skip closure "no compiler"; finish; fi
cc=${CC:-gcc}
mkdir -p app/bin app/lib
echo 'int deep(void) { return 7; }' > deep.c
echo 'int deep(void); int mid(void) { return deep(); }' > mid.c
echo 'int mid(void); int main(void) { return mid(); }' > main.c
$cc -shared -fPIC -Wl,-soname,libdeep.so.1 -o app/lib/libdeep.so.1.2 deep.c
ln -s libdeep.so.1.2 app/lib/libdeep.so.1
$cc -shared -fPIC -Wl,-rpath,'$ORIGIN' -Wl,--enable-new-dtags -o app/lib/libmid.so mid.c app/lib/libdeep.so.1
$cc -Wl,-rpath,'${ORIGIN}/../lib' -Wl,--enable-new-dtags -Lapp/lib -o app/bin/main main.c -lmid -Wl,-rpath-link,app/lib
echo "prog /opt/app/bin/main $PWD/app/bin/main 755 0 0" > prog.list
build -o prog.cpio prog.list
mkdir c && (cd c && cpio -id --quiet) < prog.cpio
check closure-origin test -e c/opt/app/lib/libmid.so
check closure-deep test -e c/opt/app/lib/libdeep.so.1
if [ "$(id -u)" = 0 ]; then
	# Without /proc, ld.so does not know where the program is.
	LD_ORIGIN_PATH=/opt/app/bin chroot c /opt/app/bin/main; status=$?
	check closure-runs test $status = 7
else
	skip closure-runs "needs root"
fi
# The same with the file line and --closure, and what the description brings itself is kept.
printf 'dir /lib64 755 0 0\ndir /bin 755 0 0\nfile /bin/sh /bin/sh 755 0 0\n' > sh.list
build --closure -o sh.cpio sh.list
mkdir s && (cd s && cpio -id --quiet) < sh.cpio
check closure-keeps-dir test -d s/lib64 -a ! -L s/lib64
if [ "$(id -u)" = 0 ]; then check closure-sh chroot s /bin/sh -c 'exit 0'; else skip closure-sh "needs root"; fi
# A foreign root: absolute symlinks stay inside of it.
mkdir -p root/lib64 root/usr/lib root/data root/usr/bin
interp=$(LC_ALL=C readelf -l app/bin/main | sed -n 's/.*interpreter: \(.*\)]/\1/p')
libc=$(ldd app/bin/main | sed -n 's/.*libc.so.6 => \([^ ]*\).*/\1/p')
mkdir -p "root$(dirname "$interp")"
cp -L "$interp" "root$interp"
cp -L "$libc" root/data/libc-real.so
ln -s /data/libc-real.so root/usr/lib/libc.so.6
cp -L app/lib/libdeep.so.1 root/usr/lib/
cp app/lib/libmid.so root/usr/lib/
$cc -o root/usr/bin/main main.c -Lapp/lib -lmid -Wl,-rpath-link,app/lib
echo "prog /main $PWD/root/usr/bin/main 755 0 0" > root.list
build --sysroot root -o root.cpio root.list
cpio -tv --quiet < root.cpio > listing
check sysroot-libc grep -q ' usr/lib/libc.so.6 -> /data/libc-real.so$' listing
check sysroot-target grep -q ' data/libc-real.so$' listing
check sysroot-nothing-else sh -c "! grep -q x86_64-linux-gnu/libc listing"
mkdir r && (cd r && cpio -id --quiet) < root.cpio
if [ "$(id -u)" = 0 ]; then
	chroot r /main; status=$?
	check sysroot-runs test $status = 7
else
	skip sysroot-runs "needs root"
fi
rm root/usr/lib/libdeep.so.1
build --sysroot root -o root.cpio root.list 2> err; status=$?
check missing-library-status test $status = 255
check missing-library-text grep -q "library 'libdeep.so.1', needed by '.*libmid.so', was not found below root" err
finish
