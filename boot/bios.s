# SPDX-License-Identifier: GPL-2.0-or-later
# bios.s - the interrupt services that bios.c holds as bytes, at f000:0000; reset is where f000:fff0 jumps to. Data is at f000:0200: words count, INT 15h AH=88h, E801h AX and BX;
# then six zeros, an empty IDT; at f000:0210 the entries of the memory map, 20 bytes each. Assembled by:
#   as --32 -o bios.o bios.s && objcopy -O binary -j .text bios.o bios.bin
	.code16
	.intel_syntax noprefix
	.text
refuse:				# +0: not supported, carry set
	push	bp
	mov	bp, sp
	or	byte ptr [bp + 6], 1
	pop	bp
	iret
	.balign 16
ignore:				# +0x10: nothing to do
	iret
	.balign 16
int10:				# +0x20: teletype output goes to COM1
	cmp	ah, 0x0e
	jne	ignore
	push	dx
	mov	dx, 0x3f8
	out	dx, al
	pop	dx
	iret
	.balign 16
int11:				# +0x30: equipment
	mov	ax, 0x26
	iret
	.balign 16
int12:				# +0x40: KiB of conventional memory
	mov	ax, 639
	iret
	.balign 16
int16:				# +0x50: no key; zero flag set
	push	bp
	mov	bp, sp
	or	byte ptr [bp + 6], 0x40
	pop	bp
	xor	ax, ax
	iret
	.balign 16
int15:				# +0x60
	cmp	ax, 0xe820
	je	e820
	cmp	ax, 0xe801
	je	e801
	cmp	ah, 0x88
	je	extended
	cmp	ax, 0x2401	# A20 is on
	je	done
	mov	ah, 0x86
	jmp	refuse
extended:
	mov	ax, cs:[0x202]
	jmp	accept
e801:
	mov	ax, cs:[0x204]
	mov	bx, cs:[0x206]
	mov	cx, ax
	mov	dx, bx
	jmp	accept
e820:
	cmp	bx, cs:[0x200]
	jae	refuse
	push	si
	push	di
	push	ds
	push	cs
	pop	ds
	imul	si, bx, 20
	add	si, 0x210
	mov	cx, 20
	cld
	rep movsb
	pop	ds
	pop	di
	pop	si
	mov	ecx, 20
	mov	eax, 0x534d4150
	inc	bx
	cmp	bx, cs:[0x200]
	jb	accept
	xor	ebx, ebx
	jmp	accept
done:
	xor	ah, ah
accept:
	push	bp
	mov	bp, sp
	and	byte ptr [bp + 6], 0xfe
	pop	bp
	iret
	.balign 16
reset:				# +0xd0: reset control register, keyboard controller, triple fault
	cli
	mov	dx, 0xcf9
	mov	al, 6
	out	dx, al
	mov	al, 0xfe
	out	0x64, al
	lidt	cs:[0x208]
	int3
