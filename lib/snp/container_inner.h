/* SPDX-License-Identifier: Apache-2.0 */
/* snp/container_inner.h - the readers behind tst_container_read(): each fills a zeroed struct tst_container. */
#ifndef SNP_CONTAINER_INNER_H
#define SNP_CONTAINER_INNER_H

#include <testudo/container.h>

int container_read_bytes(struct tst_bytes in, struct tst_container *out, struct tst_error **err);
int container_read_json(struct tst_bytes in, bool lenient, struct tst_container *out, struct tst_error **err);
int container_read_hcl(struct tst_bytes in, struct tst_container *out, struct tst_error **err);
/* The certificate table and what follows it: zeros are padding, anything else is refused. */
int container_take_table(struct tst_bytes in, struct tst_container *out, struct tst_error **err);
/* TST_USAGE unless the rest is zero; counts it as padding. `what` it follows. */
int container_take_padding(struct tst_bytes rest, const char *what, struct tst_container *out, struct tst_error **err);
/* The report's own 1184 bytes; shorter or longer is refused with how much. */
int container_take_report(struct tst_bytes in, struct tst_container *out, struct tst_error **err);

/* Printable ASCII and white space only. */
bool text_is(struct tst_bytes in);
/* Hex or base64 of either alphabet, with white space and padding as people paste it. */
int text_decode(struct tst_bytes in, struct tst_buf *out, enum tst_container_text *kind, struct tst_error **err);

#endif
