"""Writes losses.txt: trajectories of the strategies that need no Gram matrix, by others' code.

    pip install torch torchjd
    python3 tests/balancers/losses.py > tests/balancers/losses.txt

Where TorchJD has a strategy its class is run, and the weight is the derivative of its result by the
loss; the others are written out from the formulas of LibMTL or of the authors' code, in torch or
numpy and in double precision.  Optimisers are torch.optim's.  Nothing is shared with balancers/*.c
but the inputs, which both sides make from the same integer hash (see feed.h), and Philox.

Format: "case NAME T settings", then lines "STEP weights", and for strategies that work element by
element "STEP weights | direction".
"""
import sys
from importlib.metadata import version

import numpy as np
import torch
from torchjd import aggregation as A, scalarization as S

torch.set_default_dtype(torch.float64)
STEPS, EPOCH, ELEMENTS, SPLIT, SEED = 60, 10, 12, 5, 7
RECORDED = [0, 1, 2, 4, 9, 29, 59]
TASKS = [1, 2, 3, 7, 20]
M64 = (1 << 64) - 1


def u(step, t, which):
    x = (step * 0x9E3779B97F4A7C15 + t * 0xBF58476D1CE4E5B9 + which * 0x94D049BB133111EB) & M64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M64
    x ^= x >> 31
    return ((x >> 12) + 0.5) / 4503599627370496.0


def losses(T):
    return np.array([[(0.3 + 0.2 * t) / (1 + 0.03 * (t + 1) * k) * (0.8 + 0.4 * u(k, t, 2))
                      for t in range(T)] for k in range(STEPS)])


def after(T, loss):
    """after[k]: of the batch of step k - 1, after its update."""
    return np.array([[loss[k - 1][t] * (0.85 + 0.2 * u(k, t, 5)) if k else np.nan
                      for t in range(T)] for k in range(STEPS)])


def grads(T):
    g = [[[(2 * u(k, t, 10 + i) - 1) * (0.5 + 0.3 * t) + 0.2 * (2 * u(k, 99, 10 + i) - 1)
           for i in range(ELEMENTS)] for t in range(T)] for k in range(STEPS)]
    return np.array(g, np.float32).astype(float)


