/* SPDX-License-Identifier: Apache-2.0 */
/* platform/process.h - what every process that may hold a secret does first. */
#ifndef TESTUDO_PLATFORM_PROCESS_H
#define TESTUDO_PLATFORM_PROCESS_H

/* No core dumps, not dumpable (so no ptrace by equals), and jansson's memory is wiped when released: JSON carries keys.
 * Call before the first use of jansson; ends the process if the kernel refuses. */
void process_harden(void);

#endif
