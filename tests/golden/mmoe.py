#!/usr/bin/env python3
"""Write mmoe.safetensors: 20 training steps of a small MMoE as PyTorch takes them, in float64.

    python3 tests/golden/mmoe.py tests/golden/mmoe.safetensors        (made with PyTorch 2.13.0)

The file holds the initial weights under Poise's names, 20 batches, and for each balancer and
optimiser the unweighted losses, the task weights and the weights of the network after the last step.
tests/golden/test_mmoe.c takes the same steps and compares.  Everything here is written from the
formulas, with autograd for every gradient; nothing of Poise is used.

The batches hold what is easy to get wrong: labels that are missing (NaN), sample weights, rows
without any weight (padding), a batch in which one task has no labels, categories that never occur.
"""
import sys

import torch
import torch.nn.functional as F

from tensors import write

STEPS, B = 20, 16  # batches, rows
NUMERIC, ROWS, DIM = 3, (5, 7), (4, 2)  # numeric features; rows and widths of two embeddings
E, UNITS, TOWER = 3, (8, 6), 5  # experts, their layers, the towers' layer
TASKS = ("click", "buy")
ALPHA, LR = 1.5, 0.025  # of the balancers
RATE = {"adam": 0.01, "sgd": 0.25}
LR_SGD = 0.1  # of a balancer that takes plain gradient steps

torch.manual_seed(20)
torch.set_default_dtype(torch.float64)  # float32 gives the same to about 1e-6


def draw(*shape, scale=1.0):
    """Uniform in [-scale, scale], rounded to float32 so that both programs start from one value."""
    return ((torch.rand(*shape) * 2 - 1) * scale).float()


def initial():
    i = NUMERIC + sum(DIM)
    p = {"embedding/colour": draw(ROWS[0], DIM[0]), "embedding/place": draw(ROWS[1], DIM[1])}
    for k, o in enumerate(UNITS):
        p[f"expert/{k}/weight"], p[f"expert/{k}/bias"] = draw(E, o, i, scale=(6 / i) ** 0.5), draw(E, o, scale=0.2)
        i = o
    for t in TASKS:
        p[f"mix/{t}/gate/weight"], p[f"mix/{t}/gate/bias"] = draw(E, NUMERIC + sum(DIM)), draw(E, scale=0.2)
        p[f"tower/{t}/0/weight"], p[f"tower/{t}/0/bias"] = draw(TOWER, UNITS[-1]), draw(TOWER, scale=0.2)
        p[f"logit/{t}/weight"], p[f"logit/{t}/bias"] = draw(1, TOWER), draw(1, scale=0.2)
    return p


def batches():
    numeric = torch.randn(STEPS, B, NUMERIC).float()
    ids = torch.stack([torch.randint(0, r - 1, (STEPS, B)) for r in ROWS], 2).int()  # the last row never
    score = numeric.sum(2) + ids.sum(2) * 0.3 - 2
    label = torch.stack([(score + torch.randn(STEPS, B) > 0), (score + torch.randn(STEPS, B) > 1.5)], 1).float()
    label[torch.rand(STEPS, len(TASKS), B) < 0.15] = float("nan")
    label[7, 1] = float("nan")
    weight = (torch.randint(1, 9, (STEPS, 1, B)) / 4).float().repeat(1, len(TASKS), 1)
    weight[-1, :, B - 4:] = 0  # a last batch of 12 rows
    return {"batch/numeric": numeric, "batch/ids": ids, "batch/label": label, "batch/weight": weight}


