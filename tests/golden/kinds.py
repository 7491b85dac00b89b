#!/usr/bin/env python3
"""Write zoo/kinds.NAME.safetensors: networks of the kinds of layers that the models of the zoo do not
show, or not in every form, as PyTorch computes them; beside each the network as Poise reads it.

    python3 tests/golden/kinds.py [NAME...]        (made with PyTorch 2.13.0)

The files are as zoo.py writes them, and tests/golden/test_zoo.c walks over them with the others.
"""
import math
import sys

import torch
import torch.nn.functional as F

from zoo import record
from zoo_networks import TABLES, Net


def both(x, y):
    return torch.cat([x, y], 1)


class Layers(Net):
    """One function per kind; `name` is what its weights' names begin with."""

    def norm(self, name, x, axis, eps=1e-5):
        """Over the columns (axis 1) of each row, or over the rows that count (axis 0)."""
        part = x if axis == 1 else x[:-1]  # the last row is padding
        mean, var = part.mean(axis, keepdim=True), part.var(axis, unbiased=False, keepdim=True)
        gamma = self.weight(f"{name}/gamma", *x.shape[1:])
        return gamma * (x - mean) / (var + eps).sqrt() + self.weight(f"{name}/beta", *x.shape[1:])

    def gate(self, name, x, units, outputs):
        return self.dense(name, self.mlp(name, x, units), outputs)

    def stitch(self, name, parts):
        """sum over k of w[k] x_k"""
        w = self.weight(f"{name}/weight", len(parts))
        return sum(w[k] * p for k, p in enumerate(parts))

    def attention(self, name, u):
        """AITM's: u is [B, D] vectors."""
        u = torch.stack(u, 1)
        b, n, d = u.shape
        q, k, v = (self.dense(f"{name}/{p}", u.reshape(b * n, d), d).reshape(b, n, d)
                   for p in ("query", "key", "value"))
        weight = F.softmax((q * k).sum(2) / math.sqrt(d), 1)
        return (weight.unsqueeze(2) * v).sum(1)

    def heads(self, x, tasks, name="logit"):
        return {t: self.dense(f"{name}/{t}", x[t] if isinstance(x, dict) else x, 1) for t in tasks}


def combine(n, x, tasks):
    f = n.features(x)
    a, b = n.mlp("a", f, (4,)), n.mlp("b", f, (4,), torch.tanh)
    s = n.dense("s", f, 1)
    total, times = a + b, a * s * b
    less = a - b - total
    soft = F.softmax(less, 1) + 2
    parts = [total.detach(), 0.5 * times, soft, n.norm("rows", times, 1), n.norm("columns", total, 0)]
    return n.heads(torch.cat(parts, 1), tasks)


def chance(n, x, tasks):
    """ESMM's product along the tasks: p_t = prod over s <= t of sigmoid(score_s), as a logit."""
    score = n.heads(n.features(x), tasks, "score")
    log_p, out = 0, {}
    for t in tasks:
        log_p = log_p + F.logsigmoid(score[t])
        out[t] = log_p - torch.log(-torch.expm1(log_p))
    return out


def halved(n, x, tasks):
    """The logit of a number that is no product of probabilities."""
    score = n.heads(n.features(x), tasks, "score")
    return {t: torch.logit(0.5 * torch.sigmoid(score[t])) for t in tasks}


def sparse(n, x, tasks):
    """A gate with a hidden layer and a temperature, over the two largest of four experts."""
    f = n.features(x)
    e, h = n.experts("expert", 4, f, (5,)), {}
    for t in tasks:
        z = n.gate(f"mix/{t}/gate", f, (4,), 4) / 0.7
        keep = z >= z.topk(2, 1).values[:, 1:]
        h[t] = (F.softmax(z.masked_fill(~keep, -math.inf), 1).unsqueeze(2) * e).sum(1)
    return n.heads(h, tasks)


