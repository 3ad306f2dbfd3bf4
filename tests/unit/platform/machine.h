/* SPDX-License-Identifier: Apache-2.0 */
/* unit/platform/machine.h - cmocka, and the constructed machines of machines/. */
#ifndef UNIT_PLATFORM_MACHINE_H
#define UNIT_PLATFORM_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/ready.h"

extern const char *const machine_names[]; /* ended by NULL */
/* A file of machines/, whole. */
char *machine_file(const char *name, const char *ending, size_t *n);
json_t *machine_json(const char *name);
struct platform *machine_of_json(const json_t *description);
struct ready_report *report_of(const struct platform *p, enum ready_place asked, enum ready_generation wanted);
const struct ready_result *result_named(const struct ready_report *r, const char *id);
/* "outcome id found" a line: the whole report, in its order. */
char *report_text(const struct ready_report *r);

#endif
