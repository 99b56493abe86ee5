/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_HOOK_IRQ_H
#define _VMEN_HOOK_IRQ_H

int vmen_hook_irq_init(void);
void vmen_hook_irq_exit(void);

#endif /* _VMEN_HOOK_IRQ_H */
