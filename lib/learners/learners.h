/* The learners of this folder, for lib/registry.c. */
#ifndef EBM_LEARNERS_H
#define EBM_LEARNERS_H

#include "ebm/learner.h"

extern const ebm_learner_type ebm_cd, ebm_pcd, ebm_exact;

#endif