def philox(step, index, seed=SEED):
    """plugins/balancer_math.h: the seed is spread over the key by splitmix64's finaliser."""
    k = (seed + 0x9E3779B97F4A7C15) & M64
    k = ((k ^ (k >> 30)) * 0xBF58476D1CE4E5B9) & M64
    k = ((k ^ (k >> 27)) * 0x94D049BB133111EB) & M64
    k ^= k >> 31
    x, key = [index, 0, step, 0], [k & 0xFFFFFFFF, k >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ key[0], b & 0xFFFFFFFF, (a >> 32) ^ x[3] ^ key[1], a & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return x


def unit(a, b):
    return ((a >> 5) * 67108864.0 + (b >> 6)) / 9007199254740992.0


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


# ---- losses alone ----

def derivative(total, loss):
    return torch.autograd.grad(total, loss, retain_graph=True)[0].numpy()


def scalarizer(make, learn=None):
    """The weights of a TorchJD scalarizer; `learn`: an optimiser of its parameters."""
    def run(T):
        s = make(T)
        opt = learn(s.parameters()) if learn else None
        used = []
        for l in losses(T):
            loss = torch.tensor(l, requires_grad=True)
            total = s(loss)
            used.append(derivative(total, loss))
            if opt:
                opt.zero_grad()
                total.backward()
                opt.step()
        return used
    return run


def adam(p, lr=0.025):
    return torch.optim.Adam(p, lr=lr)


def sgd(p):
    return torch.optim.SGD(p, lr=0.025)


def learnt(objective, start, lr=0.025):
    def run(T):
        s = torch.full((T,), float(start), requires_grad=True)
        opt = adam([s], lr)
        used = []
        for l in losses(T):
            loss = torch.tensor(l, requires_grad=True)
            opt.zero_grad()
            total = objective(s, loss)
            used.append(derivative(total, loss))
            total.backward()
            opt.step()
        return used
    return run


def dwa(T):
    s = S.DWA(temperature=1.5)
    used = []
    for k, l in enumerate(losses(T)):
        if k and k % EPOCH == 0:
            s.step()
        loss = torch.tensor(l, requires_grad=True)
        used.append(derivative(s(loss), loss))
    return used


def dwa_window(n):
    """Nash-MTL's ring of 2 n steps; compared only where it holds nothing but losses."""
    def run(T):
        l, used = losses(T), []
        for k in range(STEPS):
            ring = np.concatenate([np.ones((2 * n, T)), l[:k + 1]])[-2 * n:]
            r = ring[n:].mean(0) / ring[:n].mean(0)
            used.append(T * softmax(r / 2) if k + 1 >= 2 * n else np.ones(T))
        return used
    return run


def famo(lr, decay, least):
    def run(T):
        low = [least * (t % 3) for t in range(T)]
        s = S.FAMO(T, torch.tensor(low), lr, decay)
        L = losses(T)
        plus = after(T, L)
        used = []
        for k in range(STEPS):
            if k:
                s.update(torch.tensor(plus[k]))
            loss = torch.tensor(L[k], requires_grad=True)
            used.append(derivative(s(loss), loss))
        return used
    return run


def stch_official(mu, warmup):
    """LibMTL's, whose total is differentiated."""
    def run(T):
        used, seen = [], []
        for k, l in enumerate(losses(T)):
            loss = torch.tensor(l, requires_grad=True)
            if k // EPOCH <= warmup:
                if k // EPOCH == warmup:
                    seen.append(l)
                total = torch.log(loss + 1e-20).sum()
            else:
                y = torch.log(loss / torch.tensor(np.mean(seen, 0)) + 1e-20)
                y = y - y.max().detach()
                total = mu * torch.log(torch.exp(y / mu).sum()) * T
            used.append(derivative(total, loss))
        return used
    return run


def cov(decay):
    """The authors' statistics."""
    def run(T):
        mean_L = mean_l = S_l = np.zeros(T)
        used, sd = [], None
        for it, L in enumerate(losses(T)):
            L0 = L if it == 0 else mean_L
            l = L / L0
            w = np.ones(T) / T
            if it > 1:
                w = sd / mean_l
                w = w / w.sum()
            used.append(w)
            m = 0.0 if it == 0 else decay if decay else 1 - 1 / (it + 1)
            new = m * mean_l + (1 - m) * l
            S_l = S_l + (l - mean_l) * (l - new)
            mean_l = new
            sd = np.sqrt(S_l / (it + 1) + 1e-8)
            mean_L = m * mean_L + (1 - m) * L
        return used
    return run


def rlw(kind):
    def run(T):
        used = []
        for k in range(STEPS):
            r = [philox(k, t) for t in range(T)]
            first = np.array([unit(x[0], x[1]) for x in r])
            second = np.array([unit(x[2], x[3]) for x in r])
            normal = np.sqrt(-2 * np.log(1 - first)) * np.cos(2 * np.pi * second)
            exponential = -np.log(1 - first)
            used.append({"normal": softmax(normal), "uniform": softmax(first),
                         "dirichlet": exponential / exponential.sum(),
                         "one": (normal == normal.max()).astype(float)}[kind])
        return used
    return run


def norms(T):
    return np.sqrt((grads(T) ** 2).sum(2))


def gradnorm(weights, alpha, lr=0.025):
    """LibMTL's and modulus-sym's parametrisations; the target is a constant."""
    def run(T):
        p = torch.zeros(T, requires_grad=True)
        opt = adam([p], lr)
        L, used = losses(T), []
        for l, n in zip(L, norms(T)):
            w = weights(p, T)
            used.append(w.detach().numpy().copy())
            g = w * torch.tensor(n)
            r = torch.tensor(l / L[0])
            target = (g.mean() * (r / r.mean()) ** alpha).detach()
            (p.grad,) = torch.autograd.grad((g - target).abs().sum(), p)
            opt.step()
            with torch.no_grad():
                p += np.log(T) - torch.logsumexp(p, 0)
        return used
    return run


# ---- by parameter and by element: (weights, direction) ----

def metabalance(relax, beta, target):
    def run(T):
        groups = [slice(0, SPLIT), slice(SPLIT, ELEMENTS)]
        m = np.zeros((2, T))
        used = []
        for G in grads(T):
            w, d = np.ones((2, T)), np.zeros(ELEMENTS)
            for g, part in enumerate(groups):
                order = [target] + [t for t in range(T) if t != target]
                for t in order:
                    m[g, t] = m[g, t] * beta + (1 - beta) * np.linalg.norm(G[t, part])
                    w[g, t] = m[g, target] / m[g, t] * relax + (1 - relax)
                    d[part] += w[g, t] * G[t, part]
            used.append((w.ravel(), d))
        return used
    return run


def lr_annealing(alpha, ref, against):
    def run(T):
        lam, used = np.ones(T), []
        for G in np.abs(grads(T)):
            top = G[ref].max() if against == "max" else G[ref].mean()
            for t in range(T):
                if t != ref:
                    lam[t] = (1 - alpha) * lam[t] + alpha * top / G[t].mean()
            used.append((lam.copy(), None))
        return [(w, w @ G) for (w, _), G in zip(used, grads(T))]
    return run


def dbmtl(beta, sigma):
    def run(T):
        buf, used = np.zeros((T, ELEMENTS)), []
        for k, (l, G) in enumerate(zip(losses(T), grads(T))):
            g = G / (l + 1e-8)[:, None]
            buf = g + beta / (k + 1) ** sigma * (buf - g)
            n = np.linalg.norm(buf, axis=1)
            a = n.max() / (n + 1e-8)
            used.append((a, a @ buf))
        return used
    return run


def moco(beta, beta_sigma, gamma, gamma_sigma, rho):
    def run(T):
        y, lam, used = np.zeros((T, ELEMENTS)), np.ones(T) / T, []
        for k, (l, G) in enumerate(zip(losses(T), grads(T)), 1):
            g = G / (np.linalg.norm(G, axis=1) + 1e-8)[:, None] * l[:, None]
            y = y - beta / k ** beta_sigma * (y - g)
            lam = softmax(lam - gamma / k ** gamma_sigma * (y @ y.T + rho * np.eye(T)) @ lam)
            used.append((lam, lam @ y))
        return used
    return run


def excessmtl(eta, warmup):
    def run(T):
        s = A.ExcessMTLWeighting(eta, warmup)
        return [(w, w @ G) for G in grads(T) for w in [s(torch.tensor(G)).numpy()]]
    return run


def trimmed_mean(trim):
    def run(T):
        s = A.TrimmedMean(trim)
        return [(np.ones(T), s(torch.tensor(G)).numpy()) for G in grads(T)]
    return run


def graddrop(leak):
    def run(T):
        s = A.GradDrop(leak=torch.tensor([leak * (t % 2) for t in range(T)]))
        rand, used = torch.rand, []
        for k, G in enumerate(grads(T)):
            words = sum([philox(k, block) for block in range((ELEMENTS + 3) // 4)], [])
            draws = torch.tensor([(x + 0.5) / 4294967296.0 for x in words[:ELEMENTS]])
            torch.rand = lambda *a, **b: draws
            used.append((np.ones(T), s(torch.tensor(G)).numpy()))
        torch.rand = rand
        return used
    return run


def odd_even(a, b):
    return lambda T: ",".join(str([a, b][t % 2]) for t in range(T))


def preference(T, total=1.0):
    p = torch.tensor([[1.0, 3.0][t % 2] for t in range(T)])
    return p / p.sum() * total if total else p


def ideal(T):
    return torch.tensor([[0.0, 0.05][t % 2] for t in range(T)])


CASES = [
    ("equal", {"weight": odd_even(1, 3)}, scalarizer(lambda T: S.Constant(preference(T, 0)))),
    ("rlw", {}, rlw("normal")),
    ("rlw", {"distribution": "uniform"}, rlw("uniform")),
    ("rlw", {"distribution": "dirichlet"}, rlw("dirichlet")),
    ("rlw", {"distribution": "one"}, rlw("one")),
    ("dwa", {"temp": 1.5}, dwa),
    ("dwa", {"window": 8}, dwa_window(8)),
    ("uncertainty", {"start": 0}, scalarizer(S.UW, adam)),
    ("uncertainty", {"start": 0, "optimizer": "sgd"}, scalarizer(S.UW, sgd)),
    ("uncertainty", {"form": "classification"},
     learnt(lambda s, l: (torch.exp(-s) * l + s / 2).sum(), -0.5)),
    ("uncertainty", {"form": "plain"}, learnt(lambda s, l: (torch.exp(-s) * l + s).sum(), -0.5)),
    ("uncertainty", {"form": "positive", "start": 0},
     learnt(lambda s, l: (torch.exp(-s) * l / 2 + torch.log(1 + torch.exp(s))).sum(), 0)),
    ("uw_so", {}, lambda T: [softmax(1 / (l + 1e-8)) for l in losses(T)]),
    ("uw_so", {"temp": 20}, lambda T: [softmax(1 / (l + 1e-8) / 20) for l in losses(T)]),
    ("uw_so", {"form": "optimal"}, lambda T: [1 / (l + 1e-8) for l in losses(T)]),
    ("imtl_l", {}, scalarizer(S.IMTLL, adam)),
    ("imtl_l", {"optimizer": "sgd"}, scalarizer(S.IMTLL, sgd)),
    ("gls", {}, scalarizer(lambda T: S.GeometricMean())),
    ("stch", {"form": "official", "warmup": 2}, stch_official(1.0, 2)),
    ("stch", {"form": "official", "warmup": 0, "mu": 0.1}, stch_official(0.1, 0)),
    ("stch", {"mu": 0.1}, scalarizer(lambda T: S.STCH(0.1))),
    ("stch", {"preference": odd_even(1, 3), "ideal": odd_even(0, 0.05)},
     scalarizer(lambda T: S.STCH(1.0, preference(T), ideal(T)))),
    ("famo", {}, famo(0.025, 1e-3, 0)),
    ("famo", {"lr": 0.1, "weight_decay": 0.01, "min_loss": lambda T: ",".join(
        str([0, 0.01, 0.02][t % 3]) for t in range(T))}, famo(0.1, 0.01, 0.01)),
    ("cov", {}, cov(0)),
    ("cov", {"decay": 0.9}, cov(0.9)),
    ("cosmos", {}, scalarizer(lambda T: S.COSMOS(1.0, torch.full((T,), 1 / T)))),
    ("cosmos", {"lambda": 0.1, "preference": odd_even(1, 3)},
     scalarizer(lambda T: S.COSMOS(0.1, preference(T)))),
    ("pbi", {}, scalarizer(lambda T: S.PBI(5.0, torch.ones(T)))),
    ("pbi", {"theta": 0.5, "preference": odd_even(1, 3), "ideal": odd_even(0, 0.05)},
     scalarizer(lambda T: S.PBI(0.5, preference(T), ideal(T)))),
    ("gradnorm", {"form": "softmax"}, gradnorm(lambda p, T: T * torch.softmax(p, 0), 1.5)),
    ("gradnorm", {"form": "exp", "alpha": 1}, gradnorm(lambda p, T: torch.exp(p), 1.0)),
    ("metabalance", {}, metabalance(0.7, 0.9, 0)),
    ("metabalance", {"relax": 0.4, "beta": 0, "target": lambda T: str(T - 1)},
     lambda T: metabalance(0.4, 0, T - 1)(T)),
    ("lr_annealing", {}, lr_annealing(0.01, 0, "mean")),
    ("lr_annealing", {"alpha": 0.1, "against": "max"}, lr_annealing(0.1, 0, "max")),
    ("dbmtl", {}, dbmtl(0.9, 0)),
    ("dbmtl", {"beta": 0.5, "sigma": 0.5}, dbmtl(0.5, 0.5)),
    ("dbmtl", {"beta": 0}, dbmtl(0, 0)),
    ("moco", {}, moco(0.5, 0.5, 0.1, 0.5, 0)),
    ("moco", {"beta": 0.9, "beta_sigma": 0, "gamma": 2, "gamma_sigma": 0.1, "rho": 0.1},
     moco(0.9, 0, 2, 0.1, 0.1)),
    ("excessmtl", {"eta": 0.05}, excessmtl(0.05, 1)),
    ("excessmtl", {"warmup": 12, "eta": 0.5}, excessmtl(0.5, 12)),
    ("trimmed_mean", {}, trimmed_mean(1)),
    ("graddrop", {}, graddrop(0)),
    ("graddrop", {"leak": odd_even(0, 0.3)}, graddrop(0.3)),
]


def main():
    print(f"# Written by losses.py with TorchJD {version('torchjd')}, "
          f"PyTorch {torch.__version__.split('+')[0]}, numpy {np.__version__}: see there.")
    for name, settings, run in CASES:
        for T in TASKS:
            if name == "trimmed_mean" and T < 3:
                continue
            said = [f"{k}={v(T) if callable(v) else v}" for k, v in settings.items()]
            print("case", name, T, *said)
            rows = run(T)
            for k in RECORDED:
                w, d = rows[k] if isinstance(rows[k], tuple) else (rows[k], None)
                line = " ".join(f"{x:.10g}" for x in w)
                if d is not None:
                    line += " | " + " ".join(f"{x:.8g}" for x in d)
                print(k, line)


if __name__ == "__main__":
    sys.exit(main())
