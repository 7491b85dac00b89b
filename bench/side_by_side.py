#!/usr/bin/env python3
"""Time Poise's training step and a PyTorch peer's in turns; print ratios of medians as a table.

usage: side_by_side.py PEER [--poise PATH] [--cases tiny,census,ctr] [--balancers none,gradnorm]
                       [--threads 1,2] [--rounds 3] [--peer-options "--sparse"]

PEER is a Python program with the options --case, --balancer and --threads of `poise bench` that
prints one JSON line with "peer", "samples_per_s" and "ms_per_step".  The two run one after the
other, `rounds` times, so that a slow minute of the machine meets both.
"""
import argparse
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def machine():
    name = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("peer")
    root = pathlib.Path(__file__).resolve().parent.parent
    ap.add_argument("--poise", default=str(root / "build" / "release" / "poise"))
    ap.add_argument("--cases", default="tiny,census,ctr")
    ap.add_argument("--balancers", default="none,gradnorm")
    ap.add_argument("--threads", default="1,2")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--peer-options", default="")
    a = ap.parse_args()

    version = subprocess.run([a.poise, "--version"], capture_output=True, text=True, check=True)
    peer_name, rows = "", []
    for case in a.cases.split(","):
        for balancer in a.balancers.split(","):
            for threads in a.threads.split(","):
                what = ["--case", case, "--balancer", balancer, "--threads", threads]
                ours, theirs = [], []
                for _ in range(a.rounds):
                    ours.append(run([a.poise, "bench", *what, "--json"]))
                    theirs.append(run([sys.executable, a.peer, *what, *shlex.split(a.peer_options)]))
                peer_name = theirs[0].get("peer", a.peer)
                mine = statistics.median(r["ms_per_step"] for r in ours)
                peer = statistics.median(r["ms_per_step"] for r in theirs)
                peak = statistics.median(r["gemm_peak_gflops"] for r in ours)
                gflops = statistics.median(r["gflops"] for r in ours)
                rate = statistics.median(r["samples_per_s"] for r in ours)
                rows.append((case, balancer, threads, mine, peer, peer / mine, rate, gflops, peak))

    print(f"{version.stdout.strip()} beside {peer_name} {a.peer_options}".rstrip())
    print(f"{machine()}; medians of {a.rounds} runs in turns\n")
    print("| case | balancer | threads | Poise, ms | peer, ms | peer / Poise | Poise, samples/s "
          "| GFLOP/s | GEMM peak |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case, balancer, threads, mine, peer, ratio, rate, gflops, peak in rows:
        print(f"| {case} | {balancer} | {threads} | {mine:.3f} | {peer:.3f} | {ratio:.2f} "
              f"| {rate:,.0f} | {gflops:.1f} | {peak:.1f} |")


if __name__ == "__main__":
    main()
