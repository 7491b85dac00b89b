#!/usr/bin/env python3
"""Write optimizers.h: what PyTorch's optimisers make of known weights and gradients.

    python3 tests/golden/optimizers.py > tests/golden/optimizers.h      (PyTorch 2.13, in float64)

Weights and gradients are small fractions that tests/train/test_optimizer.c computes for itself, with
the same three functions; so the header holds results only.
"""
import torch

N, STEPS = 37, 12  # of a dense parameter
ROWS, WIDTH = 7, 3  # of a table


def weight(i):
    return ((i * 29) % 31 - 15) / 16


def gradient(i, t):
    """Some are 0, and some so small that eps matters."""
    return ((i * 37 + t * 101) % 97 - 48) / 32 * 2.0 ** (-8 * (i % 4))


def touched(r, t):
    return (r * 3 + t) % 4 != 0


CASES = [  # name, row of poise_optimizer_spec, dense optimiser, the one for rows or None
    ("sgd", "POISE_SGD, .rate = 0.125", lambda p: torch.optim.SGD(p, 0.125), lambda p: torch.optim.SGD(p, 0.125)),
    ("sgd, momentum", "POISE_SGD, .rate = 0.0625, .momentum = 0.9", lambda p: torch.optim.SGD(p, 0.0625, momentum=0.9), None),
    ("sgd, momentum and decay", "POISE_SGD, .rate = 0.0625, .momentum = 0.9, .weight_decay = 0.1",
     lambda p: torch.optim.SGD(p, 0.0625, momentum=0.9, weight_decay=0.1), None),
    ("adam", "POISE_ADAM, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8",
     lambda p: torch.optim.Adam(p, 0.01), lambda p: torch.optim.SparseAdam(p, 0.01)),
    ("adam, other constants", "POISE_ADAM, .rate = 0.02, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-4",
     lambda p: torch.optim.Adam(p, 0.02, (0.8, 0.95), 1e-4), lambda p: torch.optim.SparseAdam(p, 0.02, (0.8, 0.95), 1e-4)),
    ("adam, decay", "POISE_ADAM, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.1",
     lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1), None),
    ("adamw, decay", "POISE_ADAMW, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.5",
     lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.5), None),
    ("adagrad", "POISE_ADAGRAD, .rate = 0.05, .eps = 1e-10",
     lambda p: torch.optim.Adagrad(p, 0.05, eps=1e-10), lambda p: torch.optim.Adagrad(p, 0.05, eps=1e-10)),
    ("adagrad, decay", "POISE_ADAGRAD, .rate = 0.05, .eps = 1e-10, .weight_decay = 0.1",
     lambda p: torch.optim.Adagrad(p, 0.05, eps=1e-10, weight_decay=0.1), None),
]


def dense(make):
    w = torch.tensor([weight(i) for i in range(N)], dtype=torch.float64, requires_grad=True)
    o = make([w])
    for t in range(1, STEPS + 1):
        w.grad = torch.tensor([gradient(i, t) for i in range(N)], dtype=torch.float64)
        o.step()
    return w.tolist()


def rows(make):
    if make is None:
        return None
    w = torch.tensor([weight(i) for i in range(ROWS * WIDTH)], dtype=torch.float64).reshape(ROWS, WIDTH).requires_grad_()
    o = make([w])
    for t in range(1, STEPS + 1):
        at = [r for r in range(ROWS) if touched(r, t)]
        g = torch.tensor([[gradient(r * WIDTH + c, t) for c in range(WIDTH)] for r in at], dtype=torch.float64)
        w.grad = torch.sparse_coo_tensor([at], g, w.shape).coalesce()
        o.step()
    return w.flatten().tolist()


def array(values):
    lines = [", ".join(f"{v:.12g}" for v in values[k:k + 6]) for k in range(0, len(values), 6)]
    return "{" + ",\n          ".join(lines) + "}"


print(f"""/* Made by optimizers.py with PyTorch {torch.__version__.split('+')[0]}: the weights after {STEPS} steps. */
/* clang-format off */
enum {{ N = {N}, STEPS = {STEPS}, ROWS = {ROWS}, WIDTH = {WIDTH} }};

static const struct golden {{
    const char *name;
    poise_optimizer_spec spec;
    double dense[N];
    int has_rows;
    double rows[ROWS * WIDTH];
}} golden[] = {{""")
for name, spec, d, r in CASES:
    sparse = rows(r)
    print(f'    {{"{name}", {{{spec}}},\n     .dense = {array(dense(d))},')
    if sparse:
        print(f"     .has_rows = 1,\n     .rows = {array(sparse)},")
    print("    },")
print("};\n/* clang-format on */")
