/* SPDX-License-Identifier: Apache-2.0 */
/* platform/os_files.h - reading an open file or folder whole; inside the room only. Both close fd. */
#ifndef TESTUDO_PLATFORM_OS_FILES_H
#define TESTUDO_PLATFORM_OS_FILES_H

#include "platform/platform.h"

int read_whole(int fd, size_t max, char **text, size_t *n);
int list_names(int fd, char **names);

#endif
