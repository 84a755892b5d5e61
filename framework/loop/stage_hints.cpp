#include "loop/stage_hints.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "core/error.h"
#include "graph/onnx.h"
#include "loop/check_hints.h"
#include "recipe/check_distil.h"

namespace coppice::loop {

namespace {

/// Null where a network is not known before it is made.
using NetworkPtr = std::shared_ptr<const graph::Model>;

bool is_file(const std::string& name) {
  return std::filesystem::path(name).extension() == ".onnx";
}

bool has_hints(const StageOptions& stage) {
  const bool trains = stage.kind == "train" && !stage.train.train.distil.hints.empty();
  return trains || !stage.recovery.train.distil.hints.empty();
}

/// The networks that stages leave, in the order of the stages.
class StageNetworks {
 public:
  StageNetworks(const CompressionOptions& options, const data::Schema& schema)
      : input_(input_for(schema)) {
    for (const StageOptions& stage : options.stages) {
      for (const TrainStage* training : {&stage.train, &stage.recovery}) {
        for (const std::string& teacher : training->teachers()) {
          if (is_file(teacher)) {
            load(teacher, teacher);
          }
        }
      }
    }
    const std::string own(kModelStage);
    if (!options.model.onnx.empty()) {
      load(own, options.model.onnx);
    } else if (begins_with_own(options)) {
      networks_[own] = build(options.model.network);
    }
  }

  void check_next(const StageOptions& stage, const std::string& field) {
    if (has_hints(stage)) {
      check_hints(stage, field);
    }
    if (stage.is_family()) {
      for (const recipe::FamilyMember& member : stage.family.members) {
        networks_[member.name] = build(member.model);
      }
      return;
    }
    const bool renames = stage.kind == "low_rank" || stage.kind == "quantise" ||
                         (stage.kind == "train" && stage.train.train.qat.any());
    networks_[stage.name] = renames ? nullptr : network_that_trains(stage);
  }

 private:
  static bool begins_with_own(const CompressionOptions& options) {
    return std::any_of(options.stages.begin(), options.stages.end(), [](const auto& stage) {
      return !stage.builds() && stage.from == kModelStage;
    });
  }

  NetworkPtr build(const graph::ModelOptions& options) const {
    return std::make_shared<graph::Model>(graph::build_model(options, input_, 1));
  }

  /// Networks that are built are to take what a given one takes.
  void load(const std::string& name, const std::string& file) {
    auto model = std::make_shared<graph::Model>(graph::load_onnx(file));
    if (const auto inputs = model->graph.inputs(); inputs.size() == 1) {
      const graph::Shape& shape = inputs[0]->shape;
      input_.sample_shape.assign(shape.begin() + 1, shape.end());
    }
    networks_[name] = std::move(model);
  }

  NetworkPtr network_that_trains(const StageOptions& stage) const {
    return stage.train.builds ? build(stage.train.model) : networks_.at(stage.from);
  }

  void check_hints(const StageOptions& stage, const std::string& field) const {
    const recipe::DistilOptions& distil = stage.train.train.distil;
    const NetworkPtr student = network_that_trains(stage);
    std::vector<NetworkPtr> networks{student};
    recipe::TeacherGraphs graphs;
    const auto teachers = stage.train.teachers();
    for (size_t i = 0; i < teachers.size(); ++i) {
      networks.push_back(networks_.at(teachers[i]));
      if (networks.back() != nullptr) {
        graphs[i == 0 ? "teacher" : fmt::format("teacher{}", i + 1)] = &networks.back()->graph;
      }
    }
    if (std::find(networks.begin(), networks.end(), nullptr) != networks.end()) {
      return;  // the job asks again, with the networks at hand
    }
    if (distil.self) {
      graphs["self"] = &student->graph;
    }
    try {
      recipe::check_hints(distil, student->graph, graphs);
    } catch (const core::Error& error) {
      throw core::Error(error.kind(), field + "." + error.what());
    }
  }

  graph::ModelInput input_;
  std::map<std::string, NetworkPtr> networks_;  ///< by stage, member or file
};

}  // namespace

void check_stage_hints(const CompressionOptions& options, const data::Schema& schema) {
  if (std::none_of(options.stages.begin(), options.stages.end(), has_hints)) {
    return;
  }
  StageNetworks networks(options, schema);
  for (size_t i = 0; i < options.stages.size(); ++i) {
    const StageOptions& stage = options.stages[i];
    const std::string field = fmt::format("stages.{}.{}", i, stage.kind);
    for (const StagePart& part : parts_of(stage)) {
      networks.check_next(part.stage, part.stage.kind == stage.kind ? field : field + ".recovery");
    }
  }
}

}  // namespace coppice::loop
