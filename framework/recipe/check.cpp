#include "recipe/check.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "recipe/check_distil.h"

namespace coppice::recipe {

namespace {

[[noreturn]] void refuse_field(const std::string& field, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument, field + ": " + why);
}

void check_augmentation(const TrainOptions& options, const data::Schema& schema) {
  for (size_t i = 0; i < options.augmentation.size(); ++i) {
    try {
      data::Pipeline({options.augmentation[i]}, schema);
    } catch (const core::Error& error) {
      throw core::Error(error.kind(), fmt::format("augmentation.{}: {}", i, error.what()));
    }
  }
}

void check_mix(const MixOptions& mix, const std::string& task, const data::Schema& schema) {
  if (schema.sample_shape.size() < 2) {
    for (const auto& [field, value] :
         {std::pair{"mix.cutmix_alpha", mix.cutmix_alpha}, {"mix.cutout_side", mix.cutout_side}}) {
      if (value > 0) {
        refuse_field(field,
                     fmt::format("it cuts images or windows, a sample is [{}]; set it to 0",
                                 fmt::join(schema.sample_shape, ", ")));
      }
    }
  }
  if (task == "reconstruction") {
    for (const auto& [field, value] :
         {std::pair{"mix.mixup_alpha", mix.mixup_alpha}, {"mix.cutmix_alpha", mix.cutmix_alpha}}) {
      if (value > 0) {
        refuse_field(field, "an auto-encoder would learn the mixtures; set it to 0");
      }
    }
  }
}

void check_schedule(const TrainOptions& options) {
  const ScheduleOptions& schedule = options.schedule;
  if (schedule.warmup_epochs > static_cast<double>(options.epochs)) {
    refuse_field("schedule.warmup_epochs",
                 fmt::format("a warm-up of {} epochs is longer than the {} epochs of the run",
                             schedule.warmup_epochs,
                             options.epochs));
  }
  if (schedule.name == "multi_step") {
    const auto& at = schedule.milestones;
    if (at.empty() ||
        std::adjacent_find(at.begin(), at.end(), std::greater_equal<>()) != at.end()) {
      refuse_field("schedule.milestones",
                   fmt::format("multi_step needs ascending epochs, not [{}]", fmt::join(at, ", ")));
    }
  }
  if (schedule.lowest_momentum > schedule.highest_momentum) {
    refuse_field("schedule.lowest_momentum",
                 fmt::format("{} is above highest_momentum, {}",
                             schedule.lowest_momentum,
                             schedule.highest_momentum));
  }
}

void check_loss(const TrainOptions& options, const std::string& task) {
  const bool classes = task == "classification";
  const std::string loss = loss_of(options.task, task);
  if (classes != (loss == "cross_entropy")) {
    refuse_field("task.loss",
                 fmt::format("'{}' does not fit {}: {}",
                             loss,
                             task,
                             classes ? "use cross_entropy" : "use mse, mae or huber"));
  }
  if (!classes && options.label_smoothing > 0) {
    refuse_field("label_smoothing", "it smooths class labels; set it to 0 for " + task);
  }
}

void check_qat(const TrainOptions& options) {
  if (options.qat.method == "lsq" && options.sam_rho > 0) {
    refuse_field("qat.method",
                 "lsq learns scales, which the ascent of sam_rho would move away from any range; "
                 "use ste or set sam_rho to 0");
  }
  const auto& hints = options.distil.hints;
  if (options.qat.any() && std::any_of(hints.begin(), hints.end(), [](const HintOptions& hint) {
        return hint.method == "fitnets";
      })) {
    refuse_field("qat.method",
                 "the layer that fitnets learns has no int8 form; distil first, and quantise in a "
                 "second training that starts from the result");
  }
}

}  // namespace

namespace {

void check_structure(const TrainOptions& options) {
  const SparsityOptions& sparsity = options.sparsity;
  if (sparsity.any() && sparsity.begin > sparsity.end) {
    refuse_field("sparsity.begin",
                 fmt::format("{} is behind sparsity.end, {}", sparsity.begin, sparsity.end));
  }
  if (sparsity.any() && options.keep == "shared") {
    refuse_field("sparsity.share", "shared weights are not cut one by one; sparsify, then share");
  }
  if (options.ema_decay > 0 && (sparsity.any() || options.keep == "shared")) {
    refuse_field("ema_decay",
                 "an average over steps has neither the zeros nor the shared values of the last "
                 "one; set it to 0");
  }
  if (sparsity.any() && options.early_stopping.patience > 0) {
    refuse_field("early_stopping.patience",
                 "the run could end before sparsity.share is reached; set it to 0");
  }
}

}  // namespace

std::string task_of(const TaskOptions& options, const data::Schema& schema) {
  return options.name == "auto" ? schema.task : options.name;
}

std::string loss_of(const TaskOptions& options, const std::string& task) {
  if (options.loss != "auto") {
    return options.loss;
  }
  return task == "classification" ? "cross_entropy" : "mse";
}

void check(const TrainOptions& options, const data::Schema& schema) {
  const std::string task = task_of(options.task, schema);
  if (task != schema.task && task != "reconstruction") {
    refuse_field("task.name", fmt::format("'{}', but the data is for {}", task, schema.task));
  }
  check_loss(options, task);
  check_augmentation(options, schema);
  check_mix(options.mix, task, schema);
  check_schedule(options);
  check_structure(options);
  check_distil(options.distil, options.ema_decay > 0);
  check_qat(options);
}

}  // namespace coppice::recipe
