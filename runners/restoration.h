/* Pictures that are corrupted and restored: noise, the exact mode, scores of each picture, rows and sheets. */
#ifndef EBM_RUNNERS_RESTORATION_H
#define EBM_RUNNERS_RESTORATION_H

#include "harness/runner.h"

typedef struct ebm_restoration {
    const ebm_examples *half; /* of the data: borrowed */
    size_t count, size;       /* pictures, and pixels of each */
    /* The picture under way (V): as it is, corrupted, of least energy, restored. */
    ebm_real *truth, *corrupted, *mode, *answer;
    size_t shown;
    ebm_real *sheets; /* (4, shown, V): the same four of the first pictures */
    double *scores;   /* (number of scores, count) */
} ebm_restoration;

/* EBM_INVALID where the data have fewer pictures. */
EBM_NODISCARD ebm_status ebm_restoration_create(const ebm_dataset *data, size_t count, size_t shown,
                                                ebm_restoration *out, ebm_error *error);
void ebm_restoration_free(ebm_restoration *r);
/* What a checkpoint keeps. Returns how many. */
size_t ebm_restoration_regions(const ebm_restoration *r, ebm_region *out);

/* truth and corrupted = picture number `picture`: pixel i is flipped where word i of (seed, EBM_PURPOSE_CORRUPTION),
 * chain `picture`, is below p 2^32. */
void ebm_restoration_corrupt(ebm_restoration *r, const ebm_dataset *data, size_t picture, uint32_t seed, double flip);
/* mode = the state of least energy of the model, which is the posterior, and what proves it; with at most `limit`
 * states all of them are looked at, too. */
EBM_NODISCARD ebm_status ebm_restoration_cut(ebm_restoration *r, const ebm_model *model, size_t picture, size_t limit,
                                             ebm_work *work, ebm_error *error);
/* The picture's scores, and its place in the sheets. posterior_energy: NAN where it is not known. */
void ebm_restoration_score(ebm_restoration *r, const ebm_model *model, size_t picture, double posterior_energy);

extern const ebm_metric ebm_restoration_metrics[];
EBM_NODISCARD ebm_status ebm_restoration_report(const ebm_restoration *r, ebm_sink *sink, ebm_error *error);
EBM_NODISCARD ebm_status ebm_restoration_sheets(const ebm_restoration *r, const ebm_space *space, ebm_output *output,
                                                ebm_work *work, ebm_error *error);

#endif
