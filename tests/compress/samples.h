#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "core/rng.h"
#include "graph/graph.h"
#include "runtime/engine.h"

namespace coppice::compress {

/// Random samples of the model's input: normal, or even over all bytes.
inline graph::Tensor noise_for(const graph::Model& model,
                               int64_t count,
                               uint64_t seed,
                               double spread = 1) {
  core::Rng rng(seed);
  const graph::Node& input = *model.graph.inputs().at(0);
  graph::Shape shape = input.shape;
  shape[0] = count;
  graph::Tensor samples(input.dtype, shape);
  if (input.dtype == graph::DType::U8) {
    for (uint8_t& value : samples.data<uint8_t>()) {
      value = static_cast<uint8_t>(rng.below(256));
    }
  } else {
    for (float& value : samples.data<float>()) {
      value = static_cast<float>(spread * rng.normal());
    }
  }
  return samples;
}

/// The first output of every sample.
inline graph::Tensor outputs_on(const graph::Model& model,
                                const graph::Tensor& samples,
                                const std::string& backend = "first") {
  const auto engine = runtime::build_engine(model, {.backend = backend, .max_batch = 16});
  return runtime::run_all(*engine, samples, 16);
}

inline double measured_sqnr_db(const graph::Tensor& exact, const graph::Tensor& rounded) {
  double signal = 0;
  double noise_power = 0;
  for (size_t i = 0; i < static_cast<size_t>(exact.size()); ++i) {
    const double value = exact.data<float>()[i];
    const double error = value - static_cast<double>(rounded.data<float>()[i]);
    signal += value * value;
    noise_power += error * error;
  }
  return 10 * std::log10(signal / noise_power);
}

}  // namespace coppice::compress
