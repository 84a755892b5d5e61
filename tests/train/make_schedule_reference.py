#!/usr/bin/python3
"""Writes schedule_reference.h: learning rates (and momenta) of torch.optim.lr_scheduler.

Run by hand when a schedule is added: tests/train/make_schedule_reference.py > tests/train/schedule_reference.h
"""
import warnings

import torch
from torch.optim import lr_scheduler as s

warnings.filterwarnings("ignore")
EPOCHS = 20
LOSSES = [5.0, 4.0, 3.9999, 4.2, 4.1, 4.0, 3.9997, 3.0, 3.0, 3.1, 2.9999, 3.0, 3.2, 3.0, 3.0, 2.0, 2.5, 2.5, 2.5, 2.5]


def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)


def follow(schedule_of, key="lr", metrics=None):
    rule = optimizer()
    schedule = schedule_of(rule)
    values = []
    for epoch in range(EPOCHS):
        values.append(rule.param_groups[0][key])
        rule.step()
        if metrics is None:
            schedule.step()
        else:
            schedule.step(metrics[epoch])
    return values


def warm(rule):
    return s.LinearLR(rule, start_factor=0.1, total_iters=5)


def warm_then_cosine(rule):
    return s.SequentialLR(rule, [warm(rule), s.CosineAnnealingLR(rule, T_max=15, eta_min=0.05)], milestones=[5])


def one_cycle(rule):
    return s.OneCycleLR(rule, max_lr=1.0, total_steps=EPOCHS, pct_start=0.3, div_factor=25, final_div_factor=4,
                        base_momentum=0.85, max_momentum=0.95)


def plateau(**options):
    return follow(lambda r: s.ReduceLROnPlateau(r, **options), metrics=LOSSES)


CASES = {
    "Constant": follow(lambda r: s.ConstantLR(r, factor=1.0)),
    "Step": follow(lambda r: s.StepLR(r, step_size=6, gamma=0.5)),
    "MultiStep": follow(lambda r: s.MultiStepLR(r, milestones=[3, 10, 11], gamma=0.2)),
    "Cosine": follow(lambda r: s.CosineAnnealingLR(r, T_max=EPOCHS, eta_min=0.1)),
    "WarmConstant": follow(warm),
    "WarmStep": follow(lambda r: s.ChainedScheduler([warm(r), s.StepLR(r, step_size=6, gamma=0.5)])),
    "WarmMultiStep": follow(lambda r: s.ChainedScheduler([warm(r), s.MultiStepLR(r, milestones=[3, 10], gamma=0.2)])),
    "WarmCosine": follow(warm_then_cosine),
    "OneCycle": follow(one_cycle),
    "OneCycleMomentum": follow(one_cycle, key="momentum"),
    "Losses": LOSSES,
    "PlateauPatient": plateau(factor=0.1, patience=2, threshold=1e-4),
    "PlateauStrict": plateau(factor=0.5, patience=0, threshold=0.1),
    "PlateauCooldown": plateau(factor=0.3, patience=1, threshold=1e-4, cooldown=2),
    "PlateauFloor": plateau(factor=0.1, patience=0, threshold=1e-4, min_lr=0.02),
}


def main():
    print("// Written by make_schedule_reference.py with torch", torch.__version__.split("+")[0] + ".")
    print("// clang-format off")
    print("#pragma once\n\n#include <array>\n")
    print("namespace coppice::train::reference {\n")
    print("/// One value per epoch (per step for one cycle) of a run of %d, with a peak of 1." % EPOCHS)
    print("using Course = std::array<double, %d>;\n" % EPOCHS)
    for name, values in CASES.items():
        print("inline constexpr Course k%s{%s};" % (name, ", ".join("%.12g" % v for v in values)))
    print("\n}  // namespace coppice::train::reference")


if __name__ == "__main__":
    main()
