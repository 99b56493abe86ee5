/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_HOOK_BLOCK_H
#define _VMEN_HOOK_BLOCK_H

int vmen_hook_block_init(void);
void vmen_hook_block_exit(void);

#endif /* _VMEN_HOOK_BLOCK_H */
