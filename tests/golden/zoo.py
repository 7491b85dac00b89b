#!/usr/bin/env python3
"""Write zoo/NAME.safetensors: every network of models/ as PyTorch computes it, in float64.

    python3 tests/golden/zoo.py [NAME...]        (made with PyTorch 2.13.0)

A file holds the weights under Poise's names ("w/..."), one batch, and what becomes of it: every
task's output and loss, and the gradient of the sum of the losses by every weight ("d/...").
tests/golden/test_zoo.c builds models/NAME.yaml with the settings in the file's metadata, the same
weights and the same batch, and compares.

The networks are written from their papers; nothing of Poise is used but the names of the weights.
A weight is drawn where a network first asks for it.  Shapes: B rows, D inputs, E experts, H units.
"""
import os
import sys
import zlib

import torch
import torch.nn.functional as F

from tensors import write

HERE = os.path.dirname(os.path.abspath(__file__))
B = 12  # rows; the last is padding
NUMERIC, TABLES = 2, {"colour": (4, 3), "place": (5, 2)}  # numbers, and rows and widths of embeddings
TASKS = ("click", "cart", "buy")

torch.set_default_dtype(torch.float64)


def draw(*shape, scale=1.0):
    """Uniform in [-scale, scale], rounded to float32 so that both programs start from one value."""
    return ((torch.rand(*shape) * 2 - 1) * scale).float().double()


class Net:
    """Weights by name, and the layers that all networks are made of."""

    def __init__(self):
        self.p = {}

    def weight(self, name, *shape, scale=0.6):
        if name not in self.p:
            self.p[name] = draw(*shape, scale=scale).requires_grad_()
        assert self.p[name].shape == shape, name
        return self.p[name]

    def features(self, x):
        """[B, D]: the numbers, then the embeddings."""
        tables = [self.weight(f"embedding/{f}", *shape, scale=1) for f, shape in TABLES.items()]
        return torch.cat([x["numeric"]] + [t[x["ids"][:, k]] for k, t in enumerate(tables)], 1)

    def dense(self, name, x, units):
        return F.linear(x, self.weight(f"{name}/weight", units, x.shape[1], scale=(3 / x.shape[1]) ** 0.5),
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


ZOO = {  # file: network, what the run file says of the model
    "single_task": (single_task, "units: [5, 4]"),
    "shared_bottom": (shared_bottom, "units: [6, 5], tower: [4]"),
    "omoe": (omoe, "experts: 3, units: [5, 4], tower: [4]"),
    "mmoe": (mmoe, "experts: 3, units: [5, 4], tower: [4]"),
    "cgc": (cgc, "shared: 2, own: 2, units: [4], tower: [4]"),
    "ple": (ple, "shared: 2, own: 2, units: [[4], [3]], tower: [4]"),
}


# ---- the batch and the losses ------------------------------------------------------------------

def batch():
    """Rows with labels that are missing, sample weights, and a row without any (padding)."""
    x = {"numeric": torch.randn(B, NUMERIC).float().double(),
         "ids": torch.stack([torch.randint(0, rows, (B,)) for rows, _ in TABLES.values()], 1)}
    label = (torch.rand(len(TASKS), B) < 0.5).double()
    weight = torch.randint(1, 9, (B,)).double() / 4
    weight[-1] = 0
    label[torch.rand(len(TASKS), B) < 0.15] = float("nan")
    return x | {"label": label, "weight": weight}


def loss(logit, label, weight):
    """The weighted mean of the cross entropies over the rows that have a label."""
    w = torch.where(label.isnan(), 0, weight)
    each = F.binary_cross_entropy_with_logits(logit[:, 0], label.nan_to_num(0), reduction="none")
    return (w * each).sum() / w.sum()


def record(name, network, model, n):
    """network(n, x, tasks) on a batch of its own; `model` is what the run file says of it."""
    torch.manual_seed(zlib.crc32(name.encode()))
    x = batch()
    out = network(n, x, TASKS)
    losses = {t: loss(out[t], x["label"][k], x["weight"]) for k, t in enumerate(TASKS)}
    sum(losses.values()).backward()
    for k, w in n.p.items():
        assert w.grad.abs().max() > 1e-4, f"{name}: the gradient of {k} tells nothing"
    tensors = {f"w/{k}": w.detach().float() for k, w in n.p.items()}
    tensors |= {f"d/{k}": w.grad.float() for k, w in n.p.items()}
    tensors |= {f"output/{t}": out[t].detach().float() for t in TASKS}
    tensors |= {f"loss/{t}": losses[t].detach().float().reshape(1) for t in TASKS}
    tensors |= {"batch/numeric": x["numeric"].float(), "batch/ids": x["ids"].int(),
                "batch/label": x["label"].float(), "batch/weight": x["weight"].float()}
    path = os.path.join(HERE, "zoo", name + ".safetensors")
    write(path, tensors, {"made by": "tests/golden/zoo.py with PyTorch " + torch.__version__.split("+")[0],
                          "model": model})
    print(f"{name}: {sum(w.numel() for w in n.p.values())} weights, {os.path.getsize(path)} bytes, losses",
          *(f"{v.item():.4f}" for v in losses.values()))


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ZOO:
        network, settings = ZOO[wanted]
        record(wanted, network, "{use: %s, %s}" % (wanted.split(".")[0], settings), Net())
