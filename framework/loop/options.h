#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cloud/service.h"
#include "compress/prune.h"
#include "compress/quantise.h"
#include "core/fields.h"
#include "data/manifest.h"
#include "data/scenario.h"
#include "edge/agent.h"
#include "recipe/recipe.h"
#include "recipe/train_family.h"

namespace coppice::loop {

/// Where the images come from and how they are split. Sizes in samples.
struct DataOptions {
  std::string manifest;  ///< of a known data set, in place of the four files; its parts are "train"
                         ///< and "test"
  std::string folder;    ///< of the manifest's files; empty: where the manifest says
  std::string train_images;
  std::string train_labels;
  std::string test_images;
  std::string test_labels;
  std::vector<std::string> class_names;
  int64_t side = 0;         ///< images are resized to side x side; 0: as they are
  int64_t train = 12000;    ///< to train on: classes that are not withheld
  int64_t held_out = 6000;  ///< for gates: every class
  int64_t field = 36000;    ///< for a closed loop: what the devices see

  void visit(core::Fields& f);
};

/// The part of that name. Throws Error{NotFound}.
const data::ManifestPart& manifest_part(const data::Manifest& manifest, const std::string& name);

/// Where the files of `data.manifest` lie.
std::filesystem::path manifest_folder(const DataOptions& data, const data::Manifest& manifest);

/// Prune, recover by distillation, quantise.
struct CompressOptions {
  bool enabled = true;
  compress::PruneOptions prune;
  recipe::TrainOptions recover;
  compress::QuantiseOptions quantise;

  void visit(core::Fields& f);
};

/// YAML of `kind: train`: train, optionally with a teacher; optionally compress; evaluate; report.
struct ExperimentOptions {
  std::string kind = "train";
  std::string name = "experiment";
  int64_t seed = 1;
  DataOptions data;
  bool use_teacher = false;
  recipe::TrainJob teacher;
  recipe::TrainJob student;
  CompressOptions compress;

  void visit(core::Fields& f);
};

/// How the student is retrained on what the field sent.
struct RetrainOptions {
  recipe::TrainOptions train;  ///< of the unpruned student: new samples with replay, distilled from
                               ///< the model in the field
  recipe::TrainOptions recover;  ///< after pruning it again
  int64_t newest_samples = 0;  ///< labelled field samples to learn; older ones are replayed; 0: all
  int64_t calibration_samples = 512;  ///< half replayed, half the newest

  void visit(core::Fields& f);
};

/// The simulated world around the real agents and the real service.
struct FieldOptions {
  data::ScenarioOptions scenario;
  double feedback_share = 0.3;   ///< of inferences whose true class the device learns
  double label_error_share = 0;  ///< of the simulated labeller's answers that are wrong
  int64_t ticks_per_day = 24;
  double duplicate_share = 0.02;  ///< of messages that are delivered twice
  double delay_share = 0.05;      ///< of deliveries that come late

  void visit(core::Fields& f);
};

/// YAML of `kind: loop`.
struct LoopOptions {
  std::string kind = "loop";
  std::string name = "loop";
  int64_t seed = 1;
  DataOptions data;
  recipe::TrainJob teacher;
  recipe::TrainJob student;
  CompressOptions compress;
  edge::AgentOptions device;
  cloud::ServiceOptions service;
  RetrainOptions retrain;
  FieldOptions field;

  void visit(core::Fields& f);
};

/// What options cannot say by themselves; throws Error{InvalidArgument, NotFound}: files that are
/// missing, unknown networks or transforms, networks and transforms that do not fit the data,
/// classes that are not named. Messages begin with the field: "data.train_images: …".

/// What the samples will be; of a manifest, the test part is read for it.
data::Schema check_data(const DataOptions& data);
/// `field` is where the options stand ("student.train").
void check_training(const std::string& field,
                    const recipe::TrainOptions& options,
                    const data::Schema& schema);
void check_family(const std::string& field,
                  const recipe::TrainFamilyJob& job,
                  const data::Schema& schema);
void check(const ExperimentOptions& options);
void check(const LoopOptions& options);

}  // namespace coppice::loop
