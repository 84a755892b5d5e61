#include "runtime/onednn/plan.h"

#include <chrono>

namespace coppice::runtime::onednn {

Plan::Plan(int64_t batch,
           Layout layout,
           std::vector<std::unique_ptr<Step>> steps,
           std::vector<StepTime> labels)
    : batch_(batch),
      layout_(std::move(layout)),
      steps_(std::move(steps)),
      labels_(std::move(labels)),
      buffers_(layout_.offsets.size(), nullptr) {}

void Plan::bind(std::byte* arena) {
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (layout_.offsets[i] >= 0) {
      buffers_[i] = arena + layout_.offsets[i];
    }
  }
  for (const auto& step : steps_) {
    step->bind(buffers_);
  }
}

void Plan::run(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs) {
  point_at(inputs, outputs);
  for (const auto& step : steps_) {
    step->run(buffers_);
  }
}

void Plan::run_profiled(std::span<const std::byte* const> inputs,
                        std::span<std::byte* const> outputs,
                        std::vector<StepTime>& times) {
  using Clock = std::chrono::steady_clock;
  point_at(inputs, outputs);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const auto begin = Clock::now();
    steps_[i]->run(buffers_);
    const std::chrono::duration<double, std::micro> time = Clock::now() - begin;
    times.push_back({labels_[i].node, labels_[i].work, time.count()});
  }
}

void Plan::point_at(std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs) {
  for (const auto& [buffer, position] : layout_.inputs) {
    buffers_[buffer] = const_cast<std::byte*>(inputs[position]);  // NOLINT: steps only read inputs
  }
  for (const auto& [buffer, position] : layout_.outputs) {
    buffers_[buffer] = outputs[position];
  }
}

}  // namespace coppice::runtime::onednn
