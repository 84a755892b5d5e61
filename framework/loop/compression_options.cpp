#include "loop/compression_options.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "jobs/names.h"
#include "loop/stage_hints.h"

namespace coppice::loop {

namespace {

[[noreturn]] void refuse_stage(const std::string& field, const std::string& why) {
  throw core::Error(core::ErrorKind::InvalidArgument, field + ": " + why);
}

/// What is known of a model before it is made.
struct Expected {
  bool trained = false;
  bool int8 = false;
};

/// Goes through the stages as the run will.
class StageCheck {
 public:
  StageCheck(const CompressionOptions& options, const data::Schema& schema)
      : options_(options), schema_(schema) {
    models_[std::string(kModelStage)] = {.trained = !options.model.onnx.empty()};
  }

  void check_next(const StageOptions& stage, size_t index) {
    const std::string entry = fmt::format("stages.{}", index);
    if (stage.kind.empty()) {
      refuse_stage(entry, fmt::format("names no stage; valid are {}", kind_names()));
    }
    if (!stage.also.empty()) {
      refuse_stage(
          entry,
          fmt::format(
              "holds '{}' and '{}'; every stage is an entry of its own", stage.kind, stage.also));
    }
    const std::string field = fmt::format("{}.{}", entry, stage.kind);
    check_name(stage, field);
    const StageKind& kind = stage_kind(stage.kind);
    Expected model;
    if (!stage.builds()) {
      model = expected(stage.from, field + ".from");
    }
    if (stage.kind == "train") {
      check_train(stage.train, field);
    } else if (kind.family) {
      check_family(field, stage.family, schema_);
      families_[stage.name] = stage.models();
    } else if (!model.trained) {
      refuse_stage(field,
                   "there is no trained model to start from: put a train stage before it, or name "
                   "an ONNX file in model.onnx");
    }
    if (model.int8 && !kind.takes_int8) {
      refuse_stage(
          field,
          fmt::format(
              "'{}' is quantised, and {} needs a float model: put it before, or name one in "
              "'from'",
              stage.from,
              stage.kind));
    }
    check_kind(stage, field);
    const bool trains_int8 = stage.kind == "train" && stage.train.train.qat.any();
    const std::vector<std::string> names = stage.models();
    for (size_t i = 0; i < names.size(); ++i) {
      if (models_.contains(names[i]) || families_.contains(names[i])) {
        refuse_taken(fmt::format("{}.members.{}.name", field, i), names[i]);
      }
      models_[names[i]] = {true, model.int8 || kind.gives_int8 || trains_int8};
    }
  }

 private:
  static std::string kind_names() {
    std::string names;
    for (const StageKind& kind : stage_kinds()) {
      names += (names.empty() ? "" : ", ") + std::string(kind.name);
    }
    return names;
  }

  void check_name(const StageOptions& stage, const std::string& field) const {
    try {
      jobs::check_name(stage.name, "stage");
    } catch (const core::Error& error) {
      refuse_stage(field + ".name", error.what());
    }
    if (models_.contains(stage.name) || families_.contains(stage.name) ||
        steps_.contains(stage.name)) {
      refuse_taken(field + ".name", stage.name);
    }
  }

  [[noreturn]] static void refuse_taken(const std::string& field, const std::string& name) {
    refuse_stage(field,
                 name == kModelStage
                     ? "'model' is the model that the experiment starts with; take another name"
                     : fmt::format("an earlier stage is called '{}' too", name));
  }

  const Expected& expected(const std::string& name, const std::string& field) const {
    if (const auto family = families_.find(name); family != families_.end()) {
      refuse_stage(
          field,
          fmt::format(
              "'{}' trains a family; name the member: {}", name, fmt::join(family->second, ", ")));
    }
    const auto it = models_.find(name);
    if (it == models_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, model] : models_) {
        names.push_back(known);
      }
      refuse_stage(
          field, fmt::format("'{}' is no earlier stage{}", name, core::did_you_mean(name, names)));
    }
    return it->second;
  }

  void check_train(const TrainStage& stage, const std::string& field) const {
    check_training(field, stage.train, schema_);
    if (stage.teacher.empty() && !stage.more_teachers.empty()) {
      refuse_stage(field + ".more_teachers", "name the first in 'teacher'");
    }
    const std::vector<std::string> teachers = stage.teachers();
    for (size_t i = 0; i < teachers.size(); ++i) {
      const std::string at =
          i == 0 ? field + ".teacher" : fmt::format("{}.more_teachers.{}", field, i - 1);
      const std::string& teacher = teachers[i];
      if (std::filesystem::path(teacher).extension() == ".onnx") {
        if (!std::filesystem::exists(teacher)) {
          throw core::Error(core::ErrorKind::NotFound,
                            fmt::format("{}: file '{}' does not exist", at, teacher));
        }
      } else if (!expected(teacher, at).trained) {
        refuse_stage(at, "the experiment's own model is not trained yet");
      }
    }
    check_classes(stage.without_classes, field + ".without_classes");
  }

