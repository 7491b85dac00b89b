#!/usr/bin/env python3
"""Time a training step under every strategy relative to `equal`; print the tables as Markdown.

usage: strategies.py [--poise PATH] [--case census] [--tasks 2,4,8] [--strategies a,b] [--scopes last,all]
                     [--threads 1] [--rounds 3] [--blocks 3] [--steps N] [--torch]

Each strategy is timed in turns with `equal`, `rounds` times, so that a slow minute of the machine meets
both; a cell is the median time over equal's median.  Strategies that ask for gradients are timed with
both scopes, the last shared layer and all shared parameters; those that work element by element or by
group always have all.  --torch adds the same of training in PyTorch as LibMTL does it: a backward pass
per task through all that is shared, for GradNorm, PCGrad, MGDA and CAGrad, beside one backward pass of
the sum.
"""
import argparse
import json
import pathlib
import shlex
import statistics
import subprocess
import sys
import time

from side_by_side import machine

CASES = {  # as bench/case.h; the embedding tables are dense parameters, as in LibMTL
    "tiny": dict(batch=256, dense=16, cats=0, rows=0, dim=0, experts=8, units=[16], tower=[8], steps=200),
    "census": dict(batch=512, dense=8, cats=32, rows=64, dim=4, experts=8, units=[64], tower=[32], steps=100),
    "ctr": dict(batch=2048, dense=13, cats=26, rows=100_000, dim=16, experts=8, units=[256, 128], tower=[64],
                steps=12),
}
TORCH = ["gradnorm", "pcgrad", "mgda", "cagrad"]


