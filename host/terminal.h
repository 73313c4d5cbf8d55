/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal.h - terminals in raw mode that always get their old mode back: at exit, on signals, when
 * stopped and on crashes. */
#pragma once
#include <quern/types.h>
#include <termios.h>

/*
 * Puts the terminal into raw mode; with `signals` its keys Ctrl-C, Ctrl-Z and Ctrl-\ keep their
 * meaning. Returns a slot, or -1 when fd is no terminal or there is none left; the mode is left
 * alone while this process is not in the terminal's foreground.
 */
int terminal_raw(int fd, bool signals);
/* Sets any other mode (a serial line's speed), remembered and restored likewise. */
int terminal_set(int fd, const struct termios *mode);
/* The old mode back, for good. */
void terminal_release(int slot);
/* All old modes back / all new ones again: around a stop. Restoring is async-signal-safe. */
void terminal_restore_all(void);
void terminal_resume_all(void);
