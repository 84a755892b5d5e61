#!/usr/bin/python3
"""Writes distillation_reference.h: distillation losses and their gradients, from the papers' formulas.

Run by hand when a term is added: tests/train/make_distillation_reference.py > tests/train/distillation_reference.h
Sums are written out sample by sample and pair by pair, in double; gradients are those of these sums.
"""
import math

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(7)
N, CLASSES, T = 4, 5, 3.0
LABELS = [1, 0, 4, 2]
LOGITS = 2 * torch.randn(N, CLASSES)
TEACHER = 3 * torch.randn(N, CLASSES)
TEACHER2 = 3 * torch.randn(N, CLASSES)
NODE = torch.randn(N, 3, 2, 3)
THEIRS = torch.randn(N, 5, 2, 3)
THEIRS_SMALL = torch.randn(N, 5, 1, 3)
REGRESSED = torch.randn(N, 5, 2, 3)


def softmax(row):
    powers = torch.exp(row - row.max().detach())
    return powers / powers.sum()


def kl(p, q):
    return sum(p[i] * (torch.log(p[i]) - torch.log(q[i])) for i in range(len(p)))


def soft(student, targets=lambda n: softmax(TEACHER[n] / T)):
    return sum(T * T * kl(targets(n), softmax(student[n] / T)) for n in range(N)) / N


def two_teachers(student):
    """Hinton et al.: the mean of an ensemble's softened probabilities, here 3 : 1."""
    return soft(student, lambda n: 0.75 * softmax(TEACHER[n] / T) + 0.25 * softmax(TEACHER2[n] / T))


def standard(row):
    """Sun et al., algorithm 1 (and 1e-7 on the variance)."""
    mean = row.sum() / CLASSES
    variance = ((row - mean) ** 2).sum() / CLASSES
    return (row - mean) / torch.sqrt(variance + 1e-7)


def soft_standardised(student):
    return sum(T * T * kl(softmax(standard(TEACHER[n]) / T), softmax(standard(student[n]) / T)) for n in range(N)) / N


def dkd(student, alpha=1.0, beta=8.0):
    """Zhao et al., eq. 7: alpha TCKD + beta NCKD, from probabilities."""
    total = 0
    for n, target in enumerate(LABELS):
        p, q = softmax(TEACHER[n] / T), softmax(student[n] / T)
        others = [i for i in range(CLASSES) if i != target]
        p_rest, q_rest = p[others].sum(), q[others].sum()
        tckd = p[target] * torch.log(p[target] / q[target]) + p_rest * torch.log(p_rest / q_rest)
        nckd = kl(p[others] / p_rest, q[others] / q_rest)
        total = total + T * T * (alpha * tckd + beta * nckd)
    return total / N


def fitnets(student):
    """Romero et al., eq. 3: half the squared norm; x 2 / elements of a sample."""
    return sum(0.5 * ((THEIRS[n] - student[n]) ** 2).sum() * 2 / THEIRS[n].numel() for n in range(N)) / N


def attention_map(node, power):
    channels = [torch.abs(channel) ** power for channel in node]
    return sum(channels).reshape(-1)


def attention(student, power=2.0, theirs=THEIRS, resize=lambda sample: sample):
    """Zagoruyko and Komodakis, eq. 2, squared; over positions."""
    total = 0
    for n in range(N):
        s, t = attention_map(student[n], power), attention_map(theirs[n], power)
        s = resize(s)
        total = total + ((s / s.norm() - t / t.norm()) ** 2).sum() / len(t)
    return total / N


def attention_small(student):
    """The teacher's map is half as high: pairs of rows of the student's are averaged."""
    return attention(student, theirs=THEIRS_SMALL, resize=lambda map_: map_.reshape(2, 3).sum(0) / 2)


def huber(x, y):
    difference = torch.abs(x - y)
    return 0.5 * difference ** 2 if difference <= 1 else difference - 0.5


def distance_potential(rows):
    pairs = [(i, j) for i in range(N) for j in range(N) if i != j]
    distance = {pair: (rows[pair[0]] - rows[pair[1]]).norm() for pair in pairs}
    mean = sum(distance.values()) / len(pairs)
    return {pair: d / mean for pair, d in distance.items()}


