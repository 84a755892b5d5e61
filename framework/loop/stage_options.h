#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compress/low_rank.h"
#include "compress/prune.h"
#include "compress/quantise.h"
#include "compress/sparsify.h"
#include "compress/weight_sharing.h"
#include "core/fields.h"
#include "recipe/recipe.h"
#include "recipe/train_family.h"

namespace coppice::loop {

/// A stage that trains: the network of the stage before, or a new one.
struct TrainStage {
  bool builds = false;        ///< it has a `model` of its own
  graph::ModelOptions model;  ///< of a new network
  std::string teacher;        ///< earlier stage or ONNX file to distil from; empty: none
  std::vector<std::string> more_teachers;    ///< besides `teacher`
  std::vector<std::string> without_classes;  ///< training samples of these are left out
  recipe::TrainOptions train;

  std::vector<std::string> teachers() const;  ///< all of them

  void visit(core::Fields& f);
};

/// Moves the biases of classes that training has not seen (Hinton et al., 2015): each by what gives
/// the fewest errors on the held-out data.
struct ClassBiasStage {
  std::vector<std::string> classes;

  void visit(core::Fields& f);
};

/// One stage of `kind: compress`: a map of one key, its kind, to its options.
struct StageOptions {
  std::string kind;  ///< of stage_kinds(); empty: the entry names none
  std::string also;  ///< a second kind that the entry names, which is an error
  std::string name;  ///< how later stages, files and figures call it
  std::string from;  ///< the stage whose model it reads; kModelStage: the experiment's own

  // Of these, the kind's alone is read.
  TrainStage train;
  recipe::TrainFamilyJob family;
  compress::PruneOptions prune;
  TrainStage recovery;    ///< of a prune stage of several steps: what trains after each
  bool recovers = false;  ///< `recovery` is given
  compress::QuantiseOptions quantise;
  compress::LowRankOptions low_rank;
  compress::SparsifyOptions sparsify;
  compress::ShareOptions share;
  ClassBiasStage class_bias;

  bool is_family() const;  ///< it leaves a model for each member, by the member's name
  bool builds() const;     ///< networks of its own: it reads no stage's model

  /// Names of the models that it leaves, as later stages and figures call them.
  std::vector<std::string> models() const;

  void visit(core::Fields& f);
};

/// One job's worth of a stage.
struct StagePart {
  StageOptions stage;
  std::string reference = {};  ///< of a cut: the stage whose cost its target is a ratio of
  /// What the shape that it leaves is called; "" for one that has no control. Without: the shape
  /// that came in.
  std::optional<std::string> shape = {};
};

/// The stage itself, or of a prune stage with a schedule every cut ("NAME-cut-1") and its recovery
/// ("NAME-1"; the last has the stage's name and shape). Throws what compress::targets_of does.
std::vector<StagePart> parts_of(const StageOptions& stage);

/// What `from` and `teacher` call the model that the experiment starts with.
inline constexpr std::string_view kModelStage = "model";

/// Data that a job of a stage reads besides its model.
enum class StageData {
  None,
  Training,     ///< `train` and `validation`
  Calibration,  ///< `calibration`: training samples
  Validation,   ///< `validation`: held-out samples
};

/// All that the pipeline knows of a kind. A new one is a member of StageOptions and a row of
/// stage_kinds().
struct StageKind {
  std::string_view name;  ///< its key
  std::string_view job;   ///< kind of job that does it
  std::string_view help;
  StageData data = StageData::None;
  bool reshapes = false;    ///< the result has another shape, which has a control
  bool gives_int8 = false;  ///< the result is quantised
  bool takes_int8 = false;  ///< a quantised model may come in
  bool family = false;      ///< it builds several networks and leaves a model of each
  void (*visit)(StageOptions&, core::Fields&) = nullptr;
  std::string (*job_options)(const StageOptions&) = nullptr;  ///< resolved YAML
};

std::span<const StageKind> stage_kinds();

/// Throws Error{NotFound} with the nearest name.
const StageKind& stage_kind(std::string_view name);

/// Gives every stage a name ("prune", "prune-2", …) and says what it starts from.
void name_stages(std::vector<StageOptions>& stages);

}  // namespace coppice::loop
