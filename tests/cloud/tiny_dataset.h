#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"
#include "edge/tiny_model.h"

namespace coppice::cloud::testing {

inline data::Schema tiny_schema() {
  return {
      "classification", data::ElementType::U8, {edge::testing::kFeatures}, {"a", "b", "c", "d"}};
}

inline core::Bytes tiny_payload(int64_t shown, core::Rng& rng) {
  const auto image = edge::testing::image(shown, 255, rng);
  const auto bytes = std::as_bytes(std::span(image));
  return {bytes.begin(), bytes.end()};
}

/// What the good model of edge/tiny_model.h gets right and the wrong one does not.
inline data::DatasetPtr tiny_dataset(int64_t size) {
  core::Rng rng(21);
  std::vector<std::byte> samples;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < size; ++i) {
    labels.push_back(rng.below(edge::testing::kClasses));
    const auto payload = tiny_payload(labels.back(), rng);
    samples.insert(samples.end(), payload.begin(), payload.end());
  }
  return data::make_memory_dataset(tiny_schema(), std::move(samples), std::move(labels));
}

}  // namespace coppice::cloud::testing