def run(command):
    """The JSON object that a command prints, or its last line of complaint."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{shlex.join(command)}: status {done.returncode}"]
        return lines[0]
    return json.loads(done.stdout.strip().splitlines()[-1])


def strategies(poise):
    """Rows (name, cost, signals) of `poise balancer list`, which are in columns."""
    lines = subprocess.run([poise, "balancer", "list"], capture_output=True, text=True, check=True).stdout.splitlines()
    cost, signals = lines[0].index("cost"), lines[0].index("signals")
    return [(line[:cost].strip(), line[cost:signals].strip(), line[signals:].strip())
            for line in lines[1:] if line and not line[0].isspace()]


def weighs(poise, name):
    """What the weights are of, as `poise balancer info` says."""
    text = subprocess.run([poise, "balancer", "info", name], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("weighs"):
            return "shared part" if "shared" in line else "whole loss"
    return "elements"


def in_turns(base, other, rounds):
    """Medians of the milliseconds of two commands run in turns; or why the second one fails."""
    a, b = [], []
    for _ in range(rounds):
        for command, times in ((base, a), (other, b)):
            result = run(command)
            if isinstance(result, str):
                return result
            times.append(result["ms_per_step"])
    return statistics.median(a), statistics.median(b)


def row(label, cells, notes):
    """A row of the table; what could not be timed goes to the notes."""
    text = []
    for cell in cells:
        if isinstance(cell, str):
            notes.append(f"{label[0]}: {cell}")
            text += ["-", "-"]
        else:
            text += [f"{cell[1]:.3f}", f"{cell[1] / cell[0]:.2f}"]
    print("| " + " | ".join([*label, *text]) + " |", flush=True)


def head(first, tasks):
    columns = [*first] + [f"T={t}, {what}" for t in tasks for what in ("ms", "/ equal")]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))


def poise_table(a, tasks):
    def bench(name, t, scope):
        steps = ["--steps", str(a.steps)] if a.steps else []
        return [a.poise, "bench", "--case", a.case, "--tasks", str(t), "--balancer", name, "--scope", scope,
                "--threads", str(a.threads), "--blocks", str(a.blocks), "--json", *steps]

    notes = []
    head(["strategy", "signals", "scope", "weighs"], tasks)
    for name, cost, signals in strategies(a.poise):
        if a.strategies and name not in a.strategies.split(","):
            continue
        scopes = {"task gradients": a.scopes.split(","), "all gradients": ["all"]}.get(cost, ["-"])
        for scope in scopes:
            asked = "last" if scope == "-" else scope
            cells = [in_turns(bench("equal", t, "last"), bench(name, t, asked), a.rounds) for t in tasks]
            row([name, signals, scope, weighs(a.poise, name)], cells, notes)
    for note in notes:
        print(f"\n{note}")


def torch_table(a, tasks):
    def step(name, t):
        return [sys.executable, __file__, "--case", a.case, "--threads", str(a.threads), "--blocks", str(a.blocks),
                "--steps", str(a.steps), "--torch-step", name, "--tasks", str(t)]

    notes = []
    head(["PyTorch, a backward pass per task"], tasks)
    for name in ["equal", *TORCH]:
        row([name], [in_turns(step("equal", t), step(name, t), a.rounds) for t in tasks], notes)
    for note in notes:
        print(f"\n{note}")


# ---- the peer: one step of PyTorch ----------------------------------------------------------------


def mmoe(torch, c, tasks):
    """(shared modules, the tasks' modules, losses of a batch)."""
    nn = torch.nn

    def mlp(width, units):
        layers = []
        for u in units:
            layers += [nn.Linear(width, u), nn.ReLU()]
            width = u
        return nn.Sequential(*layers)

    width, out = c["dense"] + c["cats"] * c["dim"], c["units"][-1]
    tables = nn.ModuleList([nn.Embedding(c["rows"], c["dim"]) for _ in range(c["cats"])])
    experts = nn.ModuleList([mlp(width, c["units"]) for _ in range(c["experts"])])
    gates = nn.ModuleList([nn.Linear(width, c["experts"]) for _ in range(tasks)])
    towers = nn.ModuleList([nn.Sequential(mlp(out, c["tower"]), nn.Linear(c["tower"][-1], 1)) for _ in range(tasks)])

    def losses(numbers, ids, labels):
        x = torch.cat([numbers, *[e(ids[:, k]) for k, e in enumerate(tables)]], 1)
        y = torch.stack([e(x) for e in experts], 1)
        mixed = [(g(x).softmax(1).unsqueeze(2) * y).sum(1) for g in gates]
        return [nn.functional.binary_cross_entropy_with_logits(w(m).squeeze(1), label)
                for w, m, label in zip(towers, mixed, labels)]

    return [tables, experts], [gates, towers], losses


def min_norm(torch, gram, iterations=100):
    """Frank-Wolfe from uniform weights, as TorchJD."""
    w = torch.full((len(gram),), 1 / len(gram))
    for _ in range(iterations):
        t = int(torch.argmin(gram @ w))
        a, b, c = w @ gram @ w, gram[t] @ w, gram[t, t]
        gamma = 1.0 if c <= b else 0.0 if b >= a else float((a - b) / (a + c - 2 * b))
        w = (1 - gamma) * w
        w[t] += gamma
        if gamma < 1e-3:
            break
    return w


def project(torch, grads):
    """PCGrad in random order, on the gradients themselves as LibMTL does it."""
    total = torch.zeros_like(grads[0])
    for i in range(len(grads)):
        g = grads[i].clone()
        for j in torch.randperm(len(grads)).tolist():
            dot = g @ grads[j]
            if j != i and dot < 0:
                g -= dot / (grads[j] @ grads[j] + 1e-8) * grads[j]
        total += g
    return total


def conflict_averse(torch, gram, c=0.5):
    """CAGrad's dual by SLSQP, as LibMTL does it; weights of the gradients."""
    from scipy.optimize import minimize
    g, n = gram.numpy().astype("float64"), len(gram)
    mean = g.mean(1)
    radius = c * max(g.mean(), 0) ** 0.5

    def objective(w):
        return w @ mean + radius * (w @ g @ w + 1e-8) ** 0.5

    w = minimize(objective, [1 / n] * n, bounds=[(0, 1)] * n, constraints={"type": "eq", "fun": lambda w: 1 - sum(w)}).x
    scale = radius / (w @ g @ w + 1e-8) ** 0.5
    return torch.tensor((1 / n + scale * w) / (1 + c * c), dtype=torch.float32)


def torch_step(a):
    """Print the median milliseconds of a step as JSON."""
    import torch
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    c, tasks, name = CASES[a.case], int(a.tasks), a.torch_step
    shared, own, losses_of = mmoe(torch, c, tasks)
    params = [p for module in shared for p in module.parameters()]
    optimizer = torch.optim.Adam(params + [p for module in own for p in module.parameters()], 1e-3)
    batch = c["batch"]
    data = [(torch.randn(batch, c["dense"]), torch.randint(0, max(c["rows"], 1), (batch, c["cats"])),
             [(torch.rand(batch) < 0.1).float() for _ in range(tasks)]) for _ in range(8)]
    logits = torch.ones(tasks, requires_grad=True)
    logits_optimizer = torch.optim.Adam([logits], 0.025)
    first = None

    def gradnorm(grads, losses):
        nonlocal first
        now = torch.stack([loss.detach() for loss in losses])
        first = now if first is None else first
        w = tasks * logits.softmax(0)
        norm = (w.unsqueeze(1) * grads).norm(dim=1)
        target = (norm.mean() * (now / first / (now / first).mean()) ** 1.5).detach()
        logits_optimizer.zero_grad()
        (norm - target).abs().sum().backward()
        logits_optimizer.step()
        return w.detach() @ grads

    def combine(grads, losses):
        if name == "gradnorm":
            return gradnorm(grads, losses)
        if name == "pcgrad":
            return project(torch, grads)
        gram = grads @ grads.T
        return (min_norm(torch, gram) if name == "mgda" else conflict_averse(torch, gram)) @ grads

    def step(k):
        losses = losses_of(*data[k % 8])
        optimizer.zero_grad()
        if name == "equal":
            sum(losses).backward()
        else:
            grads = []
            for t, loss in enumerate(losses):
                loss.backward(retain_graph=t + 1 < tasks)
                grads.append(torch.cat([p.grad.reshape(-1) for p in params]))
                for p in params:
                    p.grad = None
            total, at = combine(torch.stack(grads), losses), 0
            for p in params:
                p.grad = total[at:at + p.numel()].view_as(p).clone()
                at += p.numel()
        optimizer.step()

    steps, times = a.steps or c["steps"], []
    for k in range(max(3, steps // 10)):
        step(k)
    for _ in range(a.blocks):
        start = time.perf_counter()
        for k in range(steps):
            step(k)
        times.append(1e3 * (time.perf_counter() - start) / steps)
    print(json.dumps({"peer": "torch " + torch.__version__, "ms_per_step": statistics.median(times)}))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    ap.add_argument("--poise", default=str(root / "build" / "release" / "poise"))
    ap.add_argument("--case", default="census", choices=CASES)
    ap.add_argument("--tasks", default="2,4,8")
    ap.add_argument("--strategies", default="", help="only these")
    ap.add_argument("--scopes", default="last,all")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--blocks", type=int, default=3)
    ap.add_argument("--steps", type=int, default=0, help="per block; default: the case's")
    ap.add_argument("--torch", action="store_true", help="also PyTorch's table")
    ap.add_argument("--torch-step", choices=["equal", *TORCH], help="time this in PyTorch and print JSON")
    a = ap.parse_args()
    if a.torch_step:
        torch_step(a)
        return
    tasks = [int(t) for t in a.tasks.split(",")]
    version = subprocess.run([a.poise, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, case {a.case}, {a.threads} thread{'s' if a.threads > 1 else ''}, medians of {a.rounds} runs in "
          f"turns\n{machine()}\n")
    poise_table(a, tasks)
    if a.torch:
        print()
        torch_table(a, tasks)


if __name__ == "__main__":
    main()
