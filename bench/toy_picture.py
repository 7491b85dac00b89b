#!/usr/bin/env python3
"""Draw the paths of the strategies over the two-number problem of docs/toy.md as an SVG.

usage: toy_picture.py POINTS > toy.svg

POINTS is what `balancers_toy --points POINTS` wrote: a header and rows of
scale,strategy,start1,start2,step,x1,x2.  One panel for each scale and strategy: level lines of the
mean loss, the Pareto set, and a path from each start to a dot where it ends.
"""
import argparse
import csv
import math

SIZE, GAP, COLUMNS, HEAD = 190, 14, 5, 22  # of a panel, in pixels
LOW, HIGH = -11.0, 11.0                    # of x1 and x2
GRID = 110                                 # cells of the level lines, each way
LEVELS = {1.0: [-14, -12, -9, -6, -3, -1, 0, 1, 2, 3, 4, 5, 6],
          0.1: [-10.5, -9.5, -8, -6, -4, -2, -1, 0, 1, 2, 3, 3.5, 4]}
COLOURS = ["#d1495b", "#00798c", "#8d5fd3", "#2e8b3d", "#c77f00"]
TITLES = {1.0: "scale 1: Adam 1e-3, 100,000 steps", 0.1: "scale 0.1: Adam 1e-3, 35,000 steps (famo: 50,000)"}


def losses(x1, x2, scale):
    t, c1, c2 = math.tanh(x2), max(math.tanh(x2 / 2), 0), max(math.tanh(-x2 / 2), 0)
    f1 = math.log(max(abs((-x1 - 7) / 2 + t), 5e-6)) + 6
    f2 = math.log(max(abs((-x1 + 3) / 2 - t + 2), 5e-6)) + 6
    q1 = ((x1 - 7) ** 2 + (x2 + 8) ** 2 / 10) / 10 - 20
    q2 = ((x1 + 7) ** 2 + (x2 + 8) ** 2 / 10) / 10 - 20
    return scale * (f1 * c1 + q1 * c2), f2 * c1 + q2 * c2


def place(x1, x2):
    """The pixel of a point."""
    return (x1 - LOW) / (HIGH - LOW) * SIZE, (HIGH - x2) / (HIGH - LOW) * SIZE


def cell_lines(corner, value, level):
    """Where a level crosses a cell: pairs of points on its edges."""
    cut = []
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        if (value[a] < level) != (value[b] < level):
            s = (level - value[a]) / (value[b] - value[a])
            cut.append(tuple(corner[a][k] + s * (corner[b][k] - corner[a][k]) for k in (0, 1)))
    return [cut[k:k + 2] for k in range(0, len(cut) - 1, 2)]


def level_lines(scale):
    at = [LOW + (HIGH - LOW) * k / GRID for k in range(GRID + 1)]
    mean = [[sum(losses(x, y, scale)) / 2 for x in at] for y in at]
    out = []
    for level in LEVELS[scale]:
        for j in range(GRID):
            for i in range(GRID):
                value = [mean[j][i], mean[j][i + 1], mean[j + 1][i + 1], mean[j + 1][i]]
                if min(value) < level <= max(value):
                    corner = [(at[i], at[j]), (at[i + 1], at[j]), (at[i + 1], at[j + 1]), (at[i], at[j + 1])]
                    for pair in cell_lines(corner, value, level):
                        (a, b), (c, d) = place(*pair[0]), place(*pair[1])
                        out.append(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}")
    return "".join(out)


def thin(points, least):
    """Drop pixels that are nearer than `least` to the one kept before."""
    kept = points[:1]
    for p in points[1:]:
        if math.dist(p, kept[-1]) >= least:
            kept.append(p)
    return kept + points[-1:]


def read(path):
    """{(scale, strategy): {start: [(x1, x2), ...]}}, in the order of the file."""
    panels = {}
    with open(path, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            start = (float(row["start1"]), float(row["start2"]))
            paths = panels.setdefault((float(row["scale"]), row["strategy"]), {})
            paths.setdefault(start, []).append((float(row["x1"]), float(row["x2"])))
    return panels


def panel(scale, name, paths, starts):
    out = [f'<text x="{SIZE / 2}" y="-5" text-anchor="middle">{name}</text>',
           f'<use href="#levels{"1" if scale == 1 else "01"}"/>']
    for start, points in paths.items():
        colour = COLOURS[starts.index(start)]
        pixels = thin([place(*p) for p in points], 1.0)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
        (a, b), (c, d) = pixels[0], pixels[-1]
        out.append(f'<polyline points="{line}" stroke="{colour}"/>'
                   f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="#fff" stroke="{colour}"/>'
                   f'<circle cx="{c:.1f}" cy="{d:.1f}" r="3.5" fill="{colour}"/>')
    return "\n".join(out)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("points")
    panels = read(ap.parse_args().points)
    body, y = [], 6
    for scale in (1.0, 0.1):
        mine = {name: paths for (s, name), paths in panels.items() if s == scale}
        starts = sorted({start for paths in mine.values() for start in paths})
        body.append(f'<text x="{GAP}" y="{y + 14}" font-weight="bold">{TITLES[scale]}</text>')
        y += 18
        for k, (name, paths) in enumerate(mine.items()):
            if k % COLUMNS == 0:
                y += HEAD if k == 0 else SIZE + HEAD
            x = GAP + k % COLUMNS * (SIZE + GAP)
            body.append(f'<g transform="translate({x} {y})">\n{panel(scale, name, paths, starts)}\n</g>')
        y += SIZE + GAP
    width = GAP + COLUMNS * (SIZE + GAP)
    (a, b), (c, _) = place(-7, -8.3952), place(7, -8.3952)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" '
          'font-family="sans-serif" font-size="12" fill="none" stroke-width="1.3">')
    print('<style>text { fill: #222 }</style>')
    print(f'<rect width="{width}" height="{y}" fill="#fff"/>\n<defs>')
    for scale in (1.0, 0.1):
        print(f'<g id="levels{"1" if scale == 1 else "01"}"><rect width="{SIZE}" height="{SIZE}" fill="#f7f7f5" '
              f'stroke="#bbb"/><path d="{level_lines(scale)}" stroke="#b9b9b2" stroke-width="0.5"/>'
              f'<path d="M{a:.1f} {b:.1f}H{c:.1f}" stroke="#555" stroke-width="5" stroke-opacity="0.45"/></g>')
    print("</defs>")
    print("\n".join(body))
    print("</svg>")


if __name__ == "__main__":
    main()
