/* SPDX-License-Identifier: Apache-2.0 */
/* agent/boot.h - what the node was started with. */
#ifndef TESTUDO_AGENT_BOOT_H
#define TESTUDO_AGENT_BOOT_H

#include "agent/join.h"

/* Broker and CA from the measured launch data, the instance name and a plain node's token from the host; picks the evidence
 * backend. The token's file is wiped and unlinked when read. */
int boot_read(struct joiner *j, struct tst_error **err);

#endif
