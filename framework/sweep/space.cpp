#include "sweep/space.h"

#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::sweep {

namespace {

[[noreturn]] void fail(const std::string& field, const std::string& message) {
  throw core::Error(core::ErrorKind::InvalidArgument,
                    fmt::format("sweep parameter '{}': {}", field, message));
}

void check_range(const ParameterOptions& parameter) {
  if (parameter.range.size() != 2) {
    fail(parameter.field,
         fmt::format("range must be [low, high], but has {} numbers", parameter.range.size()));
  }
  const double low = parameter.range[0];
  const double high = parameter.range[1];
  if (!std::isfinite(low) || !std::isfinite(high) || low >= high) {
    fail(parameter.field, fmt::format("range [{}, {}] is empty or reversed", low, high));
  }
  if (parameter.log && low <= 0) {
    fail(parameter.field, fmt::format("range [{}, {}] has no logarithm; start above 0", low, high));
  }
  if (parameter.integer && std::ceil(low) > std::floor(high)) {
    fail(parameter.field, fmt::format("range [{}, {}] holds no whole number", low, high));
  }
}

void check_parameter(const ParameterOptions& parameter) {
  if (parameter.field.empty()) {
    fail(parameter.field, "field is missing");
  }
  if (parameter.values.empty() == parameter.range.empty()) {
    fail(parameter.field,
         parameter.values.empty() ? "give values or a range" : "give values or a range, not both");
  }
  if (!parameter.range.empty()) {
    check_range(parameter);
  } else if (parameter.log || parameter.integer) {
    fail(parameter.field, "log and integer go with a range, not with values");
  }
}

}  // namespace

void ParameterOptions::visit(core::Fields& f) {
  f.field("field",
          field,
          {.help = "dotted name of the experiment's field that varies, as for --set",
           .required = true});
  f.field("values", values, {.help = "the values to try; give these or a range"});
  f.field("range", range, {.help = "[low, high] to draw from; for the random sampler"});
  f.field("log", log, {.help = "range: uniform in the logarithm"});
  f.field("integer", integer, {.help = "range: whole numbers only"});
}

std::vector<std::string> to_overrides(const Assignment& assignment) {
  std::vector<std::string> overrides;
  for (const auto& [field, value] : assignment) {
    overrides.push_back(fmt::format("{}={}", field, value));
  }
  return overrides;
}

void check_space(const std::vector<ParameterOptions>& space) {
  if (space.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument, "a sweep needs at least one parameter");
  }
  std::set<std::string> fields;
  for (const ParameterOptions& parameter : space) {
    check_parameter(parameter);
    if (!fields.insert(parameter.field).second) {
      fail(parameter.field, "is listed twice");
    }
  }
}

}  // namespace coppice::sweep
