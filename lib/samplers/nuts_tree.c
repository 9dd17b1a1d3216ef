/* Trees of leapfrog steps (see nuts_tree.h; Hoffman & Gelman 2014; Betancourt 2017, "A conceptual introduction to
 * Hamiltonian Monte Carlo", appendix A).
 *
 * A trajectory doubles, forwards or backwards in time by a fair coin, until it makes a U-turn, diverges or has
 * 2^max_depth states. The new half is a tree of subtrees of 1, 2, 4 ... leaves; where any of them turns back, the half is
 * dropped and the trajectory ends. With w = exp(H(start) - H(state)):
 *   within a new half  each state stands for the half with probability w / (sum of w in it) (multinomial);
 *   between halves     the new half's state replaces the old one's with probability min(1, W_new / W_old).
 * Both keep detailed balance: a state z of the old half leads to z' of the new one in proportion to
 * w(z) w(z') min(1 / W_old, 1 / W_new), which is symmetric; later doublings replace it with a probability that is the same
 * from both, and so is that of the coins which make the trajectory.
 *
 * U-turn: a piece of trajectory with first and last momentum p, q and sum of momenta rho goes on while p . rho > 0 and
 * q . rho > 0 (Betancourt 2017, A.4.2). Two pieces L, R that meet have turned unless this holds for both together and for
 * each with the other's nearest state, rho_L + p_R and q_L + rho_R (as in Stan since 2.21): else a trajectory that closes
 * on itself within one doubling would pass. All of this is even in the momenta and the same from either end.
 *
 * No recursion: leaf n of a half ends as many subtrees as n + 1 has trailing zero bits. As in binary addition, slot j
 * holds the last whole subtree of 2^j leaves, which waits for its sister: its first and last momentum and their sum. So
 * memory is logarithmic in the leaves.
 *
 * Lockstep: the chains still growing stand side by side, so that a leapfrog step of all of them is one call. What a chain
 * does is independent of which others still grow, as far as the rows of the model's gradient are. */
#include "samplers/nuts_tree.h"

#include "core/row_kernels.h"

#include <math.h>
#include <string.h>

/* Vectors kept of each chain, and behind them those of each slot. End 0 lies in the past, end 1 in the future. */
enum { END_X, END_P = END_X + 2, END_G = END_P + 2, SUM = END_G + 2, CHOSEN_X, CHOSEN_G, NEW_X, NEW_G, SLOTS };
enum { FIRST, LAST, TOTAL, SLOT_VECTORS };

/* What a transition draws: momenta; a coin and a uniform for each doubling; a uniform for each leaf. */
enum { DRAW_MOMENTUM, DRAW_DOUBLING, DRAW_LEAF, DRAWS };

/* What is known of a chain's trajectory beside vectors. */
typedef struct trajectory {
    double start;                  /* H at the start */
    double log_weight, new_weight; /* log sum of w over the trajectory, over the new half */
    double chosen_energy, new_energy;
    double acceptance; /* sum of min(1, w) */
    uint32_t leaf;     /* leaves of the new half so far */
    unsigned end;      /* where the new half grows */
    bool done, failed; /* failed: a gradient that is not a number */
} trajectory;

/* A block of chains under way. */
typedef struct forest {
    const ebm_nuts_walk *walk;
    size_t units;           /* V */
    size_t first;           /* row of `walk` that is row 0 here */
    size_t active;          /* rows that still grow */
    trajectory *trajectory; /* (rows) */
    ebm_real *vectors;      /* (rows, SLOTS + SLOT_VECTORS max_depth, V) */
    size_t *row;            /* (active): which row grows there */
    ebm_phase front;        /* (active): the growing ends, */
    ebm_real *step;         /* (active): which way they go */
    double (*dot)(size_t, const ebm_real *, const ebm_real *);
    ebm_work *work;
} forest;

static ebm_real *vector(const forest *f, size_t row, size_t k) {
    return f->vectors + (row * (SLOTS + SLOT_VECTORS * f->walk->max_depth) + k) * f->units;
}

static ebm_real *slot(const forest *f, size_t row, size_t j, size_t k) {
    return vector(f, row, SLOTS + SLOT_VECTORS * j + k);
}

