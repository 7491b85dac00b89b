#!/usr/bin/env python3
"""The models of comparisons as one Markdown table, best mean AUC first.

usage: models_table.py FOLDER...

Each FOLDER is of a `poise compare --models ... --out FOLDER` without --balancers, all over the same spec
and seeds. The last column is the mean AUC over the tasks less that of the first model of the first folder, of the
same seed: mean and deviation over the seeds.
"""
import json
import os
import statistics
import sys


def read(folder):
    """{model: (weights, [seed][task] AUC)}, and the names of the tasks"""
    with open(os.path.join(folder, "compare.json"), encoding="utf-8") as f:
        compared = json.load(f)
    models, tasks = {}, None
    for model, of in compared["models"].items():
        runs = []
        for run in sorted(d for d in os.listdir(folder) if d.rpartition("-")[0] == model):
            with open(os.path.join(folder, run, "result.json"), encoding="utf-8") as f:
                result = json.load(f)["tasks"]
            tasks = list(result)
            runs.append([result[t]["auc"] for t in tasks])
        models[model] = (of["weights"], runs)
    return models, tasks


def figure(values, digits, sign=""):
    return f"{statistics.mean(values):{sign}.{digits}f} ± {statistics.stdev(values):.{digits}f}"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    models, tasks = {}, None
    for folder in sys.argv[1:]:
        more, tasks = read(folder)
        models |= more
    first = next(iter(models))
    mean = {m: [statistics.mean(run) for run in runs] for m, (_, runs) in models.items()}
    print(f"| model | weights | {' | '.join(tasks)} | mean, less that of {first} |")
    print("|---" * (len(tasks) + 3) + "|")
    for model in sorted(models, key=lambda m: -statistics.mean(mean[m])):
        weights, runs = models[model]
        cells = [figure([run[t] for run in runs], 4) for t in range(len(tasks))]
        less = figure([a - b for a, b in zip(mean[model], mean[first])], 5, "+") if model != first else "0"
        print(f"| `{model}` | {weights / 1000:.0f}k | " + " | ".join(cells + [less]) + " |")


main()
