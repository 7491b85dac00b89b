#!/usr/bin/env python3
"""The table of a comparison as Markdown, best mean AUC first.

usage: comparison.py COMPARE.JSON

A row: model where there are several, strategy where there are several, mean AUC over the tasks, its difference to
the first row of the comparison, AUC mean and deviation per task, mean deviation.
"""
import json
import sys


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        models = json.load(f)["models"]
    rows = [(model, name, row) for model, of in models.items() for name, row in of["balancers"].items()]
    names = {name for _, name, _ in rows}
    first = rows[0][2]
    tasks = list(first["tasks"])

    def mean(row):
        return sum(row["tasks"][t]["auc_mean"] for t in tasks) / len(tasks)

    head = ["model"] * (len(models) > 1) + ["strategy"] * (len(names) > 1 or len(models) == 1)
    print("| " + " | ".join(head + ["mean AUC", "difference"] + tasks + ["mean deviation"]) + " |")
    print("|---" * (len(head) + len(tasks) + 3) + "|")
    for model, name, row in sorted(rows, key=lambda item: -mean(item[2])):
        cells = [{"model": model, "strategy": name}[h] for h in head]
        cells += [f"{mean(row):.5f}", f"{mean(row) - mean(first):+.5f}"]
        cells += [f"{row['tasks'][t]['auc_mean']:.4f} ± {row['tasks'][t]['auc_std']:.4f}" for t in tasks]
        print("| " + " | ".join(cells + [f"{row['mean_std']:.5f}"]) + " |")


main()
