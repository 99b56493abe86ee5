/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_PROC_H
#define _VMEN_PROC_H

int vmen_proc_init(void);
void vmen_proc_exit(void);

#endif /* _VMEN_PROC_H */
