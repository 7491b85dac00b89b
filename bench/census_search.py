#!/usr/bin/env python3
"""Trains variants of a run file and keeps what they reach on the validation rows.

    bench/census_search.py --poise build/release/poise --spec census.yaml --trials TRIALS.yaml \
        --log docs/census_trials.csv --seeds 1,2,3

TRIALS.yaml is a mapping of trial to what it changes in the run file:

    wide:    {model: {use: mmoe, experts: 8, units: [64], tower: [16]}}
    slower:  {train.optimizer: {adam: {rate: 5e-4}}, train.epochs: 16}
    no_bins: {features.age: numeric}
    both:    {also: [wide, slower]}

A key is a path of keys; `null` takes the key away; `also` begins from other trials.  A line of the log
is one run: trial, seed, best epoch, and each task's validation AUC at that epoch.  What a run says of the
test rows is thrown away unread.  Runs that the log has already are not repeated, so a search can be stopped
and continued.
"""
import argparse
import csv
import json
import os
import subprocess
import tempfile

import yaml


def change(spec, path, value):
    """Set the value at a path of keys, opening what is not a mapping yet."""
    *way, last = path.split(".")
    for key in way:
        if not isinstance(spec.get(key), dict):
            spec[key] = {}
        spec = spec[key]
    if value is None:
        spec.pop(last, None)
    else:
        spec[last] = value


def changes(trials, name):
    trial = dict(trials[name] or {})
    out = {}
    for other in trial.pop("also", []):
        out.update(changes(trials, other))
    out.update(trial)
    return out


def variant(base, trials, name):
    spec = json.loads(json.dumps(base))
    for path, value in changes(trials, name).items():
        change(spec, path, value)
    # A pattern takes what no line before it names, so it has to come last again.
    for pattern in [k for k in spec["features"] if k == "*"]:
        spec["features"][pattern] = spec["features"].pop(pattern)
    return spec


def run(arguments, spec, seed):
    """Train once; the line of the log that the best epoch wrote, and the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.yaml")
        with open(path, "w", encoding="utf-8") as f:
            yaml.safe_dump(spec, f, sort_keys=False)
        out = os.path.join(folder, "out")
        done = subprocess.run(
            [arguments.poise, "train", path, "--out", out, "--set", f"train.seed={seed}",
             "--set", f"train.threads={arguments.threads}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stdout)
        with open(os.path.join(out, "log.jsonl"), encoding="utf-8") as f:
            epochs = [line for line in map(json.loads, f) if "auc" in line]
        with open(os.path.join(out, "result.json"), encoding="utf-8") as f:
            seconds = json.load(f)["seconds"]
    return max(epochs, key=lambda line: line["monitor"]), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--poise", default="build/release/poise")
    parser.add_argument("--spec", default="census.yaml")
    parser.add_argument("--trials", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--threads", default="1")
    parser.add_argument("only", nargs="*", help="trials; without one, all")
    arguments = parser.parse_args()

    with open(arguments.spec, encoding="utf-8") as f:
        base = yaml.safe_load(f)
    with open(arguments.trials, encoding="utf-8") as f:
        trials = yaml.safe_load(f)
    folder = os.path.dirname(os.path.abspath(arguments.spec))
    for part in ("train", "test"):
        base["data"][part] = os.path.join(folder, base["data"][part])
    tasks = list(base["tasks"])
    header = ["trial", "seed", "epoch"] + tasks + ["mean", "seconds"]
    have = set()
    if os.path.exists(arguments.log):
        with open(arguments.log, encoding="utf-8") as f:
            have = {(line["trial"], line["seed"]) for line in csv.DictReader(f)}
    else:
        with open(arguments.log, "w", encoding="utf-8") as f:
            f.write(",".join(header) + "\n")
    for name in arguments.only or trials:
        if name.startswith("_"):
            continue
        spec = variant(base, trials, name)
        for seed in arguments.seeds.split(","):
            if (name, seed) in have:
                continue
            best, seconds = run(arguments, spec, seed)
            auc = [best["auc"][task] for task in tasks]
            line = [name, seed, str(best["epoch"])]
            line += [f"{x:.5f}" for x in auc + [sum(auc) / len(auc)]] + [f"{seconds:.0f}"]
            with open(arguments.log, "a", encoding="utf-8") as f:
                f.write(",".join(line) + "\n")
            print(" ".join(line), flush=True)


if __name__ == "__main__":
    main()