static void copy(const forest *f, const ebm_real *from, ebm_real *to) {
    memcpy(to, from, f->units * sizeof *to);
}

static void add(const forest *f, const ebm_real *from, ebm_real *to) {
    for (size_t i = 0; i < f->units; i++)
        to[i] += from[i];
}

static double uniform(const forest *f, size_t row, uint64_t draw, uint32_t index) {
    const ebm_chains *c = f->walk->chains;
    return ebm_random_uniform1(c->stream, c->first_chain + (uint32_t)(f->first + row), c->step + draw, index);
}

static double log_add_exp(double a, double b) {
    const double most = fmax(a, b);
    return most + log1p(exp(fmin(a, b) - most));
}

/* A piece of trajectory by its momenta. */
typedef struct piece {
    const ebm_real *first, *last, *total;
} piece;

/* Whether two pieces that meet, the last state of l beside the first of r, have turned back. */
static bool turned(const forest *f, piece l, piece r) {
    const size_t V = f->units;
    const double first = f->dot(V, l.first, l.total), last = f->dot(V, r.last, r.total);
    if (!(first + f->dot(V, l.first, r.total) > 0 && last + f->dot(V, r.last, l.total) > 0))
        return true;
    if (!(first + f->dot(V, l.first, r.first) > 0 && f->dot(V, r.first, l.total) + f->dot(V, r.first, r.first) > 0))
        return true;
    return !(last + f->dot(V, r.last, l.last) > 0 && f->dot(V, l.last, r.total) + f->dot(V, l.last, l.last) > 0);
}

/* A coin for the direction of the next doubling, and that end put in front at `a`. */
static void begin_half(const forest *f, size_t a) {
    const ebm_nuts_walk *w = f->walk;
    const size_t row = f->row[a], b = f->first + row, V = f->units;
    const double step = w->halvings ? ldexp(w->step, -(int)w->halvings[b]) : w->step;
    trajectory *t = &f->trajectory[row];
    t->end = uniform(f, row, DRAW_DOUBLING, 2 * w->outcome[b].depth) < 0.5 ? 0 : 1;
    t->leaf = 0;
    f->step[a] = (ebm_real)(t->end == 0 ? -step : step);
    copy(f, vector(f, row, END_X + t->end), f->front.batch.x + a * V);
    copy(f, vector(f, row, END_P + t->end), f->front.momentum + a * V);
    copy(f, vector(f, row, END_G + t->end), f->front.gradient + a * V);
}

/* A trajectory of one state, with a momentum that the front's row holds. */
static void begin(const forest *f, size_t row) {
    const size_t b = f->first + row, V = f->units;
    const ebm_phase *here = &f->walk->here;
    const ebm_real *p = f->front.momentum + row * V;
    const size_t x[] = {END_X, END_X + 1, CHOSEN_X}, g[] = {END_G, END_G + 1, CHOSEN_G},
                 momenta[] = {END_P, END_P + 1, SUM};
    for (size_t k = 0; k < 3; k++) {
        copy(f, here->batch.x + b * V, vector(f, row, x[k]));
        copy(f, here->gradient + b * V, vector(f, row, g[k]));
        copy(f, p, vector(f, row, momenta[k]));
    }
    const double energy = here->energy[b];
    f->trajectory[row] = (trajectory){.start = energy + f->dot(V, p, p) / 2, .chosen_energy = energy};
    f->walk->outcome[b] = (ebm_nuts_outcome){0};
    f->row[row] = row;
    begin_half(f, row);
}

/* Leaf n of the new half, of momentum p, ends subtrees. False where one of them has turned back. */
static bool end_subtrees(const forest *f, size_t row, const ebm_real *p, uint32_t n) {
    size_t whole = 0;
    while (n >> whole & 1u)
        whole++;
    ebm_real *first = slot(f, row, whole, FIRST), *total = slot(f, row, whole, TOTAL);
    copy(f, p, first);
    copy(f, p, total);
    for (size_t j = 0; j < whole; j++) {
        const piece l = {slot(f, row, j, FIRST), slot(f, row, j, LAST), slot(f, row, j, TOTAL)};
        if (turned(f, l, (piece){first, p, total}))
            return false;
        copy(f, l.first, first);
        add(f, l.total, total);
    }
    copy(f, p, slot(f, row, whole, LAST));
    return true;
}

