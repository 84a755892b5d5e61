#pragma once

#include <string>
#include <string_view>

namespace coppice::report {

/// What a figure of a summary or a metrics row means, told from its name: "validation_accuracy",
/// "rmse.height", "macs".

/// Whether more of it is better: accuracies, precision, recall, F1, AUROC, R²; not losses, errors
/// and costs.
bool higher_is_better(std::string_view name);

/// Whether it is a share in [0, 1] that people read in per cent.
bool is_share(std::string_view name);

/// For people: "91.24 %" for a share, "12,345" for a count, else four significant digits.
std::string format_figure(std::string_view name, double value);

/// The same for a difference of two: points for shares, with a sign.
std::string format_difference(std::string_view name, double value);

}  // namespace coppice::report
