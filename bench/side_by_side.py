#!/usr/bin/env python3
"""Time Poise's training step and a PyTorch peer's in turns; print ratios of medians as a table.

usage: side_by_side.py PEER [--variant NAME=OPTIONS]... [--poise PATH] [--poise-options OPTIONS]
                       [--cases tiny,census,ctr] [--balancers none,gradnorm] [--threads 1,2] [--rounds 5]

PEER is a Python program with the options --case, --balancer and --threads of `poise bench` that
prints one JSON line with "peer", "samples_per_s" and "ms_per_step".  A variant is the same program
with more options, such as compiled=--compile or sparse=--sparse; the first, by default the program
without options, is what "ratio" is over, "to best" is over the fastest of a row.  In a round all run
one after the other, so that a slow minute of the machine meets each.  A variant that fails is left
out of its row, and its last words are printed below the table.  Memory is the largest resident set
of the whole process, in MB: the largest of Poise's runs, of the first variant, of the leanest.
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
import tempfile


class Failed(Exception):
    pass


def run(command):
    """What a program prints last, as JSON, with its largest resident set in MB as "rss"."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, text=True)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            last = (err.read().strip().splitlines() or ["no message"])[-1]
            raise Failed(f"{shlex.join(os.path.basename(c) for c in command)}: status {child.returncode}: {last}")
        answer = json.loads(out.read().strip().splitlines()[-1])
    answer["rss"] = usage.ru_maxrss / 1024
    return answer


def machine():
    name = platform.processor() or platform.machine()
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def turns(ours, theirs, rounds, failures):
    """Runs of Poise and of every variant that works, round by round."""
    mine, peers = [], {name: [] for name in theirs}
    for _ in range(rounds):
        mine.append(run(ours))
        for name in list(peers):
            try:
                peers[name].append(run(theirs[name]))
            except Failed as e:
                del peers[name]
                failures[name, str(e).rsplit(": ", 1)[-1]] = str(e)
    return mine, peers


def row(case, balancer, threads, mine, peers, names):
    ms = {name: median(runs, "ms_per_step") for name, runs in peers.items()}
    own = median(mine, "ms_per_step")
    cells = [case, balancer, threads, f"{own:.3f}"]
    cells += [f"{ms[name]:.3f}" if name in ms else "-" for name in names]
    cells.append(f"{ms[names[0]] / own:.2f}" if names[0] in ms else "-")
    cells.append(f"{min(ms.values()) / own:.2f}" if ms else "-")
    cells.append(f"{median(mine, 'samples_per_s'):,.0f}")
    share = statistics.median(r["gflops"] / r["gemm_peak_gflops"] for r in mine)
    cells.append(f"{100 * share:.0f} %")
    cells.append(f"{max(r['rss'] for r in mine):,.0f}")
    rss = {name: max(r["rss"] for r in runs) for name, runs in peers.items()}
    cells.append(f"{rss[names[0]]:,.0f}" if names[0] in rss else "-")
    cells.append(f"{min(rss.values()):,.0f}" if rss else "-")
    return "| " + " | ".join(cells) + " |"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("peer")
    root = pathlib.Path(__file__).resolve().parent.parent
    ap.add_argument("--variant", action="append", help="NAME=OPTIONS of the peer; may be repeated")
    ap.add_argument("--poise", default=str(root / "build" / "release" / "poise"))
    ap.add_argument("--poise-options", default="")
    ap.add_argument("--cases", default="tiny,census,ctr")
    ap.add_argument("--balancers", default="none,gradnorm")
    ap.add_argument("--threads", default="1,2")
    ap.add_argument("--rounds", type=int, default=5)
    a = ap.parse_args()
    variants = dict(v.split("=", 1) for v in (a.variant or ["eager="]))
    names, failures = list(variants), {}

    version = subprocess.run([a.poise, "--version"], capture_output=True, text=True, check=True)
    heads = ["case", "balancer", "threads", "Poise, ms", *(f"{n}, ms" for n in names), "ratio",
             "to best", "Poise, samples/s", "of the GEMM peak", "Poise, MB", f"{names[0]}, MB",
             "leanest, MB"]
    lines, peer_name = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)], a.peer
    try:
        for case in a.cases.split(","):
            for balancer in a.balancers.split(","):
                for threads in a.threads.split(","):
                    what = ["--case", case, "--balancer", balancer, "--threads", threads]
                    ours = [a.poise, "bench", *what, "--json", *shlex.split(a.poise_options)]
                    theirs = {n: [sys.executable, a.peer, *what, *shlex.split(o)]
                              for n, o in variants.items()}
                    mine, peers = turns(ours, theirs, a.rounds, failures)
                    for runs in peers.values():
                        peer_name = runs[0].get("peer", peer_name)
                    lines.append(row(case, balancer, threads, mine, peers, names))
                    print(lines[-1], file=sys.stderr, flush=True)
    except Failed as e:
        sys.exit(str(e))
    finally:
        print(f"{version.stdout.strip()} beside {peer_name}")
        print(f"{machine()}; medians of {a.rounds} runs in turns\n")
        print("\n".join(lines))
        for (name, _), text in failures.items():
            print(f"\n{name} is missing where it failed: {text}")


if __name__ == "__main__":
    main()
