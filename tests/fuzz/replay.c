/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz/replay.c - feeds every file of a folder to a fuzz target, without libFuzzer, so that each build runs the seeds. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz.h"

enum { INPUT_MAX_BYTES = 1024 * 1024 };

/* The input is malloc'ed to its exact size: a read past it is seen by AddressSanitizer. */
static bool file_replay(const char *path)
{
    static uint8_t room[INPUT_MAX_BYTES];
    FILE *file = fopen(path, "rbe");
    if (!file)
        return false;
    size_t n = fread(room, 1, sizeof room, file);
    bool whole = !ferror(file) && feof(file);
    fclose(file);
    uint8_t *input = malloc(n ? n : 1);
    if (!whole || !input) {
        free(input);
        return false;
    }
    memcpy(input, room, n);
    LLVMFuzzerTestOneInput(input, n);
    free(input);
    return true;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int done = 0, unreadable = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        TST_AUTO_STR path = tst_strdup_printf("%s/%s", argv[1], entry->d_name);
        if (path && file_replay(path))
            done++;
        else
            unreadable++;
    }
    closedir(folder);
    printf("%d inputs, %d unreadable\n", done, unreadable);
    return done > 0 && unreadable == 0 ? 0 : 1;
}
