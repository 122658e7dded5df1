"""Learning rates of PyTorch's schedulers, in float64.

    pip install torch
    python schedules.py OUT.json

Every case is one scheduler with the spec of the same schedule here, the optimizer's learning rate, and the learning rate of each step
(or epoch) from the first on. Those of ReduceLROnPlateau come with the losses it was told, one after each.
"""
import json, sys, warnings
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import (
    StepLR, MultiStepLR, ExponentialLR, LinearLR, PolynomialLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, OneCycleLR,
    SequentialLR, ReduceLROnPlateau,
)

warnings.simplefilter("ignore")  # there is no training between the steps of the schedulers
LR = 0.3


def case(spec, make, n, losses=None):
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler, lrs = make(optimizer), []
    for k in range(n):
        lrs.append(optimizer.param_groups[0]["lr"])
        if k + 1 < n:
            scheduler.step(losses[k]) if losses else scheduler.step()
    return {"spec": spec, "torch": type(scheduler).__name__, "lr": LR, "steps": n, "losses": losses, "lrs": lrs}


def warmed(n, make):
    rise = lambda o: LinearLR(o, start_factor=1 / n, end_factor=1.0, total_iters=n - 1)
    return lambda o: SequentialLR(o, [rise(o), make(o)], milestones=[n])


# falls, stands still, falls by less than the threshold, jumps, falls again, stands still for long
LOSSES = [2.0, 1.5, 1.2, 1.2, 1.2, 1.2, 1.2, 1.19, 1.1899, 1.1898, 1.1897, 1.1896, 3.0, 0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
LOSSES += [0.69, 0.71, 0.72] * 5 + [0.6] + [0.65] * 25

CASES = [
    case("step:every=3,gamma=0.5,per=step", lambda o: StepLR(o, 3, 0.5), 20),
    case("step:every=5", lambda o: StepLR(o, 5), 20),
    case("milestones:at=1-4-10,gamma=0.3,per=step", lambda o: MultiStepLR(o, [1, 4, 10], 0.3), 20),
    case("milestones:at=7-9", lambda o: MultiStepLR(o, [7, 9]), 12),
    case("exponential:gamma=0.9,per=step", lambda o: ExponentialLR(o, 0.9), 40),
    case("exponential:gamma=0.5", lambda o: ExponentialLR(o, 0.5), 40),
    case("linear:floor=0.1,steps=25", lambda o: LinearLR(o, 1.0, 0.1, 25), 40),
    case("linear", lambda o: LinearLR(o, 1.0, 0.0, 40), 40),
    case("polynomial:steps=25", lambda o: PolynomialLR(o, 25), 40),
    case("polynomial:power=2,steps=25", lambda o: PolynomialLR(o, 25, 2.0), 40),
    case("polynomial:power=0.9", lambda o: PolynomialLR(o, 40, 0.9), 40),
    case("cosine", lambda o: CosineAnnealingLR(o, 40), 40),
    case("cosine:floor=0.1,steps=25", lambda o: CosineAnnealingLR(o, 25, 0.1 * LR), 26),
    case("cosine_restarts:first=7,factor=1", lambda o: CosineAnnealingWarmRestarts(o, 7), 50),
    case("cosine_restarts:first=4,factor=2,floor=0.01", lambda o: CosineAnnealingWarmRestarts(o, 4, 2, 0.01 * LR), 70),
    case("cosine_restarts:first=1,factor=3", lambda o: CosineAnnealingWarmRestarts(o, 1, 3), 60),
    case("one_cycle", lambda o: OneCycleLR(o, LR, total_steps=40, cycle_momentum=False), 40),
    case("one_cycle:anneal=linear", lambda o: OneCycleLR(o, LR, total_steps=37, anneal_strategy="linear", cycle_momentum=False), 37),
    case(
        "one_cycle:pct_start=0.45,div_factor=10,final_div_factor=100",
        lambda o: OneCycleLR(o, LR, total_steps=33, pct_start=0.45, div_factor=10, final_div_factor=100, cycle_momentum=False),
        33,
    ),
    case("one_cycle:pct_start=0", lambda o: OneCycleLR(o, LR, total_steps=10, pct_start=0.0, cycle_momentum=False), 10),
    case("constant:warmup=6", warmed(6, lambda o: ExponentialLR(o, 1.0)), 12),
    case("cosine:warmup=6", warmed(6, lambda o: CosineAnnealingLR(o, 34)), 40),
    case("step:every=3,gamma=0.5,per=step,warmup=5", warmed(5, lambda o: StepLR(o, 3, 0.5)), 20),
    case("linear:floor=0.2,steps=12,warmup=8", warmed(8, lambda o: LinearLR(o, 1.0, 0.2, 12)), 30),
    case("plateau", lambda o: ReduceLROnPlateau(o), len(LOSSES), LOSSES),
    case("plateau:factor=0.5,patience=2", lambda o: ReduceLROnPlateau(o, factor=0.5, patience=2), len(LOSSES), LOSSES),
    case(
        "plateau:factor=0.5,patience=0,threshold=0.01,cooldown=3,min_lr=0.02",
        lambda o: ReduceLROnPlateau(o, factor=0.5, patience=0, threshold=0.01, cooldown=3, min_lr=0.02),
        len(LOSSES),
        LOSSES,
    ),
]
text = "[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n"
open(sys.argv[1], "w").write(text)
