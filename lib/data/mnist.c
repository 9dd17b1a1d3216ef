/* MNIST: handwritten digits, 60,000 to train on and 10,000 to test with, 28 x 28 intensities, labelled 0 to 9.
 * The four IDX files, plain or gzip, lie in $EBM_DATASETS/mnist/; datasets/catalog.yaml has their SHA-256 sums, which
 * the fetching script checks. */
#include "data/datasets.h"
#include "data/idx.h"

#include <string.h>

enum { SIDE = 28, CLASSES = 10, TRAIN = 60000, TEST = 10000 };

typedef struct mnist_options {
    int64_t train, test, leave_out;
    int binarise;
    ebm_standardise_options standardise;
} mnist_options;

static const ebm_option options_table[] = {
    {"train", EBM_OPTION_INT, EBM_OFFSET(mnist_options, train), "60000", 1, TRAIN, NULL, 0,
     "how many training digits to use, from the first"},
    {"test", EBM_OPTION_INT, EBM_OFFSET(mnist_options, test), "10000", 1, TEST, NULL, 0,
     "how many test digits to use, from the first"},
    {"binarise", EBM_OPTION_CHOICE, EBM_OFFSET(mnist_options, binarise), "stochastic", 0, 0, ebm_binarise_names, 0,
     "stochastic: 1 with probability intensity, afresh in every minibatch, once and for all in the test half; "
     "threshold: 1 from intensity 1/2; none: real intensities from 0 to 1"},
    EBM_STANDARDISE_OPTIONS(mnist_options, standardise),
    EBM_LEAVE_OUT_OPTION(mnist_options),
    EBM_OPTIONS_END,
};

static ebm_status load_half(const char *images, const char *labels, size_t expected, size_t wanted, ebm_examples *out,
                            ebm_error *error) {
    char images_path[4096], labels_path[4096];
    ebm_idx_half half;
    EBM_TRY(ebm_dataset_path("mnist", images, images_path, sizeof images_path, error));
    EBM_TRY(ebm_dataset_path("mnist", labels, labels_path, sizeof labels_path, error));
    EBM_TRY(ebm_idx_half_read(images_path, labels_path, wanted, &half, error));
    *out = (ebm_examples){.count = half.count, .bytes = half.bytes, .labels = half.labels};
    if (half.rank != 2 || half.shape[0] != SIDE || half.shape[1] != SIDE || half.total != expected)
        return ebm_fail(error, EBM_FORMAT, "%s: not the file of MNIST: expected %zu pictures of %d x %d", images_path,
                        expected, SIDE, SIDE);
    if (half.largest_label >= CLASSES)
        return ebm_fail(error, EBM_FORMAT, "%s: a label of %ld: expected 0 to 9", labels_path,
                        (long)half.largest_label);
    return EBM_OK;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const mnist_options *chosen = options;
    (void)seed;
    out->binarise = (ebm_binarise)chosen->binarise;
    out->space = ebm_space_picture(out->binarise == EBM_BINARISE_NONE ? EBM_REAL_LINE : EBM_BINARY, SIDE, SIDE);
    out->classes = CLASSES;
    EBM_TRY(load_half("train-images-idx3-ubyte", "train-labels-idx1-ubyte", TRAIN, (size_t)chosen->train, &out->train,
                      error));
    EBM_TRY(ebm_examples_leave_out(&out->train, out->space.size, chosen->leave_out, error));
    EBM_TRY(
        load_half("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", TEST, (size_t)chosen->test, &out->test, error));
    return ebm_data_standardise(&chosen->standardise, out, error);
}

const ebm_dataset_type ebm_mnist = {
    .info = {.name = "mnist",
             .about = "handwritten digits, 28 x 28, 60,000 and 10,000",
             .citation = "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, \"Gradient-based learning applied to document "
                         "recognition\", Proc. IEEE 86 (1998) 2278-2324; stochastic binarisation as in R. "
                         "Salakhutdinov, I. Murray, ICML 2008",
             .options = options_table,
             .options_size = sizeof(mnist_options)},
    .load = load,
};
