#include "data/standardise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace coppice::data {

namespace {

constexpr std::array<std::pair<StandardiseScope, std::string_view>, 3> kScopes = {
    {{StandardiseScope::Channel, "channel"},
     {StandardiseScope::Element, "element"},
     {StandardiseScope::All, "all"}}};

/// Count, mean and sum of squared differences from the mean.
struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;

  /// Chan, Golub and LeVeque (1983), equations 2.1.
  void merge(const Moments& other) {
    if (other.count == 0) {
      return;
    }
    const double total = count + other.count;
    const double difference = other.mean - mean;
    mean += difference * other.count / total;
    squares += other.squares + difference * difference * count * other.count / total;
    count = total;
  }
};

/// Which moments the value k of a sample goes to.
struct Scope {
  size_t groups;
  size_t run;  ///< consecutive values of one group

  size_t group(size_t k) const { return k / run; }
};

Scope scope_of(const Schema& schema, StandardiseScope scope) {
  const auto elements = static_cast<size_t>(schema.sample_elements());
  const auto channels = static_cast<size_t>(schema.sample_shape.front());
  switch (scope) {
    case StandardiseScope::Channel:
      return {channels, elements / channels};
    case StandardiseScope::Element:
      return {elements, 1};
    case StandardiseScope::All:
      break;
  }
  return {1, elements};
}

template <class T>
void add_batch(const Batch& batch, const Scope& scope, std::vector<Moments>& moments) {
  const size_t elements = scope.groups * scope.run;
  const std::span<const T> values(reinterpret_cast<const T*>(batch.samples.data()),
                                  static_cast<size_t>(batch.size) * elements);
  std::vector<Moments> batch_moments(scope.groups);
  for (size_t k = 0; k < values.size(); ++k) {
    const double value = static_cast<double>(values[k]);
    if (!std::isfinite(value)) {
      throw core::Error(core::ErrorKind::InvalidArgument,
                        fmt::format("sample {}: its value {} is {}; mend or drop the sample",
                                    batch.ids[k / elements],
                                    k % elements,
                                    value));
    }
    Moments& group = batch_moments[scope.group(k % elements)];
    group.count += 1;
    group.mean += value;
  }
  for (Moments& group : batch_moments) {
    group.mean /= group.count;
  }
  for (size_t k = 0; k < values.size(); ++k) {
    Moments& group = batch_moments[scope.group(k % elements)];
    const double difference = static_cast<double>(values[k]) - group.mean;
    group.squares += difference * difference;
  }
  for (size_t g = 0; g < moments.size(); ++g) {
    moments[g].merge(batch_moments[g]);
  }
}

}  // namespace

void StandardiseOptions::visit(core::Fields& f) {
  f.choice("scope", scope, kScopes, {.help = "over which values one mean is taken"});
  f.field(
      "least_std",
      least_std,
      {.help = "below it a value counts as constant and keeps its scale", .min = 0, .max = 1e9});
}

Standardisation fit_standardisation(const Dataset& training, const StandardiseOptions& options) {
  if (training.size() < 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "standardisation of an empty training part: it needs at least one sample");
  }
  constexpr int64_t kBatch = 256;  // stays in the cache between its two sums
  const Scope scope = scope_of(training.schema(), options.scope);
  std::vector<Moments> moments(scope.groups);
  std::vector<int64_t> indices;
  Batch batch;
  for (int64_t start = 0; start < training.size(); start += kBatch) {
    indices.resize(static_cast<size_t>(std::min(kBatch, training.size() - start)));
    std::iota(indices.begin(), indices.end(), start);
    training.read(indices, batch);
    if (training.schema().type == ElementType::U8) {
      add_batch<uint8_t>(batch, scope, moments);
    } else {
      add_batch<float>(batch, scope, moments);
    }
  }
  Standardisation result;
  result.samples = training.size();
  for (const Moments& group : moments) {
    const double deviation = std::sqrt(group.squares / group.count);
    result.mean.push_back(group.mean);
    result.std.push_back(deviation > options.least_std ? deviation : 1);
  }
  return result;
}

}  // namespace coppice::data
