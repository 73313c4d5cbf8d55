// SPDX-License-Identifier: GPL-2.0-or-later
/* locks.c - a module that takes its locks wrongly, in the way that its parameter `wrong` names;
 * lockdep tells of it. */
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *wrong = "";
module_param(wrong, charp, 0);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static DEFINE_SPINLOCK(inner);

/* first before second, and the other way round */
static void order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/* Two locks of one class; different ones, for it shall go on. */
static void twice(void)
{
	spinlock_t lock[2];

	for (int i = 0; i < 2; i++)
		spin_lock_init(&lock[i]);
	spin_lock(&lock[0]);
	spin_lock(&lock[1]);
	spin_unlock(&lock[1]);
	spin_unlock(&lock[0]);
}

/* As in an interrupt's handler, to lockdep. */
static void in_interrupt_handler(spinlock_t *lock)
{
	local_irq_disable();
	lockdep_hardirq_enter();
	spin_lock(lock);
	spin_unlock(lock);
	lockdep_hardirq_exit();
	local_irq_enable();
}

/* with interrupts enabled, and in an interrupt */
static void usage(void)
{
	spin_lock(&spin);
	spin_unlock(&spin);
	in_interrupt_handler(&spin);
}

/* a lock of interrupts holds while one is taken that is taken elsewhere with interrupts enabled */
static void dependency(void)
{
	in_interrupt_handler(&spin);
	spin_lock(&inner);
	spin_unlock(&inner);
	spin_lock_irq(&spin);
	spin_lock(&inner);
	spin_unlock(&inner);
	spin_unlock_irq(&spin);
}

/* what is not held */
static void unlock(void) { spin_release(&spin.dep_map, _RET_IP_); }

/* memory with a lock in it that is held */
static void freed(void)
{
	struct mutex *m = kmalloc(sizeof(*m), GFP_KERNEL);

	if (m) {
		mutex_init(m);
		mutex_lock(m);
		kfree(m);
	}
}

static int __init locks_init(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = { { "order", order },	   { "twice", twice },	 { "usage", usage },
		     { "dependency", dependency }, { "unlock", unlock }, { "freed", freed } };

	for (int i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!strcmp(wrong, ways[i].name)) {
			ways[i].run();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit locks_exit(void) {}

module_init(locks_init);
module_exit(locks_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Locks that are taken wrongly");
