#!/usr/bin/python3
"""Writes metric_reference.h: what scikit-learn, scipy and numpy make of given predictions.

Run by hand when a metric is added: tests/monitor/make_metric_reference.py > tests/monitor/metric_reference.h
"""
import numpy as np
import scipy
import scipy.special
import scipy.stats
import sklearn
import sklearn.metrics as m

SAMPLES, CLASSES, OUTPUTS = 60, 5, 3


def numbers(values):
    return ", ".join(repr(float(v)) for v in np.ravel(values))


def constant(name, value):
    print(f"inline constexpr double k{name} = {float(value)!r};")


def array(name, values, kind="double"):
    values = np.ravel(values)
    text = numbers(values) if kind == "double" else ", ".join(str(int(v)) for v in values)
    print(f"inline constexpr std::array<{kind}, {len(values)}> k{name}{{{text}}};")


def binned(confidence, correct, edges):
    gap = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap += inside.sum() * abs(correct[inside].mean() - confidence[inside].mean())
    return gap / len(confidence)


def adaptive(confidence, correct, bins):
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return sum(len(p) * abs(correct[p].mean() - confidence[p].mean()) for p in parts) / len(confidence)


def classification(rng):
    truth = rng.integers(0, CLASSES - 1, SAMPLES)  # the last class never occurs
    truth[:CLASSES - 1] = range(CLASSES - 1)
    # Quarters, so that scores tie; exact in binary.
    logits = np.round((rng.normal(size=(SAMPLES, CLASSES)) + 1.3 * np.eye(CLASSES)[truth]) * 4) / 4
    logits[:, 2] -= 1
    probabilities = scipy.special.softmax(logits, axis=1)
    predicted = logits.argmax(axis=1)
    correct = (predicted == truth).astype(float)
    confidence = probabilities.max(axis=1)
    labels = list(range(CLASSES))
    array("Truth", truth, "int64_t")
    array("Logits", logits)
    array("Probabilities", probabilities)
    constant("Accuracy", m.accuracy_score(truth, predicted))
    # scikit-learn breaks ties of a top k by the higher class, so k distinct values are asked for.
    apart = logits + 1e-9 * np.arange(CLASSES)[::-1]
    for k in (1, 2, 3):
        constant(f"Top{k}", m.top_k_accuracy_score(truth, apart, k=k, labels=labels))
    each = m.precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    for name, values in zip(("Precision", "Recall", "F1"), each):
        array(name, values)
    array("Support", each[3], "int64_t")
    for average in ("macro", "weighted"):
        values = m.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
        array(average.capitalize(), values[:3])
    constant("LogLoss", m.log_loss(truth, probabilities, labels=labels))
    constant("Brier", np.mean(np.sum((probabilities - np.eye(CLASSES)[truth]) ** 2, axis=1)))
    constant("BinaryBrier", m.brier_score_loss(truth == 1, probabilities[:, 1]))
    present = range(CLASSES - 1)
    array("ClassAuroc", [m.roc_auc_score(truth == c, probabilities[:, c]) for c in present])
    array("ClassAveragePrecision", [m.average_precision_score(truth == c, probabilities[:, c]) for c in present])
    for bins in (10, 15):
        constant(f"Ece{bins}", binned(confidence, correct, np.linspace(0, 1, bins + 1)))
        constant(f"AdaptiveEce{bins}", adaptive(confidence, correct, bins))


def ranking(rng):
    positive = rng.integers(0, 2, SAMPLES)
    score = np.round((rng.normal(size=SAMPLES) + 0.8 * positive) * 4) / 4
    array("Positive", positive, "uint8_t")
    array("Score", score)
    constant("Auroc", m.roc_auc_score(positive, score))
    constant("AveragePrecision", m.average_precision_score(positive, score))
    fpr, tpr, thresholds = m.roc_curve(positive, score, drop_intermediate=False)
    array("RocFpr", fpr)
    array("RocTpr", tpr)
    errors = np.abs(score)
    threshold = np.quantile(errors[positive == 0], 0.9)
    called = errors > threshold
    constant("Threshold", threshold)
    constant("AnomalyAuroc", m.roc_auc_score(positive, errors))
    constant("AnomalyPrecision", m.precision_score(positive, called))
    constant("AnomalyRecall", m.recall_score(positive, called))
    constant("AnomalyF1", m.f1_score(positive, called))
    array("QuantileShares", (shares := [0, 0.01, 0.25, 0.5, 0.9, 0.99, 1]))
    array("Quantiles", np.quantile(score, shares))


