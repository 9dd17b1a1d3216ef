/* What the runners share: setting up a case's components, measuring, and pictures. */
#ifndef EBM_MEASURE_H
#define EBM_MEASURE_H

#include "harness/runner.h"

/* The components of a case, created and ready; freed with ebm_subject_free. */
typedef struct ebm_subject {
    ebm_dataset data;
    bool have_data;
    ebm_space visible;   /* of the data, less what units were appended */
    ebm_model model;     /* type NULL where the case has none */
    ebm_sampler sampler; /* type NULL where the case has none */
    ebm_path path;       /* where the sampler walks: ebm_path_end() unless the runner sets another */
    size_t thin;         /* steps of the sampler that a draw stands for: 1 unless the runner sets another */
    ebm_work *work;
} ebm_subject;

/* Load the data, create the model on their space (without data: on the one that its options describe) and the sampler.
 * On failure everything is released. */
EBM_NODISCARD ebm_status ebm_subject_create(const ebm_case *c, int threads, ebm_subject *out, ebm_error *error);
/* The same with `extra` random units appended to every example first (ebm_dataset_expand). */
EBM_NODISCARD ebm_status ebm_subject_create_expanded(const ebm_case *c, size_t extra, int threads, ebm_subject *out,
                                                     ebm_error *error);
/* The same with every example's label appended as units (ebm_dataset_append_labels). */
EBM_NODISCARD ebm_status ebm_subject_create_labelled(const ebm_case *c, int threads, ebm_subject *out,
                                                     ebm_error *error);
void ebm_subject_free(ebm_subject *subject);

/* Run the case's measures first ... end - 1 and emit what they find at output->step (curves: at steps of their own). */
EBM_NODISCARD ebm_status ebm_measure(const ebm_case *c, const ebm_subject *subject, size_t first, size_t end,
                                     ebm_output *output, ebm_error *error);

/* Side files filters.csv and samples.csv: sheets of `tiles` pictures (intensities in [0, 1], one sheet row a line).
 * Filters need a model with a view "W" (V, H); samples need a sampler and run `sweeps` from uniform noise,
 * shown as E[x | h] where the model has it, at fresh hidden units where the sampler leaves none. At least `block`
 * chains walk, of which the first are shown: some samplers take their step from the number of chains. */
EBM_NODISCARD ebm_status ebm_pictures(const ebm_case *c, ebm_subject *subject, size_t tiles, size_t block,
                                      size_t sweeps, ebm_output *output, ebm_error *error);
/* Side file chains.csv: a row of pictures for each of so many chains from noise (0: no file), their states after `steps`
 * (ascending) and, last, E[x | h]. */
EBM_NODISCARD ebm_status ebm_chain_pictures(const ebm_case *c, ebm_subject *subject, size_t chains, size_t block,
                                            const ebm_reals *steps, ebm_output *output, ebm_error *error);
/* What it would refuse, to be asked before a long run. */
EBM_NODISCARD ebm_status ebm_chain_pictures_check(const ebm_subject *subject, size_t chains, const ebm_reals *steps,
                                                  ebm_error *error);
/* States (count, V) of a picture's space as such a sheet at `path`, `across` pictures beside each other (0: as many as
 * make a square): 0/1 and real units as they are, spins from 0 to 1, categories c / (q - 1). */
EBM_NODISCARD ebm_status ebm_states_sheet(const ebm_space *space, const ebm_real *x, size_t count, size_t across,
                                          const char *path, ebm_work *work, ebm_error *error);
/* Side file imputed.csv: `tiles` test examples with missing pixels and how the case's estimator imputation, at its last share,
 * fills them in (nothing for tiles = 0); rows of the sheet: true, seen (missing ones half dark), mean, sampling, descent. */
EBM_NODISCARD ebm_status ebm_imputed_sheet(const ebm_case *c, const ebm_subject *subject, size_t tiles,
                                           ebm_output *output, ebm_error *error);
/* Side files density.csv and, where the data's is known, density-data.csv: maps of side x side densities over the square
 * from -reach to reach, for models with two Gaussian visible units; side 0: none. */
EBM_NODISCARD ebm_status ebm_density_maps(const ebm_subject *subject, size_t side, double reach, ebm_output *output,
                                          ebm_error *error);
/* The model's views as .npy side files. */
EBM_NODISCARD ebm_status ebm_save_side_files(const ebm_subject *subject, ebm_output *output, ebm_error *error);

#endif
