/* Where a result comes from: the program, its build, the machine. */
#ifndef EBM_PROVENANCE_H
#define EBM_PROVENANCE_H

#include "harness/paths.h"

#include <stdio.h>

/* `ebm --version` */
void ebm_provenance_version(FILE *out);
/* The running program's identity: a hash of its own file and of the kernels that it and its BLAS chose here. */
EBM_NODISCARD ebm_status ebm_provenance_build_id(ebm_hash *out, ebm_error *error);
/* "key: value" lines of YAML: revision, version, compiler, flags, libraries, kernels, machine, date. */
void ebm_provenance_write(FILE *out);
/* `text` as a YAML double-quoted scalar. */
void ebm_yaml_text(FILE *out, const char *text);
/* Largest resident memory so far, in KiB; processor seconds so far, of this process. */
long ebm_peak_memory(void);
double ebm_cpu_seconds(void);

#endif
