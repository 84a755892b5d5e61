#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/files.h"
#include "core/rng.h"
#include "graph/builder.h"
#include "graph/onnx.h"

namespace coppice::edge::testing {

inline constexpr int64_t kClasses = 4;
inline constexpr int64_t kFeatures = 16;  ///< the first kClasses decide, the others are noise

/// A classifier of kFeatures bytes that answers `answers[k]` where feature k is the brightest: its
/// logit is 10 at 255, 0 for the others.
inline graph::Model answering_model(const std::vector<int64_t>& answers) {
  graph::Builder builder(graph::DType::U8, {kFeatures}, core::Rng(1));
  builder.gemm(builder.normalise(builder.input(), {0}, {25.5}), kClasses, false, "logits");
  graph::Model model = builder.build({"logits"});
  graph::Tensor weight(graph::DType::F32, {kClasses, kFeatures});
  for (size_t k = 0; k < answers.size(); ++k) {
    weight.data<float>()[static_cast<size_t>(answers[k] * kFeatures) + k] = 1;
  }
  model.weights.at("logits.weight") = weight;
  model.metadata.class_names = {"a", "b", "c", "d"};
  return model;
}

inline core::Bytes good_model() {
  return graph::to_onnx(answering_model({0, 1, 2, 3}));
}

inline core::Bytes wrong_model() {
  return graph::to_onnx(answering_model({1, 2, 3, 0}));
}

/// Another artefact that answers like the good one.
inline core::Bytes renamed_model(const std::string& name) {
  graph::Model model = answering_model({0, 1, 2, 3});
  model.metadata.name = name;
  return graph::to_onnx(model);
}

inline core::Bytes nan_model() {
  graph::Model model = answering_model({0, 1, 2, 3});
  graph::Tensor weight = model.weights.at("logits.weight").clone();
  weight.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  model.weights.at("logits.weight") = weight;
  return graph::to_onnx(model);
}

/// What shows class `shown`: at 255 no model above doubts, at 20 every one does (confidence 0.42).
inline std::vector<uint8_t> image(int64_t shown, uint8_t brightness, core::Rng& rng) {
  std::vector<uint8_t> bytes(static_cast<size_t>(kFeatures));
  bytes[static_cast<size_t>(shown)] = brightness;
  for (size_t i = static_cast<size_t>(kClasses); i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(rng.below(256));
  }
  return bytes;
}

}  // namespace coppice::edge::testing
