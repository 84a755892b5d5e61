#include "loop/options.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "data/manifest.h"
#include "data/transform.h"
#include "loop/check_hints.h"
#include "loop/import.h"
#include "recipe/check.h"

namespace coppice::loop {

namespace {

namespace fs = std::filesystem;

/// Runs a check of one field; what it throws names the field first.
template <class Check>
void check_field(const std::string& field, const Check& check) {
  try {
    check();
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), fmt::format("{}: {}", field, error.what()));
  }
}

/// Both parts of the manifest, and that their files are there.
void check_manifest(const DataOptions& data) {
  check_field("data.manifest", [&] {
    const data::Manifest manifest = data::load_manifest(data.manifest);
    for (const char* name : {"train", "test"}) {
      const data::ManifestPart& part = manifest_part(manifest, name);
      for (const auto* files : {&part.source.files, &part.source.label_files}) {
        for (const std::string& file : *files) {
          if (const auto path = manifest_folder(data, manifest) / file; !fs::exists(path)) {
            throw core::Error(
                core::ErrorKind::NotFound,
                fmt::format("there is no file '{}'; {}name its folder in data.folder",
                            path.string(),
                            manifest.source.empty()
                                ? ""
                                : fmt::format("get it from {}, and ", manifest.source)));
          }
        }
      }
    }
  });
}

void check_transforms(const std::string& field,
                      const std::vector<data::TransformOptions>& transforms,
                      const data::Schema& schema) {
  for (size_t i = 0; i < transforms.size(); ++i) {
    check_field(fmt::format("{}.{}", field, i), [&] { data::Pipeline({transforms[i]}, schema); });
  }
}

void check_job(const std::string& field, const recipe::TrainJob& job, const data::Schema& schema) {
  const std::string& onnx = job.imported.onnx;
  if (!onnx.empty() && !std::filesystem::is_regular_file(onnx)) {
    throw core::Error(core::ErrorKind::NotFound,
                      fmt::format("{}.imported.onnx: there is no file '{}'", field, onnx));
  }
  check_field(field + ".model.name", [&] { graph::zoo().get(job.model.name); });
  if (onnx.empty()) {
    check_field(field + ".model", [&] { graph::build_model(job.model, input_for(schema), 1); });
  }
  check_training(field + ".train", job.train, schema);
}

void check_compression(const CompressOptions& options, const data::Schema& schema) {
  check_field("compress.prune.criterion",
              [&] { compress::criteria().get(options.prune.criterion); });
  check_training("compress.recover", options.recover, schema);
}

void check_classes(const std::string& field,
                   const std::vector<std::string>& classes,
                   const std::vector<std::string>& names) {
  for (size_t i = 0; i < classes.size(); ++i) {
    if (std::find(names.begin(), names.end(), classes[i]) == names.end()) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("{}.{}: class '{}' is not among the data's{}",
                                    field,
                                    i,
                                    classes[i],
                                    core::did_you_mean(classes[i], names)));
    }
  }
}

}  // namespace

const data::ManifestPart& manifest_part(const data::Manifest& manifest, const std::string& name) {
  std::vector<std::string> names;
  for (const data::ManifestPart& part : manifest.parts) {
    if (part.name == name) {
      return part;
    }
    names.push_back(part.name);
  }
  throw core::Error(core::ErrorKind::NotFound,
                    fmt::format("the data set '{}' has no part '{}', only {}",
                                manifest.name,
                                name,
                                fmt::join(names, ", ")));
}

fs::path manifest_folder(const DataOptions& data, const data::Manifest& manifest) {
  return data.folder.empty() ? fs::path(data.manifest).parent_path() / manifest.folder
                             : fs::path(data.folder);
}

