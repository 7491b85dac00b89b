"""Writes torchjd.bin: the weights that TorchJD's aggregators give on the matrices of gram_rig.h.

    pip install torch 'torchjd[full]'
    python3 tests/balancers/from_torchjd.py tests/balancers/torchjd.bin

The file is a row of little-endian floats: for each method below, for each matrix, T weights (NaN
where TorchJD has no answer).  test_torchjd.c has the methods in the same order.  Everything is
computed in double precision, but ranks are decided with single precision's epsilon, as they are
when gradients are floats; random orders are made 0, 1, 2 ...; iterative solvers get more steps
than they take by default.
"""
import functools
import sys
import types
import warnings

import numpy as np
import torch
import torchjd.aggregation as jd

MATRICES, EPS = 240, float(np.finfo(np.float32).eps)
torch.set_default_dtype(torch.float64)
warnings.filterwarnings("ignore")


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def uniform(seed, step, index):
    """poise_math_uniform of arrays step and index."""
    lo, key = np.uint64(0xFFFFFFFF), mix(seed)
    step, index = np.broadcast_arrays(np.asarray(step, np.uint64), np.asarray(index, np.uint64))
    c = [index & lo, index >> np.uint64(32), step & lo, step >> np.uint64(32)]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & lo,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & lo]
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return ((c[0] >> np.uint64(5)) * 67108864.0 + (c[1] >> np.uint64(6))) / 9007199254740992.0


def jacobian(k, salt):
    """Matrix k of gram_rig.h: see there."""
    t, kind = 2 + k % 19, k % 6
    n = [t + 20, 40, t, 1 + t // 2, t + 5, t + 3][kind]
    i, j = np.arange(t)[:, None], np.arange(n)[None, :]
    a = 2 * uniform(1000 * salt + k, i, j) - 1
    if kind == 1:
        a = a + (2 * uniform(1000 * salt + k, 99, j) - 1)
    if kind == 4:
        last = np.zeros(n)
        for r in range(t - 1):
            last = last - a[r] * ((r + 1) / t)
        a[t - 1] = last
    if kind == 5:
        a = a * 4.0 ** (np.arange(t) % 5 - 2)[:, None]
    return torch.tensor(a)


# Ranks as single precision has them, and no randomness.
def module(name):
    return sys.modules["torchjd.aggregation." + name]


def patched(**changes):
    """PyTorch with some names replaced."""
    class Patched(types.ModuleType):
        def __getattr__(self, name):
            return changes[name] if name in changes else getattr(torch, name)
    return Patched("torch")


class Linalg:
    def __init__(self, rtol):
        self.pinv = lambda a: torch.linalg.pinv(a, rtol=rtol(len(a)))


module("_imtl_g").torch = patched(linalg=Linalg(lambda n: n * EPS))
module("_config").torch = patched(linalg=Linalg(lambda n: (n * EPS) ** 0.5))
module("_aligned_mtl").torch = patched(finfo=lambda dtype: torch.finfo(torch.float32))
for name in "_pcgrad", "_gradvac":
    module(name).torch = patched(randperm=torch.arange)


def on_gram(make):
    return lambda k: make()(jacobian(k, 0) @ jacobian(k, 0).T)


def twice(make):
    """A method with a state: the second answer."""
    def run(k):
        method = make()
        method(jacobian(k, 1) @ jacobian(k, 1).T)
        return method(jacobian(k, 0) @ jacobian(k, 0).T)
    return run


def halves(make):
    """Of two halves whose gradients differ a little."""
    def run(k):
        method = make()
        for salt in 1, 0:
            a = jacobian(k, salt)
            w = method(a @ (a + 0.25 * jacobian(k, salt + 2)).T)
        return w
    return run


def on_gradients(make):
    """ConFIG gives a vector: its weights by least squares."""
    def run(k):
        j = jacobian(k, 0)
        return torch.linalg.lstsq(j.T, make()(j)[:, None], driver="gelsd").solution[:, 0]
    return run


def nash(k):
    j = jacobian(k, 0)
    return jd.NashMTL(n_tasks=len(j), max_norm=0.0, optim_niter=20).weighting(j)


def krum(k):
    j = jacobian(k, 0)
    return jd.KrumWeighting(1, 2)(j @ j.T) if len(j) >= 4 else torch.full((len(j),), torch.nan)


METHODS = [
    ("mgda", on_gram(lambda: jd.MGDAWeighting(epsilon=1e-9, max_iters=1000))),
    ("pcgrad", on_gram(jd.PCGradWeighting)),
    ("gradvac", twice(jd.GradVacWeighting)),
    ("cagrad", on_gram(lambda: jd.CAGradWeighting(c=0.5))),
    ("imtl_g", on_gram(jd.IMTLGWeighting)),
    ("nash", nash),
    ("fairgrad 1", on_gram(lambda: jd.FairGradWeighting(alpha=1.0))),
    ("fairgrad 2", on_gram(lambda: jd.FairGradWeighting(alpha=2.0))),
    ("aligned min", on_gram(lambda: jd.AlignedMTLWeighting(scale_mode="min"))),
    ("aligned median", on_gram(lambda: jd.AlignedMTLWeighting(scale_mode="median"))),
    ("aligned rmse", on_gram(lambda: jd.AlignedMTLWeighting(scale_mode="rmse"))),
    ("upgrad", on_gram(jd.UPGradWeighting)),
    ("dualproj", on_gram(jd.DualProjWeighting)),
    ("config", on_gradients(jd.ConFIG)),
    ("krum", krum),
    ("sdmgrad", halves(lambda: jd.SDMGradWeighting(lr=0.5))),
    ("modo", halves(jd.MoDoWeighting)),
    ("pcd", twice(lambda: jd.PCDWeighting(tau=0.1, beta=0.9))),
]


def main(path):
    out = []
    for name, method in METHODS:
        failed = 0
        for k in range(MATRICES):
            try:
                w = np.asarray(method(k), float)
            except Exception as e:  # some solvers give up on singular matrices
                failed, w = failed + 1, np.full(2 + k % 19, np.nan)
                print(name, k, type(e).__name__, e, file=sys.stderr)
            out.append(w.astype("<f4"))
        print(f"{name}: {failed} of {MATRICES} failed", file=sys.stderr, flush=True)
    np.concatenate(out).tofile(path)


if __name__ == "__main__":
    main(sys.argv[1])
