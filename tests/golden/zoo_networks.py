"""The networks of models/ in PyTorch, written from their papers; zoo.py records what they compute.

Nothing of Poise is used but the names of the weights.  A weight is drawn where a network first asks for
it.  Shapes: B rows, D inputs, E experts, H units.
"""
import torch
import torch.nn.functional as F

B = 12  # rows; the last is padding
NUMERIC, TABLES = 2, {"colour": (4, 3), "place": (5, 2)}  # numbers, and rows and widths of embeddings
TASKS = ("click", "cart", "buy")


def draw(*shape, scale=1.0):
    """Uniform in [-scale, scale], rounded to float32 so that both programs start from one value."""
    return ((torch.rand(*shape) * 2 - 1) * scale).float().double()


class Net:
    """Weights by name, and the layers that all networks are made of."""

    def __init__(self):
        self.p = {}
        self.row_weight, self.penalty = {}, {}  # what a task's loss has besides the logit: [B, 1] each

    def weight(self, name, *shape, scale=0.6):
        if name not in self.p:
            self.p[name] = draw(*shape, scale=scale).requires_grad_()
        assert self.p[name].shape == shape, name
        return self.p[name]

    def feature(self, x, name, path="embedding"):
        """One feature's embedding."""
        return self.weight(f"{path}/{name}", *TABLES[name], scale=1)[x["ids"][:, list(TABLES).index(name)]]

    def features(self, x, path="embedding"):
        """[B, D]: the numbers, then the embeddings."""
        return torch.cat([x["numeric"]] + [self.feature(x, name, path) for name in TABLES], 1)

    def dense(self, name, x, units):
        return F.linear(x, self.weight(f"{name}/weight", units, x.shape[-1], scale=(3 / x.shape[-1]) ** 0.5),
                        self.weight(f"{name}/bias", units, scale=0.3))

    def mlp(self, name, x, units, activation=F.relu):
        for k, u in enumerate(units):
            x = activation(self.dense(f"{name}/{k}", x, u))
        return x

    def experts(self, name, copies, x, units, activation=F.relu):
        """E networks side by side, [B, E, H]; each reads x [B, D]."""
        h = [x] * copies
        for k, u in enumerate(units):
            w = self.weight(f"{name}/{k}/weight", copies, u, h[0].shape[1], scale=(3 / h[0].shape[1]) ** 0.5)
            b = self.weight(f"{name}/{k}/bias", copies, u, scale=0.3)
            h = [activation(F.linear(h[e], w[e], b[e])) for e in range(copies)]
        return torch.stack(h, 1)

    def mixture(self, name, experts, gate):
        """Experts [B, E, H] weighed by softmax of a linear map of `gate`."""
        g = F.softmax(self.dense(f"{name}/gate", gate, experts.shape[1]), 1)
        return (g.unsqueeze(2) * experts).sum(1)

    def towers(self, h, units):
        """h: what each task reads, [B, H] each.  The logits, [B, 1] each."""
        return {t: self.dense(f"logit/{t}", self.mlp(f"tower/{t}", h[t], units), 1) for t in h}


# ---- the networks: each returns the tasks' logits ----------------------------------------------

def single_task(n, x, tasks):
    """The baseline: a network for each task on common embeddings."""
    f = n.features(x)
    return n.towers({t: f for t in tasks}, (5, 4))


def shared_bottom(n, x, tasks):
    """Caruana 1997: hard parameter sharing."""
    h = n.mlp("bottom", n.features(x), (6, 5))
    return n.towers({t: h for t in tasks}, (4,))


def omoe(n, x, tasks):
    """Ma et al. 2018, one gate for all tasks."""
    f = n.features(x)
    h = n.mixture("mix", n.experts("expert", 3, f, (5, 4)), f)
    return n.towers({t: h for t in tasks}, (4,))


def mmoe(n, x, tasks):
    """Ma et al. 2018, eq. 6: y_k = h^k(sum over i of g^k(x)_i f_i(x)), g^k(x) = softmax(W_gk x)."""
    f = n.features(x)
    e = n.experts("expert", 3, f, (5, 4))
    return n.towers({t: n.mixture(f"mix/{t}", e, f) for t in tasks}, (4,))