  void check_classes(const std::vector<std::string>& classes, const std::string& field) const {
    const std::vector<std::string>& known = schema_.class_names;
    for (size_t i = 0; i < classes.size(); ++i) {
      if (!known.empty() && std::find(known.begin(), known.end(), classes[i]) == known.end()) {
        refuse_stage(fmt::format("{}.{}", field, i),
                     fmt::format("'{}' is no class of the data{}",
                                 classes[i],
                                 core::did_you_mean(classes[i], known)));
      }
    }
  }

  void check_kind(const StageOptions& stage, const std::string& field) {
    if (stage.kind == "prune") {
      try {
        compress::criteria().get(stage.prune.criterion);
      } catch (const core::Error& error) {
        throw core::Error(error.kind(), field + ".criterion: " + error.what());
      }
      check_schedule(stage, field);
    }
    if (stage.kind == "class_bias") {
      if (stage.class_bias.classes.empty()) {
        refuse_stage(field + ".classes", "it is empty; name the classes whose biases are to move");
      }
      check_classes(stage.class_bias.classes, field + ".classes");
    }
  }

  void check_schedule(const StageOptions& stage, const std::string& field) {
    if (stage.prune.schedule.steps <= 1) {
      if (stage.recovers) {
        refuse_stage(field + ".recovery",
                     "it follows every step of a schedule; set schedule.steps, or write a train "
                     "stage behind this one");
      }
      return;
    }
    if (compress::target_of(stage.prune).value > 0) {
      refuse_stage(field + ".target.value",
                   "steps of a schedule fall from ratio to ratio; give target.ratio");
    }
    if (stage.recovery.builds) {
      refuse_stage(field + ".recovery.model", "what recovers is the pruned network; leave it out");
    }
    check_train(stage.recovery, field + ".recovery");
    for (const StagePart& part : parts_of(stage)) {
      steps_.insert(part.stage.name);
    }
    steps_.erase(stage.name);
  }

  const CompressionOptions& options_;
  const data::Schema& schema_;
  std::set<std::string> steps_;                               ///< names that schedules take
  std::map<std::string, Expected> models_;                    ///< by stage or member
  std::map<std::string, std::vector<std::string>> families_;  ///< members by stage
};

}  // namespace

void ModelSource::visit(core::Fields& f) {
  f.field("onnx", onnx, {.help = "ONNX file of a trained model, in place of a network of the zoo"});
  if (onnx.empty()) {
    network.visit(f);
  }
}

void CompressionOptions::visit(core::Fields& f) {
  f.field("kind", kind, {.help = "what this file describes", .choices = {"compress"}});
  f.field("name", name, {.help = "name of the run directory"});
  f.field("seed", seed, {.help = "of everything random", .min = 0, .max = 9e15});
  f.group("data", data, "images and their split");
  f.group("model", model, "what the first stage starts with");
  f.list("stages", stages, "each reads the model of the stage before, unless it says `from`");
  name_stages(stages);
  f.field("control",
          control,
          {.help = "train every pruned shape from scratch too, for the epochs of its whole chain "
                   "(Liu et al., ICLR 2019)"});
  f.field("baseline",
          baseline,
          {.help = "stage that the others are compared with; default: the given model, or the "
                   "first stage"});
  f.field(
      "eager", eager, {.help = "time the baseline in libtorch too, op by op, one thread, batch 1"});
  f.field("agree",
          agree,
          {.help = "count the test images on which an int8 model's predictions differ between "
                   "coppice-train, the reference engine and the device engine"});
  f.group("engine", engine, "device engine that judges and times");
  f.field("rounds",
          rounds,
          {.help = "of timing, every model once in each; the least median counts",
           .min = 1,
           .max = 1000});
}

void check(const CompressionOptions& options) {
  const data::Schema schema = check_data(options.data);
  const std::string& onnx = options.model.onnx;
  if (!onnx.empty() && !std::filesystem::exists(onnx)) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("model.onnx: file '{}' does not exist", onnx));
  }
  if (options.stages.empty()) {
    refuse_stage("stages", "it is empty; name at least one");
  }
  StageCheck stages(options, schema);
  for (size_t i = 0; i < options.stages.size(); ++i) {
    stages.check_next(options.stages[i], i);
  }
  if (!options.baseline.empty()) {
    std::vector<std::string> names;
    if (!options.model.onnx.empty()) {
      names.emplace_back(kModelStage);
    }
    for (const StageOptions& stage : options.stages) {
      for (std::string& name : stage.models()) {
        names.push_back(std::move(name));
      }
    }
    if (std::find(names.begin(), names.end(), options.baseline) == names.end()) {
      refuse_stage(
          "baseline",
          fmt::format(
              "'{}' is no stage{}", options.baseline, core::did_you_mean(options.baseline, names)));
    }
  }
  check_stage_hints(options, schema);
}

size_t stage_index(const CompressionOptions& options, const std::string& name) {
  for (size_t i = 0; i < options.stages.size(); ++i) {
    const auto names = options.stages[i].models();
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return i;
    }
  }
  throw core::Error(core::ErrorKind::NotFound, fmt::format("no stage leaves '{}'", name));
}

}  // namespace coppice::loop
