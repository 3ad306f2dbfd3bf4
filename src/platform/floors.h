/* SPDX-License-Identifier: Apache-2.0 */
/* platform/floors.h - the floors of share/ that a machine's firmware is compared with (printed as C by
 * share/firmware_floors.py). */
#ifndef TESTUDO_PLATFORM_FLOORS_H
#define TESTUDO_PLATFORM_FLOORS_H

#include <stddef.h>
#include <stdint.h>

struct floor_cpu {
    const char *name;
    uint8_t family, model_first, model_last, stepping_first, stepping_last;
};
struct firmware_floor {
    struct floor_cpu cpu;
    uint8_t major, minor, build;
    const char *date, *source;
};
struct tcb_floor {
    struct floor_cpu cpu;
    const char *set, *component;
    uint8_t minimum;
    const char *source;
};
extern const struct firmware_floor firmware_floors[];
extern const size_t firmware_floor_count;
extern const struct tcb_floor tcb_floors[];
extern const size_t tcb_floor_count;

#endif
