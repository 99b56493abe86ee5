/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VMEN_METER_H
#define _VMEN_METER_H

int vmen_meter_start(void);
void vmen_meter_stop(void);

#endif /* _VMEN_METER_H */
