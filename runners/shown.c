/* Which observables get rows (see shown.h). */
#include "shown.h"

#include <stdio.h>
#include <string.h>

/* The observable whose name a metric's begins with, the longest of them: `first_square_tau` is not of `first`. The
 * specific heat is of the energy. */
static size_t observable_of(const char *metric) {
    size_t found = EBM_OBSERVABLE_COUNT, longest = 0;
    if (strncmp(metric, "specific_heat", strlen("specific_heat")) == 0)
        metric = "energy";
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++) {
        const char *name = ebm_observable_at(i)->name;
        const size_t length = strlen(name);
        if (length > longest && strncmp(metric, name, length) == 0 &&
            (metric[length] == '\0' || metric[length] == '_')) {
            found = i;
            longest = length;
        }
    }
    return found;
}

static ebm_status emit_shown(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    const ebm_shown *s = (const ebm_shown *)sink;
    const size_t i = observable_of(metric);
    if (i < EBM_OBSERVABLE_COUNT && !s->shown[i])
        return EBM_OK;
    return s->through->emit(s->through, metric, value, se, error);
}

static void at_shown(ebm_sink *sink, uint64_t step) {
    const ebm_shown *s = (const ebm_shown *)sink;
    s->through->at(s->through, step);
}

static ebm_status unknown(const char *name, size_t length, ebm_error *error) {
    char list[400] = "";
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s, ", ebm_observable_at(i)->name);
    }
    return ebm_fail(error, EBM_INVALID, "unknown observable '%.*s'; there is %sor none", (int)length, name, list);
}

ebm_status ebm_shown_create(const char *names, ebm_sink *through, ebm_shown *out, ebm_error *error) {
    *out = (ebm_shown){.sink = {emit_shown, at_shown}, .through = through};
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        out->shown[i] = !names;
    if (!names || strcmp(names, "none") == 0)
        return EBM_OK;
    for (const char *at = names; *at;) {
        at += strspn(at, ", ");
        const size_t length = strcspn(at, ", ");
        size_t i = 0;
        while (i < EBM_OBSERVABLE_COUNT &&
               (strncmp(ebm_observable_at(i)->name, at, length) != 0 || ebm_observable_at(i)->name[length] != '\0'))
            i++;
        if (i == EBM_OBSERVABLE_COUNT && length > 0)
            return unknown(at, length, error);
        if (length > 0)
            out->shown[i] = true;
        at += length;
    }
    return EBM_OK;
}