def dselect(n, x, tasks):
    """Hazimeh et al. 2021, per example; the fourth code stands for the first of three experts."""
    f, smooth, k, m = n.features(x), 8.0, 2, 2
    e, h = n.experts("expert", 3, f, (5,)), {}
    for t in tasks:
        share = F.softmax(n.dense(f"mix/{t}/gate", f, k), 1)
        s = n.dense(f"mix/{t}/gate/code", f, k * m)
        s = (-2 / smooth ** 3 * s ** 3 + 1.5 / smooth * s + 0.5).clamp(0, 1).reshape(-1, k, m)
        code = [(1 - s[:, :, 0]) * (1 - s[:, :, 1]), s[:, :, 0] * (1 - s[:, :, 1]),
                (1 - s[:, :, 0]) * s[:, :, 1], s[:, :, 0] * s[:, :, 1]]
        one = torch.stack([code[0] + code[3], code[1], code[2]], 2)
        weight = (share.unsqueeze(2) * one).sum(1)
        h[t] = (weight.unsqueeze(2) * e).sum(1)
    return n.heads(h, tasks)


def mask(n, x, tasks):
    """MTAN's mask, and PEPNet's with factor 2 and a stopped gradient before the gate."""
    f = n.features(x)
    h, out = n.mlp("shared", f, (5,)), {}
    for t in tasks:
        a = h * torch.sigmoid(n.gate(f"seen/{t}/gate", f, (), 5))
        g = n.gate(f"scaled/{t}/gate", f.detach(), (3,), 5)
        out[t] = both(a, h * 2 * torch.sigmoid(g))
    return n.heads(out, tasks)


def stitch(n, x, tasks):
    """Misra et al. 2016, Ruder et al. 2019, and a learnt sum of both."""
    f = n.features(x)
    h = {t: n.mlp(f"hidden/{t}", f, (4,)) for t in tasks}
    s = {t: n.mlp(f"second/{t}", n.stitch(f"stitched/{t}", list(h.values())), (4,)) for t in tasks}
    pieces = [p for t in tasks for p in (s[t][:, :2], s[t][:, 2:])]
    u = {t: both(*(n.stitch(f"sluiced/{t}/{k}", pieces) for k in range(2))) for t in tasks}
    return n.heads({t: n.stitch(f"all/{t}", [h[t], u[t]]) for t in tasks}, tasks)


def aitm(n, x, tasks):
    """Xi et al. 2021: what a task learnt goes on to the next."""
    f, info, z = n.features(x), None, {}
    for t in tasks:
        tower = n.mlp(f"tower/{t}", f, (4,))
        z[t] = tower if info is None else n.attention(f"transfer/{t}", [tower, info])
        info = n.mlp(f"info/{t}", z[t], (4,)) if t != tasks[-1] else None
    return n.heads(z, tasks)


def cross(n, x, tasks):
    """Wang et al. 2021: x_l+1 = x_0 (W_l x_l + b_l) + x_l, and with W = U V."""
    f = n.features(x)
    full = low = f
    d = f.shape[1]
    for k in range(2):
        full = f * n.dense(f"full/{k}", full, d) + full
        low = f * n.dense(f"low/{k}", F.linear(low, n.weight(f"low/{k}/down/weight", 3, d)), d) + low
    return n.heads(both(full, low), tasks)


def crossed(n, x, tasks):
    """DCN-v2 networks as experts, full and thin, and thin ones that each read their own."""
    f, copies, rank = n.features(x), 2, 2
    d = f.shape[1]

    def expert(name, x0, e, thin):
        h = x0
        for k in range(2):
            wide = rank if thin else d
            w = n.weight(f"{name}/{k}/weight", copies, d, wide)[e]
            y = F.linear(h, n.weight(f"{name}/{k}/down/weight", copies, rank, d)[e]) if thin else h
            h = x0 * F.linear(y, w, n.weight(f"{name}/{k}/bias", copies, d)[e]) + h
        return h

    full = [expert("full", f, e, False) for e in range(copies)]
    w, bias = n.weight("between/0/weight", copies, d, d), n.weight("between/0/bias", copies, d)
    deep = [expert("deep", F.relu(F.linear(full[e], w[e], bias[e])), e, True) for e in range(copies)]
    return n.heads({t: n.mixture(f"mix/{t}", torch.stack([*full, *deep], 1), f) for t in tasks}, tasks)


