#include "data/readers/all.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "data/readers.h"
#include "data/readers/numbers.h"

namespace coppice::data {

namespace {

constexpr std::array<std::pair<MissingPolicy, std::string_view>, 3> kMissingNames = {
    {{MissingPolicy::Refuse, "refuse"},
     {MissingPolicy::Mean, "mean"},
     {MissingPolicy::Drop, "drop"}}};

constexpr std::array<std::pair<CategoryEncoding, std::string_view>, 2> kEncodingNames = {
    {{CategoryEncoding::OneHot, "one_hot"}, {CategoryEncoding::Codes, "codes"}}};

}  // namespace

void CsvOptions::visit(core::Fields& f) {
  f.field("header", header, {.help = "the first row names the columns"});
  f.field("delimiter", delimiter, {.help = "one character, or 'tab'"});
  f.field("label", label, {.help = "column of the class; empty: none"});
  f.field("targets", targets, {.help = "columns to regress (task: regression)"});
  f.field("categorical", categorical, {.help = "feature columns that are categories"});
  f.field("columns", columns, {.help = "columns kept beside the samples, for splits"});
  f.field("ignored", ignored, {.help = "columns left out"});
  f.choice("encoding", encoding, kEncodingNames, {.help = "how categories become features"});
  f.choice("missing",
           missing,
           kMissingNames,
           {.help = "what a missing value means: an error, the column's mean (of categories the "
                    "most frequent), or a sample left out"});
  f.field("missing_values", missing_values, {.help = "texts that stand for a missing value"});
}

void ColumnFile::visit(core::Fields& f) {
  f.field("name", name, {.help = "name of the column", .required = true});
  f.field("file", file, {.help = "one-dimensional NPY file", .required = true});
}

void Hdf5Options::visit(core::Fields& f) {
  f.field("samples", samples, {.help = "HDF5 data set of the samples"});
  f.field("labels", labels, {.help = "HDF5 data set of labels or targets; empty: none"});
}

void SourceOptions::visit(core::Fields& f) {
  f.field(
      "format", format, {.help = "how it is read", .choices = readers().names(), .required = true});
  f.field("task",
          task,
          {.help = "what the samples are for",
           .choices = {"classification", "regression", "reconstruction"}});
  f.field("files", files, {.help = "files of samples, or the image folder", .required = true});
  f.field("label_files", label_files, {.help = "idx, npy: file of labels or targets"});
  f.field("class_names", class_names, {.help = "names of the classes; empty: as the files say"});
  f.field("first_label",
          first_label,
          {.help = "number of the first class in the files", .min = 0, .max = 1e9});
  f.field("sample_shape",
          sample_shape,
          {.help = "shape of a sample, where the files tell its size alone", .min = 1, .max = 1e9});
  f.list("columns", columns, "idx, npy, hdf5: files of values kept beside the samples");
  f.field("channels", channels, {.help = "folder: 1 for grey, 3 for RGB", .min = 1, .max = 3});
  f.group("csv", csv, "how a CSV file is read");
  f.group("hdf5", hdf5, "what is read of an HDF5 file");
}

const core::Registry<Reader>& readers() {
  static const auto registry = [] {
    core::Registry<Reader> all("reader");
    all.add("idx", import_idx, "MNIST's format: images and labels");
    all.add("csv", import_csv, "tables with names, categories and missing values (RFC 4180)");
    all.add(
        "libsvm", import_libsvm, "'label index:value …' lines; keeps the file and 'label;extra'");
    all.add("npy", import_npy, "NumPy arrays: samples and labels");
    all.add("cifar10", import_cifar10, "CIFAR-10's binary files");
    all.add("cifar100", import_cifar100, "CIFAR-100's binary files, fine labels");
    all.add("folder", import_folder, "PNG and JPEG images in a folder per class");
    all.add("hdf5", import_hdf5, "two data sets of a plain HDF5 file");
    return all;
  }();
  return registry;
}

ImportedSamples read_source(const SourceOptions& options, const std::filesystem::path& folder) {
  if (options.files.empty()) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("a source of format '{}' without files: name them in 'files'", options.format));
  }
  return readers().get(options.format)(options, folder);
}

std::filesystem::path single_file(const SourceOptions& options,
                                  const std::filesystem::path& folder) {
  if (options.files.size() != 1) {
    throw core::Error(
        core::ErrorKind::InvalidArgument,
        fmt::format("format '{}' reads one file of samples, 'files' names {}; import the others as "
                    "parts of their own",
                    options.format,
                    options.files.size()));
  }
  return folder / options.files.front();
}

core::Bytes read_unzipped(const std::filesystem::path& file) {
  std::filesystem::path zipped = file;
  zipped += ".gz";
  std::error_code error;
  if (!std::filesystem::exists(file, error) && std::filesystem::exists(zipped, error)) {
    throw core::Error(
        core::ErrorKind::NotFound,
        fmt::format(
            "{}: no such file (did you mean '{}'?)", file.string(), zipped.filename().string()));
  }
  core::Bytes bytes = core::read_file(file);
  const bool gzipped =
      bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
  return gzipped ? core::gunzip(bytes, file.string()) : bytes;
}

void refuse_file(const std::filesystem::path& file, const std::string& reason) {
  throw core::Error(core::ErrorKind::Corrupt, fmt::format("{}: {}", file.string(), reason));
}

ImportedSamples import_idx(const SourceOptions& options, const std::filesystem::path& folder) {
  const std::filesystem::path images = single_file(options, folder);
  if (options.label_files.size() != 1 || options.task != "classification" ||
      options.class_names.empty()) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      "format 'idx' is read for classification: name one file in 'label_files' and "
                      "the classes in 'class_names'");
  }
  ImportedSamples result;
  result.dataset = read_idx(images, folder / options.label_files.front(), options.class_names);
  result.columns = read_column_files(options, folder, result.dataset->size());
  return result;
}

}  // namespace coppice::data
