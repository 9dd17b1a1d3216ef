/* Products with a factor that holds only 0 and 1. */
#include "ebm/matrix.h"

#include <assert.h>
#include <string.h>

static int product_path = EBM_PRODUCT_AUTO;

void ebm_product_path_set(ebm_product_path path) {
    __atomic_store_n(&product_path, (int)path, __ATOMIC_RELEASE);
}

ebm_product_path ebm_product_path_get(void) {
    return (ebm_product_path)__atomic_load_n(&product_path, __ATOMIC_ACQUIRE);
}

void ebm_binary_product(size_t B, size_t N, size_t K, const ebm_real *X, size_t ldx, const ebm_real *W, size_t ldw,
                        const ebm_real *bias, ebm_real *C, size_t ldc, ebm_work *work) {
    assert(ebm_is_binary(B, K, X, ldx));
    for (size_t b = 0; b < B; b++) {
        if (bias != NULL)
            memcpy(C + b * ldc, bias, N * sizeof *C);
        else
            memset(C + b * ldc, 0, N * sizeof *C);
    }
    if (K > 0)
        ebm_gemm(false, false, B, N, K, 1, X, ldx, W, ldw, 1, C, ldc, work);
}

void ebm_binary_outer(size_t B, size_t N, size_t K, double alpha, const ebm_real *X, size_t ldx, const ebm_real *Y,
                      size_t ldy, ebm_real *G, size_t ldg, ebm_work *work) {
    assert(ebm_is_binary(B, K, X, ldx));
    if (B > 0)
        ebm_gemm(true, false, K, N, B, alpha, X, ldx, Y, ldy, 1, G, ldg, work);
}