def fields(n, x, tasks):
    """Rendle 2010, He and Chua 2017, Huang et al. 2019 on three fields of width 3."""
    f = n.features(x)
    colour = f[:, 2:5]
    v = [colour, *n.experts("stack", 2, f, (3,), torch.tanh).unbind(1)]
    pair = [(i, j) for i in range(3) for j in range(i + 1, 3)]
    vector = sum(v[i] * v[j] for i, j in pair)
    w = n.weight("one/weight", 3, 3)
    one = [F.linear(v[i], w) * v[j] for i, j in pair]
    w = n.weight("field/weight", 3, 3, 3)
    field = [F.linear(v[i], w[i]) * v[j] for i, j in pair]
    w = n.weight("pair/weight", 3, 3, 3)
    each = [F.linear(v[i], w[p]) * v[j] for p, (i, j) in enumerate(pair)]
    return n.heads(torch.cat([vector.sum(1, keepdim=True), vector, *one, *field, *each], 1), tasks)


def squeeze(n, x, tasks):
    """FiBiNET's SENET over the features, one after the other as they are declared, and a layer."""
    f = n.features(x)
    v = [f[:, :1], f[:, 1:2], f[:, 2:5], f[:, 5:7], n.mlp("hidden", f, (4,), torch.tanh)]
    by = F.relu(n.dense("excited/0", torch.stack([p.mean(1) for p in v], 1), 2))
    by = torch.sigmoid(n.dense("excited/1", by, 5))
    return n.heads(torch.cat([p * by[:, k:k + 1] for k, p in enumerate(v)], 1), tasks)


def tables(n, x, tasks):
    """Su et al. 2024: embeddings that a task has for itself, beside the shared ones."""
    f, out = n.features(x), {}
    rows = {k: n.weight(f"few/{k}", r, 2, scale=1)[x["ids"][:, j]]
            for j, (k, (r, _)) in enumerate(TABLES.items()) if k == "place"}
    few = both(x["numeric"][:, 1:], rows["place"])
    for t in tasks:
        own = [n.weight(f"own/{t}/{k}", *shape, scale=1)[x["ids"][:, j]] for j, (k, shape) in enumerate(TABLES.items())]
        out[t] = torch.cat([f, x["numeric"], *own, few], 1)
    return n.heads(out, tasks)


def layers(n, x, tasks):
    """An mlp whose layers differ, on a stack."""
    f, copies, h = n.features(x), 2, []
    first = n.experts("expert/", copies, f, (), None)  # no layer: the stack of inputs
    w0, b0 = n.weight("expert/0/weight", copies, 4, 7), n.weight("expert/0/bias", copies, 4)
    w1, b1 = n.weight("expert/1/weight", copies, 3, 4), n.weight("expert/1/bias", copies, 3)
    gamma, beta = n.weight("expert/0/norm/gamma", copies, 4), n.weight("expert/0/norm/beta", copies, 4)
    for e in range(copies):
        a = F.layer_norm(F.linear(first[:, e], w0[e], b0[e]), (4,), gamma[e], beta[e])
        h.append(F.linear(torch.tanh(a), w1[e], b1[e]))
    return n.heads({t: n.mixture(f"mix/{t}", torch.stack(h, 1), f) for t in tasks}, tasks)


