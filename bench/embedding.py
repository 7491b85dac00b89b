#!/usr/bin/env python3
"""Train embeddings alone in Poise and in PyTorch, in turns; print the ratio of medians.

usage: embedding.py [--poise PATH] [--rounds 5] [--threads 1]

The work of `poise bench --case tables`: a batch of 2048 rows, 26 tables of 100,000 rows of 16, one
logit over them, binary cross entropy; forward, backward, update.  PyTorch has sparse gradients and
SparseAdam for the tables, Adam for the logit.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

BATCH, TABLES, ROWS, WIDTH, STEPS = 2048, 26, 100_000, 16, 10


def torch_step(threads):
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    tables = [torch.nn.Embedding(ROWS, WIDTH, sparse=True) for _ in range(TABLES)]
    logit = torch.nn.Linear(TABLES * WIDTH, 1)
    optimizers = [torch.optim.SparseAdam([p for t in tables for p in t.parameters()], 1e-3),
                  torch.optim.Adam(logit.parameters(), 1e-3)]
    batches = [(torch.randint(0, ROWS, (BATCH, TABLES)), (torch.rand(BATCH) < 0.1).float())
               for _ in range(8)]
    done = 0

    def step():
        nonlocal done
        ids, label = batches[done % 8]
        done += 1
        x = torch.cat([t(ids[:, k]) for k, t in enumerate(tables)], 1)
        loss = functional.binary_cross_entropy_with_logits(logit(x).squeeze(1), label)
        for o in optimizers:
            o.zero_grad(set_to_none=True)
        loss.backward()
        for o in optimizers:
            o.step()

    return step, torch.__version__


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    ap.add_argument("--poise", default=str(root / "build" / "release" / "poise"))
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()

    step, version = torch_step(a.threads)
    for _ in range(8):
        step()
    ours, theirs = [], []
    for _ in range(a.rounds):
        command = [a.poise, "bench", "--case", "tables", "--json", "--threads", str(a.threads)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        ours.append(json.loads(done.stdout)["ms_per_step"])
        begin = time.perf_counter()
        for _ in range(STEPS):
            step()
        theirs.append(1e3 * (time.perf_counter() - begin) / STEPS)
    mine, peer = statistics.median(ours), statistics.median(theirs)
    print(f"{BATCH} rows, {TABLES} tables of {ROWS} x {WIDTH}, {a.threads} thread(s), "
          f"medians of {a.rounds} in turns")
    print(f"Poise {mine:.3f} ms a step, torch {version} with sparse gradients {peer:.3f} ms: "
          f"{peer / mine:.1f} times")


if __name__ == "__main__":
    main()