/* The new half is whole: its state may become the chain's, its last state becomes the trajectory's end. True where the
 * trajectory goes on. */
static bool join_half(const forest *f, size_t a, size_t row) {
    const size_t V = f->units;
    trajectory *t = &f->trajectory[row];
    ebm_nuts_outcome *o = &f->walk->outcome[f->first + row];
    const piece old = {vector(f, row, END_P + 1 - t->end), vector(f, row, END_P + t->end), vector(f, row, SUM)};
    const piece new = {slot(f, row, o->depth, FIRST), slot(f, row, o->depth, LAST), slot(f, row, o->depth, TOTAL)};
    if (log(uniform(f, row, DRAW_DOUBLING, 2 * o->depth + 1)) < t->new_weight - t->log_weight) {
        copy(f, vector(f, row, NEW_X), vector(f, row, CHOSEN_X));
        copy(f, vector(f, row, NEW_G), vector(f, row, CHOSEN_G));
        t->chosen_energy = t->new_energy;
        o->moved = true;
    }
    t->log_weight = log_add_exp(t->log_weight, t->new_weight);
    o->depth++;
    if (turned(f, old, new))
        return false;
    o->saturated = o->depth == f->walk->max_depth;
    add(f, new.total, vector(f, row, SUM));
    copy(f, f->front.batch.x + a * V, vector(f, row, END_X + t->end));
    copy(f, f->front.momentum + a * V, vector(f, row, END_P + t->end));
    copy(f, f->front.gradient + a * V, vector(f, row, END_G + t->end));
    return !o->saturated;
}

static bool any_nan(size_t count, const ebm_real *g) {
    for (size_t i = 0; i < count; i++)
        if (isnan(g[i]))
            return true;
    return false;
}

/* The state in front at `a` is the next leaf. True where the trajectory goes on. */
static bool take_leaf(const forest *f, size_t a) {
    const size_t row = f->row[a], V = f->units;
    trajectory *t = &f->trajectory[row];
    ebm_nuts_outcome *o = &f->walk->outcome[f->first + row];
    const ebm_real *p = f->front.momentum + a * V;
    const uint32_t n = t->leaf++;
    const double energy = f->front.energy[a], total = energy + f->dot(V, p, p) / 2, log_w = t->start - total;
    o->leaves++;
    t->failed = isfinite(energy) && !isfinite(total) && any_nan(V, f->front.gradient + a * V);
    o->divergent = !isfinite(total) || log_w < -EBM_NUTS_DIVERGENCE;
    if (o->divergent)
        return false;
    t->acceptance += log_w < 0 ? exp(log_w) : 1;
    t->new_weight = n == 0 ? log_w : log_add_exp(t->new_weight, log_w);
    if (n == 0 || log(uniform(f, row, DRAW_LEAF, o->leaves)) < log_w - t->new_weight) {
        copy(f, f->front.batch.x + a * V, vector(f, row, NEW_X));
        copy(f, f->front.gradient + a * V, vector(f, row, NEW_G));
        t->new_energy = energy;
    }
    if (!end_subtrees(f, row, p, n))
        return false;
    if (n + 1 < (uint32_t)1 << o->depth)
        return true;
    if (!join_half(f, a, row))
        return false;
    begin_half(f, a);
    return true;
}

static void finish(const forest *f, size_t row) {
    const size_t b = f->first + row, V = f->units;
    const ebm_phase *here = &f->walk->here;
    const trajectory *t = &f->trajectory[row];
    copy(f, vector(f, row, CHOSEN_X), here->batch.x + b * V);
    copy(f, vector(f, row, CHOSEN_G), here->gradient + b * V);
    here->energy[b] = t->chosen_energy;
    f->walk->outcome[b].acceptance = t->acceptance / f->walk->outcome[b].leaves;
}

