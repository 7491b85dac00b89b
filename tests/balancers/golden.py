"""Writes golden.h: trajectories of the strategies, computed by PyTorch and numpy in double precision.

    python3 tests/balancers/golden.py > tests/balancers/golden.h

Nothing here shares code with balancers/*.c: gradients come from autograd, Adam and SGD are
torch.optim's, epoch and window means are numpy's over the whole history.
"""
import numpy as np
import torch

T, STEPS, EPOCH = 3, 24, 6          # tasks; steps; steps per epoch
rng = np.random.default_rng(20240607)
start = np.array([0.7, 2.5, 0.31])
rate = np.array([0.02, 0.05, 0.09])
k = np.arange(STEPS)[:, None]
LOSS = start * np.exp(-rate * k) * rng.uniform(0.9, 1.1, (STEPS, T))
NORM = np.array([0.4, 1.9, 0.12]) * rng.uniform(0.8, 1.2, (STEPS, T))
KPI = np.clip(np.array([0.5, 0.62, 0.97]) + 0.02 * k * rng.uniform(0, 1, (STEPS, T)), 0, 1)


def optimizer(name, p, lr):
    return torch.optim.Adam([p], lr=lr) if name == "adam" else torch.optim.SGD([p], lr=lr)


def gradnorm(name, alpha=1.5, lr=0.025):
    w = torch.ones(T, dtype=torch.float64, requires_grad=True)
    opt = optimizer(name, w, lr)
    first = torch.tensor(LOSS[0])
    used = []
    for loss, norm in zip(torch.tensor(LOSS), torch.tensor(NORM)):
        used.append(w.detach().numpy().copy())
        g = w * norm
        ratio = loss / first
        target = (g.mean() * (ratio / ratio.mean()) ** alpha).detach()
        (w.grad,) = torch.autograd.grad((g - target).abs().sum(), w)
        opt.step()
        with torch.no_grad():
            w *= T / w.sum()
    return np.array(used)


def uncertainty(name, lr=0.025, s0=-0.5):
    s = torch.full((T,), s0, dtype=torch.float64, requires_grad=True)
    opt = optimizer(name, s, lr)
    used = []
    for loss in torch.tensor(LOSS):
        used.append((torch.exp(-s) / 2).detach().numpy().copy())
        opt.zero_grad()
        (loss * torch.exp(-s) / 2 + s / 2).sum().backward()
        opt.step()
    return np.array(used)


def softmax(r, temp=2.0):
    e = np.exp(r / temp)
    return T * e / e.sum()


def dwa_epochs():
    mean = LOSS.reshape(-1, EPOCH, T).mean(1)
    return np.array([np.ones(T) if i // EPOCH < 2 else
                     softmax(mean[i // EPOCH - 1] / mean[i // EPOCH - 2]) for i in range(STEPS)])


def dwa_window(n):
    return np.array([np.ones(T) if i + 1 < 2 * n else
                     softmax(LOSS[i + 1 - n:i + 1].mean(0) / LOSS[i + 1 - 2 * n:i + 1 - n].mean(0))
                     for i in range(STEPS)])


def dtp(gamma, m=0.1):
    kbar, used = None, []
    for q in np.clip(KPI, 0.01, 0.99):
        kbar = q if kbar is None else m * q + (1 - m) * kbar
        used.append(-(1 - kbar) ** gamma * np.log(kbar))
    return np.array(used)


def emit(name, a):
    rows = ",\n".join("    {" + ", ".join(repr(float(x)) for x in row) + "}" for row in a)
    print(f"static const double {name}[GOLDEN_STEPS][GOLDEN_TASKS] = {{\n{rows}}};\n")


print(f"/* Written by golden.py with PyTorch {torch.__version__.split('+')[0]} and numpy "
      f"{np.__version__}: see there. */")
print("/* clang-format off */")
print(f"enum {{ GOLDEN_TASKS = {T}, GOLDEN_STEPS = {STEPS}, GOLDEN_EPOCH = {EPOCH} }};\n")
for name, a in [("golden_loss", LOSS), ("golden_norm", NORM), ("golden_kpi", KPI),
                ("golden_gradnorm_adam", gradnorm("adam")), ("golden_gradnorm_sgd", gradnorm("sgd")),
                ("golden_uncertainty_adam", uncertainty("adam")),
                ("golden_uncertainty_sgd", uncertainty("sgd")),
                ("golden_dwa_epochs", dwa_epochs()), ("golden_dwa_window", dwa_window(4)),
                ("golden_dtp", dtp(1.0)), ("golden_dtp_half", dtp(0.5))]:
    emit(name, a)
