#include "loop/options.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "data/transform.h"

namespace coppice::loop {

namespace {

void check_data(const DataOptions& data) {
  for (const auto& file :
       {data.train_images, data.train_labels, data.test_images, data.test_labels}) {
    if (!std::filesystem::exists(file)) {
      throw core::Error(
          core::ErrorKind::NotFound,
          fmt::format("data file '{}' does not exist (fields data.train_images, …)", file));
    }
  }
}

/// What IDX files hold; sizes do not matter for what is checked.
data::Schema image_schema() {
  data::Schema schema;
  schema.sample_shape = {1, 28, 28};
  return schema;
}

void check_job(const recipe::TrainJob& job) {
  graph::zoo().get(job.model.name);
  data::Pipeline(job.train.augmentation, image_schema());
}

}  // namespace

void DataOptions::visit(core::Fields& f) {
  f.field("train_images",
          train_images,
          {.help = "IDX file of training images, plain or gzipped", .required = true});
  f.field("train_labels", train_labels, {.help = "IDX file of their labels", .required = true});
  f.field("test_images",
          test_images,
          {.help = "IDX file of test images: only for judging", .required = true});
  f.field("test_labels", test_labels, {.help = "IDX file of their labels", .required = true});
  f.field("class_names", class_names, {.help = "names of the classes, by label", .required = true});
  f.field("train", train, {.help = "images to train on", .min = 1, .max = 1e9});
  f.field("held_out", held_out, {.help = "images held out for gates", .min = 1, .max = 1e9});
  f.field("field",
          field,
          {.help = "images that the devices of a closed loop see", .min = 0, .max = 1e9});
}

void CompressOptions::visit(core::Fields& f) {
  f.field("enabled", enabled, {.help = "off: ship the float model as trained"});
  f.group("prune", prune, "structural pruning: channels are removed");
  f.group("recover", recover, "training after pruning, distilled from the teacher");
  f.group("quantise", quantise, "int8 by calibration");
}

void ExperimentOptions::visit(core::Fields& f) {
  f.field("kind", kind, {.help = "what this file describes", .choices = {"train"}});
  f.field("name", name, {.help = "name of the run directory"});
  f.field("seed", seed, {.help = "of everything random", .min = 0, .max = 9e15});
  f.group("data", data, "images and their split");
  f.field("use_teacher",
          use_teacher,
          {.help = "train the teacher first and distil the student from it"});
  f.group("teacher", teacher, "larger network to distil from");
  f.group("student", student, "network of the experiment");
  f.group("compress", compress, "from the trained network to the artefact");
}

void RetrainOptions::visit(core::Fields& f) {
  f.group("train",
          train,
          "of the unpruned student: new samples and replay, distilled from the model in the field");
  f.group("recover", recover, "after pruning it again, distilled from the retrained student");
  f.field("calibration_samples",
          calibration_samples,
          {.help = "for int8: half replayed, half the newest", .min = 2, .max = 1e6});
}

void FieldOptions::visit(core::Fields& f) {
  f.group("scenario", scenario, "what the devices see, day by day");
  f.field("feedback_share",
          feedback_share,
          {.help = "share of inferences whose true class the device learns", .min = 0, .max = 1});
  f.field("label_error_share",
          label_error_share,
          {.help = "share of the simulated labeller's answers that are wrong", .min = 0, .max = 1});
  f.field("ticks_per_day",
          ticks_per_day,
          {.help = "steps of the virtual clock in a day", .min = 1, .max = 1440});
  f.field(
      "duplicate_share", duplicate_share, {.help = "messages delivered twice", .min = 0, .max = 1});
  f.field("delay_share", delay_share, {.help = "deliveries that come late", .min = 0, .max = 0.9});
}

void LoopOptions::visit(core::Fields& f) {
  f.field("kind", kind, {.help = "what this file describes", .choices = {"loop"}});
  f.field("name", name, {.help = "name of the run directory and of the released model"});
  f.field("seed", seed, {.help = "of everything random", .min = 0, .max = 9e15});
  f.group("data", data, "images and their split");
  f.group("teacher", teacher, "larger network to distil the first student from");
  f.group("student", student, "network that devices get, before compression");
  f.group("compress", compress, "from the trained student to the artefact");
  f.group("device", device, "the agents");
  f.group("service", service, "the cloud's side");
  f.group("retrain", retrain, "how the student learns from what the field sent");
  f.group("field", field, "the simulated world");
}

void check(const ExperimentOptions& options) {
  check_data(options.data);
  check_job(options.student);
  if (options.use_teacher) {
    check_job(options.teacher);
  }
  if (options.compress.enabled) {
    compress::criteria().get(options.compress.prune.criterion);
  }
}

void check(const LoopOptions& options) {
  check_data(options.data);
  check_job(options.teacher);
  check_job(options.student);
  compress::criteria().get(options.compress.prune.criterion);
  const auto& names = options.data.class_names;
  const auto& scenario = options.field.scenario;
  const auto require_class = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("class '{}' of the scenario is not among data.class_names{}",
                                    name,
                                    core::did_you_mean(name, names)));
    }
  };
  std::for_each(scenario.withheld_classes.begin(), scenario.withheld_classes.end(), require_class);
  if (scenario.phases.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "field.scenario.phases is empty: a loop needs at least one");
  }
  for (const auto& phase : scenario.phases) {
    std::for_each(phase.classes.begin(), phase.classes.end(), require_class);
    data::Pipeline(phase.transforms, image_schema());
  }
}

}  // namespace coppice::loop
