#!/usr/bin/env python3
"""Write zoo/NAME.safetensors: every network of models/ as PyTorch computes it, in float64.

    python3 tests/golden/zoo.py [NAME...]        (made with PyTorch 2.13.0)

A file holds the weights under Poise's names ("w/..."), one batch, and what becomes of it: every
task's output and loss, and the gradient of the sum of the losses by every weight ("d/...").
tests/golden/test_zoo.c builds models/NAME.yaml with the settings in the file's metadata, the same
weights and the same batch, and compares.  The networks are in zoo_networks.py.
"""
import os
import sys
import zlib

import torch
import torch.nn.functional as F

from tensors import write
from zoo_networks import B, NUMERIC, TABLES, TASKS, ZOO, Net

HERE = os.path.dirname(os.path.abspath(__file__))
torch.set_default_dtype(torch.float64)


def batch():
    """Rows with labels that are missing, sample weights, and a row without any (padding)."""
    x = {"numeric": torch.randn(B, NUMERIC).float().double(),
         "ids": torch.stack([torch.randint(0, rows, (B,)) for rows, _ in TABLES.values()], 1)}
    label = (torch.rand(len(TASKS), B) < 0.5).double()
    weight = torch.randint(1, 9, (B,)).double() / 4
    weight[-1] = 0
    label[torch.rand(len(TASKS), B) < 0.15] = float("nan")
    return x | {"label": label, "weight": weight}


def loss(logit, label, weight, row_weight=None, penalty=None):
    """The weighted mean of the cross entropies over the rows that have a label, and that of the penalty."""
    w = torch.where(label.isnan(), 0, weight)
    v = w if row_weight is None else w * row_weight[:, 0]
    each = F.binary_cross_entropy_with_logits(logit[:, 0], label.nan_to_num(0), reduction="none")
    return (v * each).sum() / v.sum() + (0 if penalty is None else (w * penalty[:, 0]).sum() / w.sum())


def passes(network, kind, seed):
    """One forward and one backward pass.  The batch, the network, the outputs, the losses."""
    torch.manual_seed(seed)
    x, n = batch(), kind()
    out = network(n, x, TASKS)
    losses = {t: loss(out[t], x["label"][k], x["weight"], n.row_weight.get(t), n.penalty.get(t))
              for k, t in enumerate(TASKS)}
    sum(losses.values()).backward()
    return x, n, out, losses


def record(name, network, model, kind=Net):
    """network(n, x, tasks) on a batch of its own, n a `kind`; `model` is what the run file says of it."""
    for seed in range(zlib.crc32(name.encode()), 1 << 33):  # the first whose gradients all tell something
        x, n, out, losses = passes(network, kind, seed)
        if all(w.grad is not None and w.grad.abs().max() > 1e-4 for w in n.p.values()):
            break
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
        record(wanted, network, "{use: %s, %s}" % (wanted.split(".")[0], settings))
