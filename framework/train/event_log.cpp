#include "train/event_log.h"

#include <ATen/core/Tensor.h>

namespace coppice::train {

void EventLog::after_step(const TrainingStep& step) {
  if (!log_) {
    log_.emplace(folder_, step.number > 0 ? step.number : -1);
  }
  if (since_first_step_) {
    samples_ += step.batch.size;
    seconds_ = since_first_step_->seconds();
  } else {
    since_first_step_.emplace();
  }
  finished_steps_ = step.number + 1;
  loss_ += step.loss.item<double>();
  ++steps_;
  if (finished_steps_ % kStride == 0) {
    log_->write(finished_steps_, {{"train/loss", loss_ / static_cast<double>(steps_)}});
    loss_ = 0;
    steps_ = 0;
  }
}

void EventLog::write_epoch(int64_t epoch, const std::map<std::string, double>& values) {
  if (!log_) {
    return;
  }
  constexpr std::string_view kValidation = "validation_";
  std::map<std::string, double> scalars{{"epoch/number", static_cast<double>(epoch)}};
  for (const auto& [name, value] : values) {
    if (name.starts_with(kValidation)) {
      scalars["validation/" + name.substr(kValidation.size())] = value;
    } else {
      scalars[name == "learning_rate" ? name : "epoch/" + name] = value;
    }
  }
  if (seconds_ > 0) {
    scalars["samples_per_second"] = static_cast<double>(samples_) / seconds_;
  }
  since_first_step_.reset();
  samples_ = 0;
  seconds_ = 0;
  log_->write(finished_steps_, scalars);
}

}  // namespace coppice::train
