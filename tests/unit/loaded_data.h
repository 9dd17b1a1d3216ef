/* For tests of data sets: one loaded with options by name. */
#ifndef EBM_TEST_LOADED_DATA_H
#define EBM_TEST_LOADED_DATA_H

#include "data/datasets.h"

#include <check.h>
#include <stdarg.h>

static ebm_dataset data;
static ebm_error error;

/* Loads `data` with options given as name, value, ..., NULL. */
static ebm_status load_with(const ebm_dataset_type *type, uint32_t seed, ...) {
    _Alignas(16) char options[256];
    ck_assert_uint_le(type->info.options_size, sizeof options);
    ck_assert_int_eq(ebm_options_default(type->info.options, options, type->info.options_size, &error), EBM_OK);
    va_list pairs;
    va_start(pairs, seed);
    ebm_status status = EBM_OK;
    for (const char *name; status == EBM_OK && (name = va_arg(pairs, const char *));)
        status = ebm_options_set(type->info.options, options, name, va_arg(pairs, const char *), NULL, &error);
    va_end(pairs);
    if (status == EBM_OK)
        status = ebm_dataset_load(type, options, seed, &data, &error);
    ebm_options_clear(type->info.options, options);
    return status;
}
#define LOAD(type, seed, ...)                                                                                          \
    ck_assert_msg(load_with(type, seed, __VA_ARGS__, (char *)NULL) == EBM_OK, "%s", error.message)

#endif
