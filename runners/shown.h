/* Which observables get rows: a sink that passes on those of some and drops those of the others. */
#ifndef EBM_RUNNERS_SHOWN_H
#define EBM_RUNNERS_SHOWN_H

#include "ebm/observable.h"
#include "ebm/sink.h"

typedef struct ebm_shown {
    ebm_sink sink; /* first, so that it is found from its address */
    ebm_sink *through;
    bool shown[EBM_OBSERVABLE_COUNT];
} ebm_shown;

/* names: of observables, with commas between; NULL: all; "none": none. EBM_INVALID for a name that is none, with the list.
 * What is emitted through `sink` belongs to the observable that its metric's name begins with. */
EBM_NODISCARD ebm_status ebm_shown_create(const char *names, ebm_sink *through, ebm_shown *out, ebm_error *error);

#endif