void DataOptions::visit(core::Fields& f) {
  f.field(
      "manifest",
      manifest,
      {.help = "YAML file of a known data set (datasets/), in place of the four files: its parts "
               "'train' and 'test'"});
  f.field("folder",
          folder,
          {.help = "where the manifest's files lie; default: where the manifest says"});
  const bool files = manifest.empty() && !f.wants_every_field();
  f.field("train_images",
          train_images,
          {.help = "IDX file of training images, plain or gzipped", .required = files});
  f.field("train_labels", train_labels, {.help = "IDX file of their labels", .required = files});
  f.field("test_images",
          test_images,
          {.help = "IDX file of test images: only for judging", .required = files});
  f.field("test_labels", test_labels, {.help = "IDX file of their labels", .required = files});
  f.field(
      "class_names",
      class_names,
      {.help = "names of the classes, by label; a manifest's own by default", .required = files});
  f.field("side",
          side,
          {.help = "images are resized to this width and height; 0: as they are",
           .unit = "pixels",
           .min = 0,
           .max = 1024});
  f.field("train", train, {.help = "images to train on", .min = 1, .max = 1e9});
  f.field("held_out", held_out, {.help = "images held out for gates", .min = 1, .max = 1e9});
  f.field("field",
          field,
          {.help = "images that the devices of a closed loop see", .min = 0, .max = 1e9});
}

void CompressOptions::visit(core::Fields& f) {
  f.field("enabled", enabled, {.help = "off: ship the float model as trained"});
  f.group("prune", prune, "structural pruning: channels are removed");
  f.group("recover", recover, "training after pruning; of classifiers, distilled from the teacher");
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
  f.field("newest_samples",
          newest_samples,
          {.help = "labelled field samples to learn from, older ones are replayed; 0: all",
           .min = 0,
           .max = 1e9});
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

data::Schema check_data(const DataOptions& data) {
  if (!data.manifest.empty()) {
    check_manifest(data);
    return schema_of(data);
  }
  const auto check_file = [](const std::string& field, const std::string& file) {
    if (!std::filesystem::exists(file)) {
      throw core::Error(core::ErrorKind::NotFound,
                        fmt::format("{}: data file '{}' does not exist", field, file));
    }
  };
  check_file("data.train_images", data.train_images);
  check_file("data.train_labels", data.train_labels);
  check_file("data.test_images", data.test_images);
  check_file("data.test_labels", data.test_labels);
  return schema_of(data);
}

void check_training(const std::string& field,
                    const recipe::TrainOptions& options,
                    const data::Schema& schema) {
  try {
    recipe::check(options, schema);
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), field + "." + error.what());
  }
}

void check_family(const std::string& field,
                  const recipe::TrainFamilyJob& job,
                  const data::Schema& schema) {
  try {
    recipe::check(job, schema);
  } catch (const core::Error& error) {
    throw core::Error(error.kind(), field + "." + error.what());
  }
}

void check(const ExperimentOptions& options) {
  const data::Schema schema = check_data(options.data);
  check_job("student", options.student, schema);
  if (options.use_teacher) {
    check_job("teacher", options.teacher, schema);
  }
  const graph::ModelOptions* teacher = options.use_teacher ? &options.teacher.model : nullptr;
  const auto& student = options.student.model;
  check_hints("student.train", options.student.train.distil, student, teacher, schema);
  if (options.compress.enabled) {
    check_compression(options.compress, schema);
    check_hints("compress.recover",
                options.compress.recover.distil,
                student,
                teacher != nullptr ? teacher : &student,
                schema);
  }
}

void check(const LoopOptions& options) {
  const data::Schema schema = check_data(options.data);
  check_job("teacher", options.teacher, schema);
  check_job("student", options.student, schema);
  check_compression(options.compress, schema);
  check_training("retrain.train", options.retrain.train, schema);
  check_training("retrain.recover", options.retrain.recover, schema);
  const auto& scenario = options.field.scenario;
  const auto& names = schema.class_names;
  const auto& student = options.student.model;
  const auto* teacher = &options.teacher.model;
  check_hints("student.train", options.student.train.distil, student, teacher, schema);
  check_hints("compress.recover", options.compress.recover.distil, student, teacher, schema);
  check_hints("retrain.train", options.retrain.train.distil, student, &student, schema);
  check_hints("retrain.recover", options.retrain.recover.distil, student, &student, schema);
  check_classes("field.scenario.withheld_classes", scenario.withheld_classes, names);
  if (scenario.phases.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "field.scenario.phases: it is empty, a loop needs at least one");
  }
  for (size_t i = 0; i < scenario.phases.size(); ++i) {
    const std::string field = fmt::format("field.scenario.phases.{}", i);
    check_classes(field + ".classes", scenario.phases[i].classes, names);
    check_transforms(field + ".transforms", scenario.phases[i].transforms, schema);
  }
}

}  // namespace coppice::loop