static int threads_of(const forest *f) {
    enum { SMALL = 1 << 12 /* below so many units a parallel region costs more than it gains */ };
    return f->active * f->units > SMALL ? ebm_work_threads(f->work) : 1;
}

/* The growing rows close ranks. */
static ebm_status close_ranks(forest *f, ebm_error *error) {
    const ebm_nuts_walk *w = f->walk;
    size_t kept = 0;
    for (size_t a = 0; a < f->active; a++) {
        const trajectory *t = &f->trajectory[f->row[a]];
        if (t->failed) {
            ebm_phase one = {
                .batch.count = 1, .gradient = f->front.gradient + a * f->units, .energy = f->front.energy + a};
            return ebm_phase_check_gradient(w->model, &one, w->chains->first_chain + (uint32_t)(f->first + f->row[a]),
                                            error);
        }
        if (t->done)
            continue;
        if (kept < a) {
            ebm_phase_copy(w->model, &f->front, a, &f->front, kept);
            f->row[kept] = f->row[a];
            f->step[kept] = f->step[a];
        }
        kept++;
    }
    f->active = kept;
    return EBM_OK;
}

/* Rows [first, first + rows) of the walk, from momenta to new states. */
static ebm_status grow(forest *f, size_t rows, ebm_error *error) {
    const ebm_nuts_walk *w = f->walk;
    const ebm_chains *c = w->chains;
    ebm_status status = EBM_OK;
    f->active = f->front.batch.count = rows;
    ebm_phase_draw_momentum(w->model, c->stream, c->first_chain + (uint32_t)f->first, c->step + DRAW_MOMENTUM,
                            &f->front, f->work);
    for (size_t row = 0; row < rows; row++)
        begin(f, row);
    while (f->active > 0 && status == EBM_OK) {
        f->front.batch.count = f->active;
        ebm_leapfrog(w->model, w->path, w->scale, f->step, 1, &f->front, w->chains, f->work);
        const int threads = threads_of(f);
        (void)threads;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
        for (size_t a = 0; a < f->active; a++) {
            const size_t row = f->row[a];
            f->trajectory[row].done = !take_leaf(f, a);
            if (f->trajectory[row].done)
                finish(f, row);
        }
        status = close_ranks(f, error);
    }
    return status;
}

/* Rows that grow together, so that a block's memory stays below about 64 MiB: a function of the shape alone. */
static size_t block_rows(const ebm_nuts_walk *w) {
    const size_t reals = w->model->space.size * (SLOTS + SLOT_VECTORS * w->max_depth + 3) + w->model->n_field;
    const size_t fit = ((size_t)64 << 20) / (reals * sizeof(ebm_real)), rows = fit < 64 ? 64 : fit;
    return rows < w->here.batch.count ? rows : w->here.batch.count;
}

static bool take_forest(forest *f, size_t rows) {
    const size_t kept = SLOTS + SLOT_VECTORS * f->walk->max_depth;
    f->trajectory = ebm_work_take(f->work, rows, sizeof *f->trajectory);
    f->vectors = ebm_work_take(f->work, rows * kept, f->units * sizeof *f->vectors);
    f->row = ebm_work_take(f->work, rows, sizeof *f->row);
    f->step = ebm_work_take(f->work, rows, sizeof *f->step);
    return ebm_phase_take(f->walk->model, rows, &f->front, f->work) && f->trajectory && f->vectors && f->row && f->step;
}

ebm_status ebm_nuts_transition(ebm_nuts_walk *walk, ebm_work *work, ebm_error *error) {
    const size_t B = walk->here.batch.count, at_once = block_rows(walk), mark = ebm_work_mark(work);
    forest f = {.walk = walk, .units = walk->model->space.size, .dot = ebm_row_kernels_get()->dot, .work = work};
    ebm_status status = take_forest(&f, at_once)
                            ? EBM_OK
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for the trajectories of %zu chains", at_once);
    for (f.first = 0; f.first < B && status == EBM_OK; f.first += at_once)
        status = grow(&f, B - f.first < at_once ? B - f.first : at_once, error);
    walk->here.batch.field_ok = false;
    walk->chains->step += DRAWS;
    ebm_work_release(work, mark);
    return status;
}