def cgc(n, x, tasks):
    """Tang et al. 2020, eq. 1-3: a gate over the task's own and the shared experts."""
    f = n.features(x)
    shared = n.experts("shared", 2, f, (4,))
    own = {t: n.experts(f"own/{t}", 2, f, (4,)) for t in tasks}
    return n.towers({t: n.mixture(f"mix/{t}", torch.cat([own[t], shared], 1), f) for t in tasks}, (4,))


def ple(n, x, tasks):
    """Tang et al. 2020, eq. 5-7: two levels; between them a shared gate sees all experts."""
    f = n.features(x)
    shared = n.experts("shared1", 2, f, (4,))
    own = {t: n.experts(f"own1/{t}", 2, f, (4,)) for t in tasks}
    level = {t: n.mixture(f"level1/{t}", torch.cat([own[t], shared], 1), f) for t in tasks}
    common = n.mixture("common1", torch.cat([*own.values(), shared], 1), f)
    shared = n.experts("shared2", 2, common, (3,))
    own = {t: n.experts(f"own2/{t}", 2, level[t], (3,)) for t in tasks}
    return n.towers({t: n.mixture(f"mix/{t}", torch.cat([own[t], shared], 1), level[t]) for t in tasks}, (4,))


def sparse_gate(scores, top):
    """Softmax over the `top` largest of a row; the others are 0 (Shazeer et al. 2017, without noise)."""
    kept = scores.topk(top, 1).indices
    mask = torch.full_like(scores, -torch.inf).scatter(1, kept, 0)
    return F.softmax(scores + mask, 1)


def mmoe_top_k(n, x, tasks):
    """MMoE whose gates see two experts each."""
    f = n.features(x)
    e = n.experts("expert", 4, f, (5, 4))
    h = {t: (sparse_gate(n.dense(f"mix/{t}/gate", f, 4), 2).unsqueeze(2) * e).sum(1) for t in tasks}
    return n.towers(h, (4,))


def mmoe_dcn(n, x, tasks):
    """Wang et al. 2021 (DCN-v2), x_{l+1} = x_0 * (U (V x_l) + b) + x_l, below the experts of MMoE."""
    f = n.features(x)
    c = f
    for k in range(2):
        v = F.linear(c, n.weight(f"cross/{k}/down/weight", 3, f.shape[1]))
        c = f * n.dense(f"cross/{k}", v, f.shape[1]) + c
    e = n.experts("expert", 3, c, (5, 4))
    return n.towers({t: n.mixture(f"mix/{t}", e, f) for t in tasks}, (4,))


def cross_stitch(n, x, tasks):
    """Misra et al. 2016: after every layer each task's units become a blend of all tasks' units."""
    h = {t: n.features(x) for t in tasks}
    for k, units in enumerate((5, 4), 1):
        h = {t: n.mlp(f"layer{k}/{t}", h[t], (units,)) for t in tasks}
        a = {t: n.weight(f"stitch{k}/{t}/weight", len(tasks)) for t in tasks}
        h = {t: sum(a[t][j] * h[o] for j, o in enumerate(tasks)) for t in tasks}
    return {t: n.dense(f"logit/{t}", h[t], 1) for t in tasks}


def sluice(n, x, tasks):
    """Ruder et al. 2019: a cross-stitch of the halves of all tasks' layers; the answer reads a mixture of
    the layers."""
    h, layers = {t: n.features(x) for t in tasks}, []
    for k in (1, 2):
        half = {t: n.mlp(f"layer{k}/{t}", h[t], (4,)).split(2, 1) for t in tasks}
        a = {t: [n.weight(f"sluice{k}/{t}/{s}/weight", 2 * len(tasks)) for s in range(2)] for t in tasks}
        h = {t: torch.cat([sum(a[t][s][2 * j + p] * half[o][p] for j, o in enumerate(tasks) for p in range(2))
                           for s in range(2)], 1) for t in tasks}
        layers.append(h)
    b = {t: n.weight(f"depth/{t}/weight", 2) for t in tasks}
    return {t: n.dense(f"logit/{t}", b[t][0] * layers[0][t] + b[t][1] * layers[1][t], 1) for t in tasks}


def mask(n, name, x, gate, hidden, factor=1):
    """x times factor x sigmoid of a network of two layers."""
    return x * factor * torch.sigmoid(n.dense(f"{name}/gate", n.mlp(f"{name}/gate", gate, (hidden,)), x.shape[1]))


