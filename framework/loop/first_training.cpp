#include "loop/first_training.h"

namespace coppice::loop {

namespace {

StageOptions training_of_member(const StageOptions& family, const std::string& member) {
  const std::vector<std::string> members = family.models();
  const bool all_teach = family.family.learn_from == "each_other";
  StageOptions training;
  training.kind = "train";
  training.name = member;
  training.train.train = family.family.train;
  for (const std::string& other : members) {
    if (other == member || !(all_teach || other == members.front())) {
      continue;
    }
    if (training.train.teacher.empty()) {
      training.train.teacher = other;
    } else {
      training.train.more_teachers.push_back(other);
    }
  }
  if (training.train.teacher.empty()) {
    training.train.train.distil = {};
  }
  return training;
}

}  // namespace

std::optional<StageOptions> first_training(const CompressionOptions& options,
                                           const std::string& name) {
  std::optional<StageOptions> found;
  for (std::string at = name; at != kModelStage && !at.empty();) {
    const StageOptions& stage = options.stages[stage_index(options, at)];
    if (stage.is_family()) {
      found = training_of_member(stage, at);
    } else if (stage.kind == "train") {
      found = stage;
    }
    at = stage.builds() ? "" : stage.from;
  }
  return found;
}

}  // namespace coppice::loop
