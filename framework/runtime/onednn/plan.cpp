#include "runtime/onednn/plan.h"

namespace coppice::runtime::onednn {

Plan::Plan(int64_t batch, Layout layout, std::vector<std::unique_ptr<Step>> steps)
    : batch_(batch),
      layout_(std::move(layout)),
      steps_(std::move(steps)),
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
  for (const auto& [buffer, position] : layout_.inputs) {
    buffers_[buffer] = const_cast<std::byte*>(inputs[position]);  // NOLINT: steps only read inputs
  }
  for (const auto& [buffer, position] : layout_.outputs) {
    buffers_[buffer] = outputs[position];
  }
  for (const auto& step : steps_) {
    step->run(buffers_);
  }
}

}  // namespace coppice::runtime::onednn
