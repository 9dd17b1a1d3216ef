/* The models of this folder, for lib/registry.c. */
#ifndef EBM_MODELS_H
#define EBM_MODELS_H

#include "ebm/model.h"

extern const ebm_model_type ebm_rbm;

#endif