def regression(rng):
    truth = np.round(rng.normal(size=(SAMPLES, OUTPUTS)) * [1, 10, 0.1], 6)
    predicted = np.round(truth * 0.8 + rng.normal(size=truth.shape) * [0.5, 12, 0.01] + 0.02, 6)
    array("Values", truth)
    array("Predicted", predicted)
    array("Mae", m.mean_absolute_error(truth, predicted, multioutput="raw_values"))
    array("Rmse", m.mean_squared_error(truth, predicted, multioutput="raw_values", squared=False))
    array("R2", m.r2_score(truth, predicted, multioutput="raw_values"))
    constant("MeanMae", m.mean_absolute_error(truth, predicted))
    constant("MeanRmse", m.mean_squared_error(truth, predicted, squared=False))
    constant("MeanR2", m.r2_score(truth, predicted))


def exact_signed_rank(difference):
    """Two-sided, by listing every pattern of signs: right with ties too."""
    ranks = scipy.stats.rankdata(np.abs(difference))
    patterns = (np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks))) & 1
    seen = min(ranks[difference > 0].sum(), ranks[difference < 0].sum())
    return min(1.0, 2 * ((patterns @ ranks) <= seen + 1e-9).mean())


def signed_rank(difference):
    difference = difference[difference != 0]
    if len(difference) <= 20:
        return exact_signed_rank(difference)
    return scipy.stats.wilcoxon(difference, correction=True, mode="approx").pvalue


def paired(rng):
    print("struct PairedCase {")
    print("  std::vector<double> first, second;")
    print("  double t, t_p, low, high, effect, signed_rank_p;")
    print("};\n")
    print("inline const std::vector<PairedCase> kPaired{")
    for n, shift, digits in ((3, 1.0, 3), (5, 0.4, 3), (8, 0.0, 1), (12, 0.9, 1), (16, 0.3, 4), (10, -0.5, 0), (80, 0.25, 1)):
        first = np.round(90 + rng.normal(size=n), digits)
        second = np.round(first + shift + rng.normal(size=n), digits)
        difference = np.round(second - first, 9)
        t = scipy.stats.ttest_1samp(difference, 0)
        mean, sd = difference.mean(), difference.std(ddof=1)
        half = scipy.stats.t.ppf(0.975, n - 1) * sd / np.sqrt(n)
        values = [t.statistic, t.pvalue, mean - half, mean + half, mean / sd, signed_rank(difference)]
        print(f"    {{{{{numbers(first)}}}, {{{numbers(second)}}}, {numbers(values)}}},")
    print("};\n")
    print("struct TailCase {")
    print("  double t, freedom, p;  ///< two-sided")
    print("};\n")
    print("inline constexpr std::array<TailCase, 9> kTails{{")
    for t, freedom in ((0, 4), (0.5, 1), (2.776, 4), (-3, 2), (12, 2), (40, 9), (1.96, 1000), (5, 30), (0.01, 7)):
        print(f"    {{{float(t)!r}, {float(freedom)!r}, {float(2 * scipy.stats.t.sf(abs(t), freedom))!r}}},")
    print("}};")


def main():
    rng = np.random.default_rng(20)
    print(f"// Written by make_metric_reference.py with scikit-learn {sklearn.__version__}, scipy "
          f"{scipy.__version__} and numpy {np.__version__}.")
    print("// clang-format off\n#pragma once\n\n#include <array>\n#include <cstdint>\n#include <vector>\n")
    print("namespace coppice::monitor::reference {\n")
    print(f"inline constexpr int64_t kClasses = {CLASSES};\ninline constexpr int64_t kOutputs = {OUTPUTS};")
    classification(rng)
    ranking(rng)
    regression(rng)
    paired(rng)
    print("\n}  // namespace coppice::monitor::reference")


if __name__ == "__main__":
    main()
