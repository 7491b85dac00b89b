"""Writes math_golden.h: what the functions of plugins/balancer_math.h must give, by numpy.

    python3 tests/plugins/math.py > tests/plugins/math_golden.h

Nothing here shares a method with the header: quadratic programs and minimum-norm points are the
best of all 2^n active sets, projections are by sorting, eigenvalues and inverses are LAPACK's.
"""
import itertools
import numpy as np

rng = np.random.default_rng(7)
N = 6                                # the widest case; narrower ones are padded with zeros


def gram(n, rank, scale=None):
    j = rng.standard_normal((n, rank))
    if scale is not None:
        j *= scale[:, None]
    return j @ j.T


def supports(n):
    for r in range(1, n + 1):
        for s in itertools.combinations(range(n), r):
            yield np.array(s)


def qp(a, b, low):
    """argmin over x >= low of x'Ax/2 - b'x, A positive definite."""
    n, best, at = len(b), np.inf, low
    for free in itertools.product([False, True], repeat=n):
        free = np.array(free)
        x = low.copy()
        if free.any():
            rest = b[free] - a[np.ix_(free, ~free)] @ low[~free]
            x[free] = np.linalg.solve(a[np.ix_(free, free)], rest)
        value = x @ a @ x / 2 - b @ x
        if (x >= low - 1e-12).all() and value < best:
            best, at = value, x
    return at


def min_norm(g):
    """argmin of w'Gw on the simplex; unique where G is positive definite."""
    best, at = np.inf, None
    for s in supports(len(g)):
        v = np.linalg.solve(g[np.ix_(s, s)], np.ones(len(s)))
        v /= v.sum()
        if (v >= -1e-12).all():
            w = np.zeros(len(g))
            w[s] = v
            if w @ g @ w < best - 1e-13:
                best, at = w @ g @ w, w
    return at


def simplex(x, mass):
    u = np.sort(x)[::-1]
    tau = (np.cumsum(u) - mass) / np.arange(1, len(x) + 1)
    return np.maximum(x - tau[np.nonzero(u > tau)[0][-1]], 0) if mass > 0 else 0 * x


def pad(a):
    out = np.zeros((N,) * a.ndim)
    out[tuple(slice(k) for k in a.shape)] = a
    return out.ravel()


def fields(case):
    return "{" + ", ".join(str(x) if isinstance(x, int) else "{" + ", ".join(
        repr(float(v)) for v in pad(x)) + "}" if isinstance(x, np.ndarray) else repr(float(x))
        for x in case) + "}"


def emit(name, declare, cases):
    print(f"static const struct {{\n    {declare}\n}} {name}[] = {{\n    "
          + ",\n    ".join(fields(c) for c in cases) + "};\n")


print(f"/* Written by math.py with numpy {np.__version__}: see there. */")
print("/* clang-format off */")
print(f"enum {{ WIDEST = {N} }};\n")

wide = np.array([1e-3, 1, 1e3, 1, 1e-3, 1e3])
definite = [gram(1, 1), gram(2, 5), gram(3, 4), gram(4, 9), gram(6, 6), gram(6, 40), gram(6, 8, wide)]
singular = [gram(3, 2), gram(4, 1), gram(6, 3), gram(5, 4), gram(2, 1), np.zeros((3, 3))]
mixed = [m - np.diag(np.diag(m)) for m in (gram(2, 3), gram(4, 6), gram(6, 6))]

emit("golden_eigen", "size_t n; double a[WIDEST * WIDEST], value[WIDEST];",
     [(len(m), m, np.linalg.eigvalsh(m)[::-1]) for m in definite + singular + mixed])
cases = []
for m in definite:
    b = rng.standard_normal(len(m))
    cases.append((len(m), m, b, np.linalg.solve(m, b)))
emit("golden_solve", "size_t n; double a[WIDEST * WIDEST], b[WIDEST], x[WIDEST];", cases)
cases = []
for m in definite[:-1] + singular:
    b = rng.standard_normal(len(m))
    cases.append((len(m), int(np.linalg.matrix_rank(m, tol=1e-6 * max(abs(m).max(), 1e-300))), m, b,
                  np.linalg.pinv(m, rcond=1e-6, hermitian=True) @ b))
emit("golden_pinv", "size_t n, rank; double a[WIDEST * WIDEST], b[WIDEST], x[WIDEST];", cases)
cases = []
for m in definite * 3:
    b, low = rng.standard_normal(len(m)), rng.standard_normal(len(m))
    cases.append((len(m), m, b, low, qp(m, b, low)))
emit("golden_qp", "size_t n; double a[WIDEST * WIDEST], b[WIDEST], low[WIDEST], x[WIDEST];", cases)
conflict = [gram(n, n + 1) + 0.5 * np.eye(n) for n in (2, 3, 5, 6)]
emit("golden_min_norm", "size_t n; double a[WIDEST * WIDEST], w[WIDEST];",
     [(len(m), m, min_norm(m)) for m in definite + conflict])
cases = []
for n, mass, size in [(1, 1, 1), (2, 1, 1), (5, 1, .1), (6, 1, 10), (6, 2.5, 1), (4, 0, 1), (6, 1, 1e6)]:
    x = size * rng.standard_normal(n)
    cases.append((n, float(mass), x, simplex(x, mass)))
emit("golden_simplex", "size_t n; double mass, x[WIDEST], w[WIDEST];", cases)