def angle_potential(rows):
    def unit(a, b):
        return (a - b) / (a - b).norm()

    return {(i, j, k): (unit(rows[i], rows[j]) * unit(rows[k], rows[j])).sum()
            for i in range(N) for j in range(N) for k in range(N) if i != j and k != j}


def rkd(student, distance=1.0, angle=2.0):
    """Park et al., eq. 4 to 8; means over n^2 and n^3."""
    s, t = student.reshape(N, -1), THEIRS.reshape(N, -1)
    ds, dt = distance_potential(s), distance_potential(t)
    a_s, a_t = angle_potential(s), angle_potential(t)
    return (distance * sum(huber(ds[p], dt[p]) for p in ds) / N ** 2 +
            angle * sum(huber(a_s[p], a_t[p]) for p in a_s) / N ** 3)


def similarity(student):
    """Tung and Mori, eq. 2 to 4."""
    def rows(node):
        q = node.reshape(N, -1)
        gram = [[(q[i] * q[j]).sum() for j in range(N)] for i in range(N)]
        return [[g / torch.sqrt(sum(x * x for x in row)) for g in row] for row in gram]

    s, t = rows(student), rows(THEIRS)
    return sum((s[i][j] - t[i][j]) ** 2 for i in range(N) for j in range(N)) / N ** 2


def pkt(student):
    """Passalis and Tefas, eq. 3 to 6, with the cosine kernel; over the samples."""
    def chances(node):
        q = node.reshape(N, -1)
        kernel = lambda a, b: 0.5 * ((a * b).sum() / (a.norm() * b.norm()) + 1)
        return [[kernel(q[i], q[j]) / sum(kernel(q[i], q[k]) for k in range(N) if k != i) if i != j else None
                 for j in range(N)] for i in range(N)]

    p, q = chances(THEIRS), chances(student)
    return sum(p[i][j] * torch.log(p[i][j] / q[i][j]) for i in range(N) for j in range(N) if i != j) / N


def values(tensor):
    return "{" + ", ".join("%.15g" % v for v in tensor.reshape(-1).tolist()) + "}"


def case(name, term, at):
    student = at.clone().requires_grad_()
    loss = term(student)
    loss.backward()
    assert math.isfinite(loss.item())
    print("inline const Expected k%s{%.15g, %s};" % (name, loss.item(), values(student.grad)))


def main():
    print("// Written by make_distillation_reference.py with torch", torch.__version__.split("+")[0] + ".")
    print("// clang-format off")
    print("#pragma once\n\n#include <cstdint>\n#include <vector>\n")
    print("namespace coppice::train::reference {\n")
    print("/// A loss and its gradient by the student's values.")
    print("struct Expected {\n  double loss;\n  std::vector<double> gradient;\n};\n")
    print("inline constexpr double kTemperature = %g;" % T)
    print("inline const std::vector<int64_t> kLabels{%s};" % ", ".join(map(str, LABELS)))
    for name, tensor in {"Logits": LOGITS, "TeacherLogits": TEACHER, "SecondTeacherLogits": TEACHER2, "Node": NODE,
                         "TeacherNode": THEIRS, "SmallTeacherNode": THEIRS_SMALL, "Regressed": REGRESSED}.items():
        shape = ", ".join(map(str, tensor.shape))
        print("/// [%s]\ninline const std::vector<double> k%s%s;" % (shape, name, values(tensor)))
    case("Soft", soft, LOGITS)
    case("SoftOfTwo", two_teachers, LOGITS)
    case("SoftStandardised", soft_standardised, LOGITS)
    case("Dkd", dkd, LOGITS)
    case("DkdOtherWeights", lambda s: dkd(s, 2.0, 0.5), LOGITS)
    case("Fitnets", fitnets, REGRESSED)
    case("Attention", attention, NODE)
    case("AttentionPowerFour", lambda s: attention(s, 4.0), NODE)
    case("AttentionSmall", attention_small, NODE)
    case("Rkd", rkd, NODE)
    case("RkdDistance", lambda s: rkd(s, 1.0, 0.0), NODE)
    case("RkdAngle", lambda s: rkd(s, 0.0, 1.0), NODE)
    case("Similarity", similarity, NODE)
    case("Pkt", pkt, NODE)
    print("\n}  // namespace coppice::train::reference")


if __name__ == "__main__":
    main()
