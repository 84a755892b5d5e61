#include "train/check_task.h"

#include <fmt/format.h>

#include "core/error.h"
#include "recipe/check.h"
#include "train/distillation/regressor.h"
#include "train/network.h"
#include "train/parameter.h"
#include "train/teacher.h"
#include "train/trainer.h"

namespace coppice::train {

namespace {

[[noreturn]] void refuse_task(const TrainingTask& task, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument, task.name + ": " + why);
}

void check_data(const TrainingTask& task,
                const data::Dataset& dataset,
                std::string_view role,
                bool labelled) {
  if (dataset.size() == 0) {
    refuse_task(task, fmt::format("the {} data set is empty", role));
  }
  if (!(dataset.schema() == task.train->schema())) {
    refuse_task(task,
                fmt::format("{} and training data differ in sample shape, type or classes; import "
                            "both with one schema",
                            role));
  }
  const auto classes = static_cast<int64_t>(dataset.schema().class_names.size());
  for (int64_t i = 0; labelled && i < dataset.size(); ++i) {
    const int64_t label = dataset.label(i);
    if (label < 0) {
      refuse_task(task,
                  fmt::format("sample {} of the {} data has no label; leave it out", i, role));
    }
    if (label >= classes) {
      refuse_task(task,
                  fmt::format("sample {} of the {} data has the label {}, but there are {} classes",
                              i,
                              role,
                              label,
                              classes));
    }
  }
}

/// What the options need of the teachers at hand, and hints of both networks.
void check_distillation(const Network& network, const TrainingTask& task) {
  const recipe::DistilOptions& distil = task.options.distil;
  if (distil.self && !task.teacher->graphs().contains("self")) {
    refuse_task(task, "distil.self: the teacher was made without the student");
  }
  if (!distil.teacher_weights.empty() && distil.teacher_weights.size() != task.teacher->size()) {
    refuse_task(task,
                fmt::format("distil.teacher_weights: {} weights for {} teachers",
                            distil.teacher_weights.size(),
                            task.teacher->size()));
  }
  recipe::check_hints(distil, network.graph(), task.teacher->graphs());
  for (size_t i = 0; i < distil.hints.size(); ++i) {
    if (network.graph().find(compared_node(distil, i)) == nullptr) {
      refuse_task(task,
                  fmt::format("distil.hints.{}: the network has no regressor; it comes from "
                              "add_regressors",
                              i));
    }
  }
}

void check_teacher(const TrainingTask& task, const std::string& name) {
  const bool replays = task.replay != nullptr && task.options.replay_share > 0;
  const bool on_replay = task.options.distil.on == "replay";
  if (name != "classification") {
    refuse_task(task, "a teacher softens class labels; it cannot teach " + name);
  }
  if (on_replay && !replays) {
    refuse_task(task,
                "distil.on is 'replay', but there is no replay data; set it to 'all' or give the "
                "job an input 'replay'");
  }
  if (on_replay && (task.options.mix.mixup_alpha > 0 || task.options.mix.cutmix_alpha > 0)) {
    refuse_task(task,
                "mixup and cutmix blend new samples with replayed ones, which distil.on 'replay' "
                "treats differently; set it to 'all' or switch them off");
  }
}

}  // namespace

void check_task(const Network& network, const TrainingTask& task) {
  if (network.parameters().empty()) {
    refuse_task(task, "the model has no trainable weights; train before quantising");
  }
  const std::string name = recipe::task_of(task.options.task, task.train->schema());
  const bool labelled = name == "classification";
  check_data(task, *task.train, "training", labelled);
  if (task.replay) {
    check_data(task, *task.replay, "replay", labelled);
  }
  if (task.validation) {
    check_data(task, *task.validation, "validation", false);
  }
  try {
    recipe::check(task.options, task.train->schema());
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), task.name + ": " + error.what());
  }
  if (task.teacher != nullptr) {
    check_teacher(task, name);
    check_distillation(network, task);
  } else if (task.options.distil.self || !task.options.distil.hints.empty()) {
    refuse_task(task, "distil names a teacher's nodes, but there is no teacher");
  }
  if (task.options.early_stopping.patience > 0 && !task.validation) {
    refuse_task(task,
                "early_stopping watches the validation loss; give the job an input 'validation' or "
                "set early_stopping.patience to 0");
  }
}

}  // namespace coppice::train
