#!/usr/bin/env python3
"""The table of a comparison as Markdown, best mean AUC first.

usage: comparison.py COMPARE.JSON

A row: strategy, mean AUC over the tasks, its difference to the first strategy of the comparison, AUC mean and
deviation per task, mean deviation.
"""
import json
import sys


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        balancers = json.load(f)["balancers"]
    first = next(iter(balancers.values()))
    tasks = list(first["tasks"])

    def mean(row):
        return sum(row["tasks"][t]["auc_mean"] for t in tasks) / len(tasks)

    print("| strategy | mean AUC | difference | " + " | ".join(tasks) + " | mean deviation |")
    print("|---|---|---|" + "---|" * (len(tasks) + 1))
    for name, row in sorted(balancers.items(), key=lambda item: -mean(item[1])):
        cells = [f"{row['tasks'][t]['auc_mean']:.4f} ± {row['tasks'][t]['auc_std']:.4f}" for t in tasks]
        print(f"| {name} | {mean(row):.5f} | {mean(row) - mean(first):+.5f} | " + " | ".join(cells)
              + f" | {row['mean_std']:.5f} |")


main()
