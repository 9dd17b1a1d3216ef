/* Push-relabel, highest label first (Goldberg & Tarjan 1988; Cherkassky & Goldberg 1997).
 *
 * A preflow lets more arrive at a node than leaves it: its excess. A node's label is a lower bound on the arcs between
 * it and the sink in the residual network; excess is pushed from label d to label d - 1, and a node from which nothing
 * can be pushed is relabelled to one more than its lowest neighbour. Only the first phase is done: when no node that
 * can reach the sink has excess, what has arrived there is the largest flow and the nodes that cannot reach it are a
 * minimum cut, whether or not the rest is sent back to the source.
 *   Gap: where no node has label g, those above cannot reach the sink; they are set apart.
 *   Global relabelling: now and then labels are made exact, by breadth-first search from the sink.
 * O(V^2 sqrt E) pushes. Whole numbers throughout: nothing is rounded. */
#include "estimators/max_flow.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct solver {
    ebm_network *net;
    uint32_t apart;   /* the label of nodes that cannot reach the sink: nodes + 1 */
    uint32_t highest; /* no active node has a higher label */
    uint32_t most;    /* no node but those apart has a higher label */
    uint64_t work;    /* since the last global relabelling */
    int64_t flow;
    uint32_t *label;           /* (nodes) */
    uint32_t *current;         /* (nodes): the arc to try next */
    uint32_t *next, *before;   /* (nodes): all nodes of a label, a list in both directions */
    uint32_t *next_active;     /* (nodes) */
    uint32_t *bucket, *active; /* (nodes + 2): first node, and first active one, of each label */
    uint32_t *queue;           /* (nodes) */
} solver;

static ebm_status take(solver *s, ebm_network *net, ebm_work *work, ebm_error *error) {
    const size_t n = net->nodes;
    *s = (solver){.net = net, .apart = (uint32_t)n + 1};
    uint32_t **const arrays[] = {&s->label, &s->current,     &s->next,   &s->before,
                                 &s->queue, &s->next_active, &s->bucket, &s->active};
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
        *arrays[k] = ebm_work_take(work, n + 2, sizeof **arrays[k]);
        if (!*arrays[k])
            return ebm_fail(error, EBM_NO_MEMORY, "no memory for a flow through %zu nodes", n);
    }
    return EBM_OK;
}

static void insert(solver *s, uint32_t i) {
    const uint32_t d = s->label[i];
    s->next[i] = s->bucket[d];
    s->before[i] = NONE;
    if (s->bucket[d] != NONE)
        s->before[s->bucket[d]] = i;
    s->bucket[d] = i;
    s->most = d > s->most ? d : s->most;
}

static void take_out(solver *s, uint32_t i) {
    if (s->next[i] != NONE)
        s->before[s->next[i]] = s->before[i];
    if (s->before[i] != NONE)
        s->next[s->before[i]] = s->next[i];
    else
        s->bucket[s->label[i]] = s->next[i];
}

static void activate(solver *s, uint32_t i) {
    const uint32_t d = s->label[i];
    s->next_active[i] = s->active[d];
    s->active[d] = i;
    s->highest = d > s->highest ? d : s->highest;
}

/* An active node of the highest label, which is then no longer listed as active; NONE where there is none. */
static uint32_t take_highest(solver *s) {
    while (s->highest > 0 && s->active[s->highest] == NONE)
        s->highest--;
    if (s->highest == 0)
        return NONE;
    const uint32_t i = s->active[s->highest];
    s->active[s->highest] = s->next_active[i];
    return i;
}

