# SPDX-License-Identifier: GPL-2.0-or-later
# linux_rom.s - the option ROM that linux_rom.c holds as bytes: a PC BIOS finds it in fw_cfg and boots from it. It fetches setup
# code, command line, kernel and initrd by fw_cfg's DMA, from the requests at 0x100 (their count at 0xfe), and enters the setup code
# as Documentation/arch/x86/boot.rst says. Layout: PnP BIOS Specification 1.0A, 3.1 and 3.2. Assembled by:
#   as --32 -o rom.o linux_rom.s && objcopy -O binary -j .text rom.o rom.bin
	.code16
	.intel_syntax noprefix
	.text
start:
	.byte	0x55, 0xaa, 1		# 512 bytes
	mov	ax, 0x20		# an initial program load device is there
	retf
	.org	0x1a
	.word	pnp - start
	.org	0x20
pnp:
	.ascii	"$PnP"
	.byte	1, 2			# revision, length in 16 bytes
	.word	0
	.byte	0, 0			# checksum: by linux_rom.c
	.long	0
	.word	0, name - start
	.byte	2, 0x80, 0		# other mass storage
	.byte	0x04			# initial program load device
	.word	0, 0, boot - start, 0, 0
name:
	.asciz	"Linux (-kernel)"
boot:
	cli
	cld
	xor	ax, ax
	mov	es, ax
	push	cs
	pop	ds
	mov	si, 0x100
	mov	bx, [0xfe]
next:
	mov	di, 0x7e00		# where boot sectors used to go
	mov	cx, 8
	rep movsw
	xor	eax, eax
	mov	dx, 0x514
	out	dx, eax
	mov	eax, 0x007e0000		# big-endian
	mov	dx, 0x518
	out	dx, eax
wait:
	test	dword ptr es:[0x7e00], 0xfeffffff	# done: nothing but the error bit
	jnz	wait
	dec	bx
	jnz	next
	mov	ax, 0x1000
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	sp, 0xfff0
	push	0x1020
	push	0
	retf
	.org	0xfe
	.word	0
	.org	0x200