def mtan(n, x, tasks):
    """Liu et al. 2019 with dense layers, eq. 1-3: a task's mask of a shared layer comes from that layer and
    from what the task made of the layer before."""
    shared = n.mlp("shared1", n.features(x), (6,))
    h = {t: mask(n, f"mask1/{t}", shared, shared, 6) for t in tasks}
    shared = n.mlp("shared2", shared, (5,))
    h = {t: n.mlp(f"own2/{t}", h[t], (5,)) for t in tasks}
    h = {t: mask(n, f"mask2/{t}", shared, torch.cat([shared, h[t]], 1), 5) for t in tasks}
    return n.towers(h, (4,))


def logit_of_product(logits):
    """The logit of the product of the probabilities, from log p: log p - log(1 - p)."""
    log_p = sum(F.logsigmoid(z) for z in logits)
    return log_p - torch.log1p(-log_p.exp())


def esmm(n, x, tasks):
    """Ma et al. 2018: every task on all impressions; what follows a click is pCTR x pCVR."""
    f = n.features(x)
    z = {t: n.dense(f"score/{t}", n.mlp(f"tower/{t}", f, (5, 4)), 1) for t in tasks}
    return {t: logit_of_product([z[o] for o in tasks[:k + 1]]) for k, t in enumerate(tasks)}


def escm2_ips(n, x, tasks):
    """Wang et al. 2022, eq. 9: the second step's losses weigh 1 / pCTR, which is not trained by them."""
    f = n.features(x)
    z = {t: n.dense(f"score/{t}", n.mlp(f"tower/{t}", f, (5, 4)), 1) for t in tasks[:2]}
    n.row_weight = {tasks[1]: 1 / torch.sigmoid(z[tasks[0]]).clamp(min=0.4).detach()}
    return z | {tasks[2]: logit_of_product([z[t] for t in tasks[:2]])}


def dbmtl(n, x, tasks):
    """Wang et al. 2019: a task's relation network reads its own tower and those of the tasks before."""
    h = n.mlp("bottom", n.features(x), (6, 5))
    r = {}
    for k, t in enumerate(tasks):
        own = n.mlp(f"tower/{t}", h, (4,))
        r[t] = n.mlp(f"relation/{t}", torch.cat([own] + [r[o] for o in tasks[:k]], 1), (3,))
    return {t: n.dense(f"logit/{t}", r[t], 1) for t in tasks}


def aitm(n, x, tasks):
    """Xi et al. 2021, eq. 4-8: z_t attends to what the task before hands on and to the task's own tower."""
    f, z = n.features(x), {}
    for k, t in enumerate(tasks):
        q = n.mlp(f"tower/{t}", f, (5, 4))
        if k == 0:
            z[t] = q
            continue
        p = n.mlp(f"info/{tasks[k - 1]}", z[tasks[k - 1]], (4,))
        u = torch.stack([p, q], 1)  # [B, 2, H]
        v, key, query = (n.dense(f"transfer/{t}/{a}", u, 4) for a in ("value", "key", "query"))
        w = F.softmax((key * query).sum(2) / 4 ** 0.5, 1)
        z[t] = (w.unsqueeze(2) * v).sum(1)
    out = {t: n.dense(f"logit/{t}", z[t], 1) for t in tasks}
    p = {t: torch.sigmoid(out[t]) for t in tasks}
    n.penalty = {t: 0.6 * F.relu(p[t] - p[o]) for o, t in zip(tasks, tasks[1:])}  # eq. 10
    return out


def smooth_step(x, gamma=1.0):
    """Hazimeh et al. 2021, eq. 3: a cubic between -gamma/2 and gamma/2."""
    inside = -2 / gamma ** 3 * x ** 3 + 3 / (2 * gamma) * x + 0.5
    return torch.where(x <= -gamma / 2, 0, torch.where(x >= gamma / 2, 1, inside))


def dselect_k(n, x, tasks):
    """Hazimeh et al. 2021, eq. 4-5, the gate by example: q = sum over i of softmax(a(x))_i r(z_i(x)),
    r(z)_e = product over the bits m of e of s(z_m) or 1 - s(z_m)."""
    f = n.features(x)
    e = n.experts("expert", 4, f, (5, 4))
    h = {}
    for t in tasks:
        s = smooth_step(n.dense(f"mix/{t}/gate/code", f, 2 * 2)).reshape(B, 2, 2)  # selector, bit
        code = torch.stack([torch.stack([s[:, :, m] if i >> m & 1 else 1 - s[:, :, m] for m in range(2)]).prod(0)
                            for i in range(4)], 2)  # [B, selector, E]
        a = F.softmax(n.dense(f"mix/{t}/gate", f, 2), 1)
        h[t] = ((a.unsqueeze(2) * code).sum(1).unsqueeze(2) * e).sum(1)
    return n.towers(h, (4,))


