/* Spaces: the domain, number and shape of a model's units. */
#include "ebm/space.h"

const char *ebm_domain_name(ebm_domain domain) {
    static const char *const names[] = {"binary", "spin", "categorical", "real"};
    return (unsigned)domain < sizeof names / sizeof *names ? names[domain] : "unknown";
}

static size_t values_of(ebm_domain domain) {
    return domain == EBM_BINARY || domain == EBM_SPIN ? 2 : 0;
}

ebm_space ebm_space_line(ebm_domain domain, size_t size) {
    return (ebm_space){.domain = domain, .size = size, .categories = values_of(domain), .rank = 1, .shape = {size}};
}

ebm_space ebm_space_picture(ebm_domain domain, size_t rows, size_t columns) {
    return (ebm_space){
        .domain = domain, .size = rows * columns, .categories = values_of(domain), .rank = 2, .shape = {rows, columns}};
}

bool ebm_space_equal(const ebm_space *a, const ebm_space *b) {
    return a->domain == b->domain && a->size == b->size && a->categories == b->categories;
}