LOGIT = "logit: {each: task, dense: 1, input: %s}"
KINDS = {  # name: network, the layers as Poise reads them, its output
    "combine": (combine, """
        a: {mlp: [4], input: features}
        b: {mlp: [4], activation: tanh, input: features}
        s: {dense: 1, input: features}
        total: {add: [a, b]}
        less: {subtract: [a, b, total]}
        times: {multiply: [a, s, b]}
        two: {constant: 2, width: 4}
        soft: {softmax: less}
        shifted: {add: [soft, two]}
        stopped: {stop_gradient: total}
        half: {scale: 0.5, input: times}
        rows: {layer_norm: times}
        columns: {batch_norm: total}
        all: {concat: [stopped, half, shifted, rows, columns]}
        """ + LOGIT % "all", "logit"),
    "chance": (chance, """
        score: {each: task, dense: 1, input: features}
        rate: {each: task, probability: score}
        chance: {each: task, multiply: [rate, "rate[earlier]"]}""", "chance"),
    "halved": (halved, """
        score: {each: task, dense: 1, input: features}
        rate: {each: task, probability: score}
        half: {each: task, scale: 0.5, input: rate}
        answer: {each: task, logit: half}""", "answer"),
    "sparse": (sparse, """
        expert: {copies: 4, mlp: [5], input: features}
        mix: {each: task, mixture: expert, gate: {input: features, mlp: [4], temperature: 0.7, top: 2}}
        """ + LOGIT % "mix", "logit"),
    "dselect": (dselect, """
        expert: {copies: 3, mlp: [5], input: features}
        mix: {each: task, mixture: expert, gate: {input: features, select: 2, smooth: 8}}
        """ + LOGIT % "mix", "logit"),
    "mask": (mask, """
        shared: {mlp: [5], input: features}
        stopped: {stop_gradient: features}
        seen: {each: task, mask: shared, gate: features}
        scaled: {each: task, mask: shared, gate: {input: stopped, mlp: [3]}, factor: 2}
        """ + LOGIT % "[seen, scaled]", "logit"),
    "stitch": (stitch, """
        hidden: {each: task, mlp: [4], input: features}
        stitched: {each: task, cross_stitch: "hidden[*]"}
        second: {each: task, mlp: [4], input: stitched}
        sluiced: {each: task, sluice: "second[*]", own: 0.8}
        all: {each: task, blend: [hidden, sluiced]}
        """ + LOGIT % "all", "logit"),
    "aitm": (aitm, """
        tower: {each: task, mlp: [4], input: features}
        transfer: {each: task, attention: [tower, "info[previous]"]}
        info: {each: task, mlp: [4], input: transfer}
        """ + LOGIT % "transfer", "logit"),
    "cross": (cross, """
        full: {cross: 2, input: features}
        low: {cross: 2, rank: 3, input: features}
        """ + LOGIT % "[full, low]", "logit"),
    "crossed": (crossed, """
        full: {copies: 2, cross: 2, input: features}
        between: {copies: 2, mlp: [7], input: full}
        deep: {copies: 2, cross: 2, rank: 2, input: between}
        mix: {each: task, mixture: [full, deep], gate: features}
        """ + LOGIT % "mix", "logit"),
    "fields": (fields, """
        stack: {copies: 2, mlp: [3], activation: tanh, input: features}
        number: {factorisation_machine: [colour, stack]}
        vector: {factorisation_machine: [colour, stack], result: vector}
        one: {bilinear: [colour, stack]}
        field: {bilinear: [colour, stack], matrix: field}
        pair: {bilinear: [colour, stack], matrix: pair}
        """ + LOGIT % "[number, vector, one, field, pair]", "logit"),
    "squeeze": (squeeze, """
        hidden: {mlp: [4], activation: tanh, input: features}
        excited: {squeeze_excitation: [features, hidden], reduction: 2}
        """ + LOGIT % "excited", "logit"),
    "tables": (tables, """
        own: {each: task, embedding: features}
        few: {embedding: [price, place], dim: 2}
        """ + LOGIT % "[features, own, few]", "logit"),
    "layers": (layers, """
        expert: {copies: 2, mlp: [4, 3], activation: [tanh, none], norm: [layer, none], input: features}
        mix: {each: task, mixture: expert, gate: features}
        """ + LOGIT % "mix", "logit"),
}


if __name__ == "__main__":
    for wanted in sys.argv[1:] or KINDS:
        network, rows, output = KINDS[wanted]
        text = ", ".join(row.strip() for row in rows.strip().splitlines())
        record("kinds." + wanted, network, "{output: %s, network: {%s}}" % (output, text), Layers)