/* Labels = distances to the sink in the residual network; all lists anew. */
static void relabel_globally(solver *s) {
    const ebm_network *net = s->net;
    size_t head = 0, tail = 0;
    s->work = s->highest = s->most = 0;
    for (uint32_t d = 0; d <= s->apart; d++)
        s->bucket[d] = s->active[d] = NONE;
    for (uint32_t i = 0; i < net->nodes; i++) {
        s->label[i] = net->sink[i] > 0 ? 1 : s->apart;
        s->current[i] = net->first[i];
        if (net->sink[i] > 0)
            s->queue[tail++] = i;
    }
    while (head < tail) {
        const uint32_t i = s->queue[head++];
        insert(s, i);
        if (net->excess[i] > 0)
            activate(s, i);
        for (uint32_t a = net->first[i]; a < net->first[i + 1]; a++) {
            const uint32_t j = net->head[a];
            if (s->label[j] == s->apart && net->residual[net->reverse[a]] > 0) {
                s->label[j] = s->label[i] + 1;
                s->queue[tail++] = j;
            }
        }
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Pushes the excess of node i to nodes one label down for as long as it lasts. */
static void push(solver *s, uint32_t i) {
    ebm_network *net = s->net;
    const uint32_t end = net->first[i + 1];
    if (s->label[i] == 1) {
        const int64_t amount = least(net->excess[i], net->sink[i]);
        net->sink[i] -= amount;
        net->excess[i] -= amount;
        s->flow += amount;
    }
    for (uint32_t a = s->current[i]; net->excess[i] > 0 && a < end; s->current[i] = ++a) {
        const uint32_t j = net->head[a];
        if (net->residual[a] == 0 || s->label[j] + 1 != s->label[i])
            continue;
        const int64_t amount = least(net->excess[i], net->residual[a]);
        net->residual[a] -= amount;
        net->residual[net->reverse[a]] += amount;
        if (net->excess[j] == 0)
            activate(s, j);
        net->excess[i] -= amount;
        net->excess[j] += amount;
        if (net->excess[i] == 0)
            return; /* the arc may have more to give */
    }
}

/* No node has label `gap`: those above it are set apart. */
static void close_gap(solver *s, uint32_t gap) {
    for (uint32_t d = gap + 1; d <= s->most; d++) {
        for (uint32_t i = s->bucket[d]; i != NONE; i = s->next[i])
            s->label[i] = s->apart;
        s->bucket[d] = s->active[d] = NONE;
    }
    s->most = gap;
}

static void relabel(solver *s, uint32_t i) {
    const ebm_network *net = s->net;
    const uint32_t old = s->label[i];
    uint32_t lowest = net->sink[i] > 0 ? 0 : s->apart;
    for (uint32_t a = net->first[i]; a < net->first[i + 1]; a++)
        if (net->residual[a] > 0 && s->label[net->head[a]] < lowest) {
            lowest = s->label[net->head[a]];
            s->current[i] = a;
        }
    enum { A_RELABELLING = 12 }; /* scanned arcs that it counts for beside its own: Cherkassky & Goldberg's */
    s->work += net->first[i + 1] - net->first[i] + A_RELABELLING;
    take_out(s, i);
    if (s->bucket[old] == NONE) {
        close_gap(s, old);
        s->label[i] = s->apart;
        return;
    }
    s->label[i] = lowest + 1 < s->apart ? lowest + 1 : s->apart;
    if (s->label[i] != s->apart)
        insert(s, i);
}

static void discharge(solver *s, uint32_t i) {
    push(s, i);
    while (s->net->excess[i] > 0) {
        relabel(s, i);
        if (s->label[i] == s->apart)
            return;
        push(s, i);
    }
}

ebm_status ebm_max_flow(ebm_network *network, int64_t *flow, uint8_t *reaches, ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work);
    const uint64_t often = 2 * (6 * (uint64_t)network->nodes + network->arcs); /* theirs, too */
    solver s;
    assert(network->nodes < NONE - 2);
    ebm_status status = take(&s, network, work, error);
    if (status == EBM_OK) {
        relabel_globally(&s);
        for (uint32_t i; (i = take_highest(&s)) != NONE;) {
            discharge(&s, i);
            if (s.work > often)
                relabel_globally(&s);
        }
        relabel_globally(&s);
        for (size_t i = 0; i < network->nodes; i++)
            reaches[i] = s.label[i] != s.apart;
        *flow = s.flow;
    }
    ebm_work_release(work, mark);
    return status;
}
