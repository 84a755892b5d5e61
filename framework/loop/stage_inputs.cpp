#include "loop/stage_inputs.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/split.h"

namespace coppice::loop {

namespace fs = std::filesystem;

StageInputs::StageInputs(const CompressionOptions& options,
                         const ImportedData& data,
                         const std::vector<CompressionRow>& rows,
                         fs::path folder)
    : options_(options), data_(data), rows_(rows), folder_(std::move(folder)) {}

StageInputs::Files StageInputs::of(const StageOptions& stage) const {
  Files files = data_of(stage);
  if (stage.kind == "train") {
    const auto teachers = stage.train.teachers();
    for (size_t i = 0; i < teachers.size(); ++i) {
      files[i == 0 ? "teacher" : fmt::format("teacher{}", i + 1)] = model(teachers[i]);
    }
  }
  return files;
}

const CompressionRow* StageInputs::row(const std::string& name) const {
  const auto it =
      std::find_if(rows_.begin(), rows_.end(), [&](const auto& one) { return one.name == name; });
  return it == rows_.end() ? nullptr : &*it;
}

fs::path StageInputs::model(const std::string& name) const {
  const CompressionRow* found = row(name);
  return found == nullptr ? fs::path(name) : found->model;
}

StageInputs::Files StageInputs::data_of(const StageOptions& stage) const {
  const fs::path& held_out = data_.held_out.version.file;
  switch (stage_kind(stage.kind).data) {
    case StageData::Training:
      return {{"train", training_data(stage.train.without_classes)}, {"validation", held_out}};
    case StageData::Calibration:
      return {{"calibration", data_.train.version.file}};
    case StageData::Validation:
      return {{"validation", held_out}};
    case StageData::None:
      break;
  }
  if (stage.kind == "prune" && compress::needs_data(stage.prune.criterion)) {
    return {{"train", data_.train.version.file}};
  }
  return {};
}

fs::path StageInputs::training_data(const std::vector<std::string>& without) const {
  if (without.empty()) {
    return data_.train.version.file;
  }
  std::vector<int64_t> kept;
  const auto& names = data_.test.samples->schema().class_names;
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(without.begin(), without.end(), names[i]) == without.end()) {
      kept.push_back(static_cast<int64_t>(i));
    }
  }
  const data::Dataset& all = *data_.train.samples;
  const auto rest = data::make_subset(data_.train.samples, data::with_classes(all, kept));
  return data::write_version(
             folder_, *rest, {data_.train.version.hash}, {{"split", "without classes"}})
      .file;
}

}  // namespace coppice::loop
