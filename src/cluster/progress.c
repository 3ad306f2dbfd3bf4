/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/progress.c - one line a phase; progress.h is the contract. */
#include "cluster/progress.h"

#include <stdarg.h>
#include <unistd.h>

#include "cluster/os.h"

#define CLEAR_LINE "\r\033[K"

void progress_start(struct progress *p, FILE *to)
{
    *p = (struct progress){.to = to, .phases = json_array(), .started = os_seconds()};
    p->terminal = isatty(fileno(to)) == 1;
}

void progress_begin(struct progress *p, const char *phase)
{
    snprintf(p->phase, sizeof p->phase, "%s", phase);
    p->phase_started = os_seconds();
    if (p->terminal)
        fprintf(p->to, CLEAR_LINE "  %s ...", p->phase);
    fflush(p->to);
}

void progress_note(struct progress *p, const char *fmt, ...)
{
    va_list ap;

    if (!p->terminal)
        return;
    fprintf(p->to, CLEAR_LINE "  %s: ", p->phase);
    va_start(ap, fmt);
    vfprintf(p->to, fmt, ap);
    va_end(ap);
    fflush(p->to);
}

void progress_end(struct progress *p)
{
    double seconds = os_seconds() - p->phase_started;

    fprintf(p->to, "%s  %-44s %7.2f s\n", p->terminal ? CLEAR_LINE : "", p->phase, seconds);
    fflush(p->to);
    json_array_append_new(p->phases, json_pack("{s:s, s:f}", "phase", p->phase, "seconds", seconds));
}

void progress_abandon(struct progress *p)
{
    if (p->terminal)
        fputs(CLEAR_LINE, p->to);
    fflush(p->to);
}

void progress_clear(struct progress *p)
{
    json_decref(p->phases);
    p->phases = NULL;
}

double progress_total_s(const struct progress *p)
{
    return os_seconds() - p->started;
}