def stem(n, x, tasks):
    """Su et al. 2024: an embedding table for each task beside the shared one; a task's gate sees the
    experts of all, but sends no gradient into those of the other tasks."""
    shared = n.features(x)
    own = {t: n.features(x, f"table/{t}") for t in tasks}
    es = n.experts("shared", 2, shared, (4,))
    eo = {t: n.experts(f"own/{t}", 2, own[t], (4,)) for t in tasks}
    h = {}
    for t in tasks:
        seen = torch.cat([eo[t], es] + [eo[o].detach() for o in tasks if o != t], 1)
        h[t] = n.mixture(f"mix/{t}", seen, own[t])
    return n.towers(h, (4,))


def pepnet(n, x, tasks):
    """Chang et al. 2023, eq. 2-8: EPNet scales the embeddings by the domain, PPNet every hidden layer of a
    task by who and what it is about; no gate sends a gradient into the embeddings that it scales."""
    f = n.features(x)
    e = mask(n, "domain", f, torch.cat([n.feature(x, "place"), f.detach()], 1), 4, 2)
    prior = torch.cat([n.feature(x, "colour"), e.detach()], 1)
    h = {t: e for t in tasks}
    for k, units in enumerate((5, 4), 1):
        h = {t: n.mlp(f"layer{k}/{t}", h[t], (units,)) for t in tasks}
        h = {t: mask(n, f"scale{k}/{t}", h[t], prior, 4, 2) for t in tasks}
    return {t: n.dense(f"logit/{t}", h[t], 1) for t in tasks}


def hmoe(n, x, tasks):
    """Li et al. 2020: a task's answer is a mixture of all tasks' scores, with no gradient into the others."""
    f = n.features(x)
    e = n.experts("expert", 3, f, (5, 4))
    s = {t: n.dense(f"score/{t}", n.mlp(f"tower/{t}", n.mixture(f"mix/{t}", e, f), (4,)), 1) for t in tasks}
    return {t: n.mixture(f"logit/{t}", torch.stack([s[t]] + [s[o].detach() for o in tasks if o != t], 1), f)
            for t in tasks}


ZOO = {  # file: network, what the run file says of the model
    "single_task": (single_task, "units: [5, 4]"),
    "shared_bottom": (shared_bottom, "units: [6, 5], tower: [4]"),
    "omoe": (omoe, "experts: 3, units: [5, 4], tower: [4]"),
    "mmoe": (mmoe, "experts: 3, units: [5, 4], tower: [4]"),
    "mmoe_top_k": (mmoe_top_k, "experts: 4, units: [5, 4], tower: [4], top: 2"),
    "mmoe_dcn": (mmoe_dcn, "experts: 3, units: [5, 4], tower: [4], depth: 2, rank: 3"),
    "dselect_k": (dselect_k, "experts: 4, units: [5, 4], tower: [4], select: 2"),
    "cross_stitch": (cross_stitch, "units: [[5], [4]]"),
    "sluice": (sluice, "units: 4, parts: 2"),
    "mtan": (mtan, "units: [[6], [5]], tower: [4]"),
    "esmm": (esmm, "units: [5, 4]"),
    "escm2_ips": (escm2_ips, "click: click, conversion: cart, both: buy, units: [5, 4], least: 0.4"),
    "dbmtl": (dbmtl, "units: [6, 5], tower: [4], relation: [3]"),
    "aitm": (aitm, "units: [5, 4]"),
    "stem": (stem, "shared: 2, own: 2, units: [4], tower: [4]"),
    "pepnet": (pepnet, "units: [[5], [4]], gate: [4], domain: place, prior: colour"),
    "hmoe": (hmoe, "experts: 3, units: [5, 4], tower: [4]"),
    "cgc": (cgc, "shared: 2, own: 2, units: [4], tower: [4]"),
    "ple": (ple, "shared: 2, own: 2, units: [[4], [3]], tower: [4]"),
}
