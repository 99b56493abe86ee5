/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_CONFIGFS_H
#define _VMEN_CONFIGFS_H

int vmen_configfs_init(void);
void vmen_configfs_exit(void);

#endif /* _VMEN_CONFIGFS_H */