def losses(p, numeric, ids, label, weight):
    """Weighted means over the labelled rows, and the sums of their weights."""
    x = torch.cat([numeric, F.embedding(ids[:, 0], p["embedding/colour"], sparse=True),
                   F.embedding(ids[:, 1], p["embedding/place"], sparse=True)], 1)
    h = x.unsqueeze(0)  # [E, B, .] from here
    for k in range(len(UNITS)):
        h = F.relu(torch.einsum("ebi,eoi->ebo", h.expand(E, -1, -1), p[f"expert/{k}/weight"]) + p[f"expert/{k}/bias"].unsqueeze(1))
    out, sums = [], []
    for t, name in enumerate(TASKS):
        gate = F.softmax(F.linear(x, p[f"mix/{name}/gate/weight"], p[f"mix/{name}/gate/bias"]), 1)
        m = torch.einsum("be,ebh->bh", gate, h)
        m = F.relu(F.linear(m, p[f"tower/{name}/0/weight"], p[f"tower/{name}/0/bias"]))
        z = F.linear(m, p[f"logit/{name}/weight"], p[f"logit/{name}/bias"])[:, 0]
        known = ~label[t].isnan()
        w = torch.where(known, weight[t], 0.0)
        y = torch.where(known, label[t], 0.0)
        each = F.binary_cross_entropy_with_logits(z, y, reduction="none")
        out.append((w * each).sum() / w.sum() if w.sum() > 0 else (w * each).sum())
        sums.append(float(w.sum()))
    return out, sums


class Equal:
    def __init__(self, optimizer):
        pass

    def weights(self, loss, sums, p):
        return [1.0] * len(TASKS)


def own_optimizer(parameters, optimizer):
    return torch.optim.Adam(parameters, LR) if optimizer == "adam" else torch.optim.SGD(parameters, LR_SGD)


class Uncertainty:
    """Kendall et al.: minimise sum of exp(-s) l / 2 + s / 2 over s too; s from -1/2."""

    def __init__(self, optimizer):
        self.s = [torch.tensor(-0.5, requires_grad=True) for _ in TASKS]
        self.o = own_optimizer(self.s, optimizer)

    def weights(self, loss, sums, p):
        used = [(-s).exp().item() / 2 for s in self.s]
        self.o.zero_grad()
        for t, s in enumerate(self.s):
            if sums[t] > 0:
                ((-s).exp() * loss[t].detach() / 2 + s / 2).backward()
        self.o.step()  # skips an s without a gradient
        return used


class GradNorm:
    """Chen et al.: autograd through sum |w_i g_i - target_i|, target constant; W: all experts' output layers."""

    def __init__(self, optimizer):
        self.w = [torch.tensor(1.0, requires_grad=True) for _ in TASKS]
        self.o = own_optimizer(self.w, optimizer)
        self.first = [None for _ in TASKS]
        self.margin = 1.0

    def weights(self, loss, sums, p):
        used = [w.item() for w in self.w]
        last = [p[f"expert/{len(UNITS) - 1}/weight"], p[f"expert/{len(UNITS) - 1}/bias"]]
        on = [t for t in range(len(TASKS)) if sums[t] > 0]
        norm = {}
        for t in on:
            if self.first[t] is None:
                self.first[t] = loss[t].item()
            g = torch.autograd.grad(loss[t], last, retain_graph=True)
            norm[t] = torch.cat([x.flatten() for x in g]).norm().detach()
        ratio = {t: loss[t].item() / self.first[t] for t in on}
        mean_ratio = sum(ratio.values()) / len(on)
        scaled = {t: self.w[t] * norm[t] for t in on}
        mean = sum(scaled.values()).detach() / len(on)
        target = {t: mean * (ratio[t] / mean_ratio) ** ALPHA for t in on}
        gap = {t: scaled[t] - target[t] for t in on}
        self.o.zero_grad()
        sum(g.abs() for g in gap.values()).backward()
        self.o.step()
        # A gap near 0 would make the sign, and with it the trajectory, a matter of rounding.  At the
        # first step the ratios are 1; a task that is alone has no gap at all.
        if len(on) > 1:
            self.margin = min([self.margin] + [abs(g.item()) / mean.item() for g in gap.values()])
        with torch.no_grad():
            before, total = sum(used[t] for t in on), sum(self.w[t].item() for t in on)
            for t in on:
                self.w[t] *= before / total
        return used


def plain(optimizer):
    """The same rule and rate for everything."""

    def make(p):
        dense = [v for k, v in p.items() if not k.startswith("embedding/")]
        table = [v for k, v in p.items() if k.startswith("embedding/")]
        if optimizer == "adam":
            return [torch.optim.Adam(dense, RATE["adam"]), torch.optim.SparseAdam(table, RATE["adam"])], [], 0
        return [torch.optim.SGD(dense + table, RATE["sgd"])], [], 0

    return make


