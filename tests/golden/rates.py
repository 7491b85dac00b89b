#!/usr/bin/env python3
"""Write rates.h: the learning rates of PyTorch's schedulers, as factors.

    python3 tests/golden/rates.py > tests/golden/rates.h      (PyTorch 2.13)
"""
import torch
from torch.optim import lr_scheduler as S

STEPS = 24


def factors(warmup, make):
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    s = make(o) if warmup == 0 else S.SequentialLR(o, [S.LinearLR(o, 1 / warmup, 1, max(warmup - 1, 1)), make(o)], [warmup])
    out = []
    for _ in range(STEPS):
        out.append(o.param_groups[0]["lr"])
        o.step()
        s.step()
    return out


def constant(o):
    return S.ConstantLR(o, 1.0)


CASES = [  # name, poise_rate_schedule, warm-up, scheduler
    ("warm-up", ".warmup = 7", 7, constant),
    ("cosine to the end", ".decay = POISE_COSINE", 0, lambda o: S.CosineAnnealingLR(o, STEPS)),
    ("cosine after a warm-up, to the end", ".warmup = 4, .decay = POISE_COSINE, .to = 0.1", 4, lambda o: S.CosineAnnealingLR(o, STEPS - 4, 0.1)),
    ("step", ".decay = POISE_STEP, .every = 5, .factor = 0.3", 0, lambda o: S.StepLR(o, 5, 0.3)),
    ("step after a warm-up", ".warmup = 3, .decay = POISE_STEP, .every = 5, .factor = 0.3", 3, lambda o: S.StepLR(o, 5, 0.3)),
    ("exponential", ".decay = POISE_EXPONENTIAL, .every = 1, .factor = 0.9", 0, lambda o: S.ExponentialLR(o, 0.9)),
    ("exponential, by tens", ".warmup = 2, .decay = POISE_EXPONENTIAL, .every = 10, .factor = 0.5", 2, lambda o: S.ExponentialLR(o, 0.5 ** 0.1)),
]

print(f"""/* Made by rates.py with PyTorch {torch.__version__.split('+')[0]}: the rate of every step over the first one. */
/* clang-format off */
enum {{ RATES = {STEPS} }};

static const struct golden {{
    const char *name;
    poise_rate_schedule schedule;
    double factor[RATES];
}} golden[] = {{""")
for name, schedule, warmup, make in CASES:
    values = factors(warmup, make)
    lines = [", ".join(f"{v:.16g}" for v in values[k:k + 6]) for k in range(0, STEPS, 6)]
    print(f'    {{"{name}", {{{schedule}}},\n     {{' + ",\n      ".join(lines) + "}},")
print("};\n/* clang-format on */")
