/* Features of examples, in which sets of them are set side by side. Internal to the estimators. */
#ifndef EBM_FEATURES_H
#define EBM_FEATURES_H

#include "ebm/dataset.h"
#include "ebm/nn.h"
#include "ebm/work.h"

typedef enum ebm_feature_kind {
    EBM_FEATURES_PIXELS,     /* the units as they are */
    EBM_FEATURES_PCA_64,     /* the 64 directions in which the training examples vary most */
    EBM_FEATURES_DIGITS_NET, /* the last hidden layer of a net that tells the classes apart */
    EBM_FEATURE_KINDS
} ebm_feature_kind;

enum { EBM_PCA_FEATURES = 64 };

typedef struct ebm_features {
    ebm_feature_kind kind;
    size_t inputs, size;
    double *mean, *basis; /* (inputs), (inputs, size) column-major: orthonormal columns; NULL but for pca-64 */
    ebm_net *net;         /* owned; NULL but for digits-net */
    double scale, shift;  /* intensities are scale x + shift */
} ebm_features;

/* A zeroed ebm_features may be freed. */
void ebm_features_free(ebm_features *features);
void ebm_features_pixels(const ebm_dataset *data, ebm_features *out);
/* Fitted to x (count, V). EBM_INVALID with 64 units or fewer, or not more than 64 examples. */
EBM_NODISCARD ebm_status ebm_features_pca(const ebm_real *x, size_t count, size_t V, ebm_features *out, ebm_work *work,
                                          ebm_error *error);
/* The net of a folder (ebm_net_save). `hash`: 16 digits that the net's must be, or NULL. EBM_INVALID where it is another, or
 * the net's input is no example of `data`. */
EBM_NODISCARD ebm_status ebm_features_net(const char *folder, const char *hash, const ebm_dataset *data,
                                          ebm_features *out, ebm_error *error);
/* out (count, size) of x (count, inputs). */
EBM_NODISCARD ebm_status ebm_features_of(const ebm_features *features, const ebm_real *x, size_t count, double *out,
                                         ebm_work *work, ebm_error *error);

#endif