def split(p, *tests):
    """Parameter groups: what each test takes of what is left, then the rest."""
    left, groups = dict(p), []
    for test in tests:
        groups.append([v for k, v in left.items() if test(k)])
        left = {k: v for k, v in left.items() if not test(k)}
    return groups + [list(left.values())]


def schedulers(optimizers, warmup, make):
    """A linear warm-up, then what make() makes."""
    if warmup == 0:
        return [make(o) for o in optimizers]
    return [torch.optim.lr_scheduler.SequentialLR(o, [torch.optim.lr_scheduler.LinearLR(o, 1 / warmup, 1, warmup - 1), make(o)],
                                                  [warmup]) for o in optimizers]


def cosine(p):
    table, dense = split(p, lambda k: k.startswith("embedding/"))
    o = [torch.optim.Adam(dense, 0.02), torch.optim.Adagrad(table, 0.1)]
    return o, schedulers(o, 5, lambda x: torch.optim.lr_scheduler.CosineAnnealingLR(x, 15, 0.1 * x.param_groups[0]["initial_lr"])), 0.5


def step(p):
    tower, expert, rest = split(p, lambda k: k.startswith("tower"), lambda k: k.startswith("expert/"))
    o = [torch.optim.SGD([{"params": tower, "lr": 0.025}, {"params": expert, "weight_decay": 0.01}, {"params": rest}], 0.25)]
    return o, schedulers(o, 0, lambda x: torch.optim.lr_scheduler.StepLR(x, 4, 0.5)), 0


def exponential(p):
    place, table, bias, dense = split(p, lambda k: k == "embedding/place", lambda k: k.startswith("embedding/"), lambda k: k.endswith("/bias"))
    o = [torch.optim.AdamW([{"params": bias, "weight_decay": 0}, {"params": dense}], 0.01, weight_decay=0.1),
         torch.optim.SparseAdam([{"params": place, "lr": 0.01}, {"params": table}], 0.02)]
    return o, schedulers(o, 3, lambda x: torch.optim.lr_scheduler.ExponentialLR(x, 0.9)), 0


def clip(p, most):
    """torch.nn.utils.clip_grad_norm_ of gradients some of which are sparse."""
    for v in p.values():
        if v.grad is not None and v.grad.is_sparse:
            v.grad = v.grad.to_dense()
    torch.nn.utils.clip_grad_norm_(p.values(), most)


def train(start, data, balancer, optimizer, make):
    p = {k: v.double().clone().requires_grad_() for k, v in start.items()}
    steps, rates, most = make(p)
    b = balancer(optimizer)
    out = {"loss": [], "weight": []}
    for k in range(STEPS):
        loss, sums = losses(p, data["batch/numeric"][k].double(), data["batch/ids"][k], data["batch/label"][k].double(),
                            data["batch/weight"][k].double())
        w = b.weights(loss, sums, p)
        for o in steps:
            o.zero_grad()
        sum(w[t] * loss[t] for t in range(len(TASKS))).backward()
        if most:
            clip(p, most)
        for o in steps + rates:
            o.step()
        out["loss"].append([x.item() for x in loss])
        out["weight"].append(w)
    assert getattr(b, "margin", 1) > 1e-3, b.margin
    return {k: torch.tensor(v) for k, v in out.items()} | {f"end/{k}": v.detach().float() for k, v in p.items()}


start, data = initial(), batches()
tensors = start | data
runs = [(name, balancer, optimizer, plain(optimizer)) for name, balancer in (("equal", Equal), ("uncertainty", Uncertainty), ("gradnorm", GradNorm))
        for optimizer in ("adam", "sgd")]
runs += [("equal", Equal, make.__name__, make) for make in (cosine, step, exponential)]
for name, balancer, optimizer, make in runs:
    run = train(start, data, balancer, optimizer, make)
    tensors |= {f"{name}/{optimizer}/{k}": v for k, v in run.items()}
    print(name, optimizer, "losses", *(f"{v:.4f}" for v in run["loss"][0]), "->", *(f"{v:.4f}" for v in run["loss"][-1]),
          "weights", *(f"{v:.4f}" for v in run["weight"][-1]), file=sys.stderr)
write(sys.argv[1], tensors, {"made by": "tests/golden/mmoe.py with PyTorch " + torch.__version__.split("+")[0]})
