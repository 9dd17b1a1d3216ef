/* Data sets: files and generators behind one interface.
 *
 * Values are stored as given and turned into states of the data set's space when a batch is drawn; so a picture of
 * intensities can be binarised afresh in every minibatch while the test half keeps one fixed binarisation. */
#ifndef EBM_DATASET_H
#define EBM_DATASET_H

#include "ebm/component.h"
#include "ebm/random.h"
#include "ebm/real.h"
#include "ebm/space.h"
#include "ebm/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ebm_binarise {
    EBM_BINARISE_NONE,       /* values are states already */
    EBM_BINARISE_STOCHASTIC, /* 1 with probability = intensity */
    EBM_BINARISE_THRESHOLD   /* 1 where intensity >= 1/2 */
} ebm_binarise;

/* One half of a data set: `count` examples of space.size values, as bytes (intensity = byte / 255 when binarised or
 * real; the byte itself for binary and categorical states; spins 2 byte - 1, or 2 state - 1 of what is binarised) or as reals. Exactly one of bytes, reals is set; neither
 * where the half is empty. */
typedef struct ebm_examples {
    size_t count;
    uint8_t *bytes;
    ebm_real *reals;
    int32_t *labels; /* count, or NULL */
} ebm_examples;

typedef struct ebm_dataset ebm_dataset;

typedef struct ebm_dataset_type {
    ebm_component info;
    /* Fill space, binarise, train, test (and the support where the distribution is known). `seed` is the case's;
     * generators use it only where their own option data_seed is 0, so that all cases see the same data by default.
     * Called with everything else zeroed; on failure what was filled is released by the caller. */
    ebm_status (*load)(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error);
} ebm_dataset_type;

struct ebm_dataset {
    const ebm_dataset_type *type;
    ebm_space space;
    ebm_binarise binarise;
    /* Real intensities b / 255 of bytes are taken as (b / 255 - mean) / deviation; deviation 0: as they are. */
    double mean, deviation;
    size_t classes; /* number of labels, 0 without */
    ebm_examples train, test;
    /* For small generated sets: the distinct states of the distribution itself (count x size) and their log
     * probabilities, so that KL divergences are exact. NULL, 0 otherwise. */
    size_t support_count;
    ebm_real *support;
    double *support_log_probability;
    /* Where the examples are draws of a machine of spins, p(x) ~ exp(sum_(i<j) J_ij x_i x_j + sum_i h_i x_i), that is known:
     * its couplings J (size, size), symmetric with zero diagonal, and fields h (size). NULL otherwise. */
    double *true_couplings, *true_fields;
    /* Where the examples are draws of a density that is known: its log at x (size), from `law`. NULL otherwise. */
    double (*log_density)(const ebm_dataset *dataset, const double *x);
    void *law;     /* plain memory, freed with the rest */
    uint64_t hash; /* of values and labels: FNV-1a 64; part of a result's key */
};

/* `options` is the type's own struct (already validated). The caller frees with ebm_dataset_free. */
EBM_NODISCARD ebm_status ebm_dataset_load(const ebm_dataset_type *type, const void *options, uint32_t seed,
                                          ebm_dataset *out, ebm_error *error);
void ebm_dataset_free(ebm_dataset *dataset);

/* Write examples rows[0..count) (NULL: first ... first + count - 1) as states into out (count, space.size).
 * Stochastic binarisation draws its words at chain = example index, step = `step`: every split of a batch into calls,
 * on any thread, gives the same states. */
void ebm_examples_batch(const ebm_dataset *dataset, const ebm_examples *half, const uint32_t *rows, size_t first,
                        size_t count, ebm_stream stream, uint64_t step, ebm_real *out);
/* The one binarisation by which held-out examples (and training examples, in evaluation) are judged, in every case and
 * for every seed: seed 2008, at steps that training does not reach. `half` is &dataset->train or &dataset->test. */
void ebm_examples_fixed(const ebm_dataset *dataset, const ebm_examples *half, size_t first, size_t count,
                        ebm_real *out);
/* Binary data as spins, 0 as -1: for models of spins. Binarisation stays as it is; the hash is that of the data as they
 * were loaded. Data of another domain are left alone. */
void ebm_dataset_to_spins(ebm_dataset *dataset);
/* `extra` units appended to every example, each up or down with probability 1/2: redundant units of an associative
 * memory. Unit j of example i is bit 31 of word j of (seed, EBM_PURPOSE_EXTRA_UNITS), chain i, step 0 (training half) or
 * 1 (test half). The units become a line; the support, where there is one, is gone; the hash stays that of the data as
 * they were loaded. EBM_UNSUPPORTED where units have other than two values. */
EBM_NODISCARD ebm_status ebm_dataset_expand(ebm_dataset *dataset, size_t extra, uint32_t seed, ebm_error *error);
/* Every example's label appended as `classes` units, the label's own up and the others down. The units become a line; the
 * support, where there is one, is gone; the hash stays that of the data as they were loaded. EBM_UNSUPPORTED where units have
 * other than two values or examples have no labels. */
EBM_NODISCARD ebm_status ebm_dataset_append_labels(ebm_dataset *dataset, ebm_error *error);
/* Mean of every unit over the training half (space.size): of intensities where binarisation is stochastic, else of the
 * states. 0 where there are no training examples. */
void ebm_dataset_means(const ebm_dataset *dataset, double *out);

/* A file of the collection: $EBM_DATASETS/folder/file, or datasets/folder/file below the current folder where the
 * variable is not set; `file` itself or file.gz. Fails with the name of the variable to set and of the target that
 * fetches it. `buffer` receives the path. */
EBM_NODISCARD ebm_status ebm_dataset_path(const char *folder, const char *file, char *buffer, size_t size,
                                          ebm_error *error);

#endif
