#include <fmt/format.h>

#include "data/hdf5_handle.h"
#include "data/seal.h"
#include "data/version_file.h"

namespace coppice::data {

namespace {

Hdf5Context reading(const std::filesystem::path& file) {
  return {file, core::ErrorKind::Corrupt, "remove it and import it again"};
}

Hdf5Handle open_file(const std::filesystem::path& file, const Hdf5Context& context) {
  const Hdf5Handle access(context.check(H5Pcreate(H5P_FILE_ACCESS), "prepare"), H5Pclose);
  // Versions never change once they have their name.
  context.check(H5Pset_file_locking(access.get(), false, true), "prepare");
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, access.get());
  return {context.check(id, "open it as a data-set version"), H5Fclose};
}

/// Of a text type; nothing is allocated for one that is longer than the file.
size_t fixed_length(hid_t type, const char* name, const Hdf5Context& context) {
  const bool fixed = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  const size_t length = H5Tget_size(type);
  if (!fixed || length < 1 || length > std::filesystem::file_size(context.file)) {
    context.fail_because(fmt::format("its {} are not text", name));
  }
  return length;
}

std::string read_text(hid_t file, const char* name, const Hdf5Context& context) {
  const std::string doing = fmt::format("read its {}", name);
  const Hdf5Handle attribute(context.check(H5Aopen(file, name, H5P_DEFAULT), doing), H5Aclose);
  const Hdf5Handle type(context.check(H5Aget_type(attribute.get()), doing), H5Tclose);
  const size_t size = fixed_length(type.get(), name, context);
  const Hdf5Handle space(context.check(H5Aget_space(attribute.get()), doing), H5Sclose);
  if (H5Sget_simple_extent_npoints(space.get()) != 1) {
    context.fail_because(fmt::format("its {} is not one text", name));
  }
  std::string text(size, '\0');
  context.check(H5Aread(attribute.get(), type.get(), text.data()), doing);
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

int64_t read_number(hid_t file, const char* name, const Hdf5Context& context) {
  const std::string doing = fmt::format("read its {}", name);
  const Hdf5Handle attribute(context.check(H5Aopen(file, name, H5P_DEFAULT), doing), H5Aclose);
  const Hdf5Handle space(context.check(H5Aget_space(attribute.get()), doing), H5Sclose);
  if (H5Sget_simple_extent_npoints(space.get()) != 1) {
    context.fail_because(fmt::format("its {} is not a number", name));
  }
  int64_t value = 0;
  context.check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), doing);
  return value;
}

int64_t check_format(hid_t file, const Hdf5Context& context) {
  if (const std::string format = read_text(file, "format", context); format != kFormat) {
    context.fail_because(fmt::format("its format is '{}', not '{}'", format, kFormat));
  }
  const int64_t version = read_number(file, "format_version", context);
  if (version != kFormatVersion && version != kExtendedFormatVersion) {
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("{}: format version {}, this program reads {} and {}; use the "
                                  "program that wrote it",
                                  context.file.string(),
                                  version,
                                  kFormatVersion,
                                  kExtendedFormatVersion));
  }
  return version;
}

/// Opens /`name` and checks that it has the shape that the description announces.
Hdf5Handle open_array(hid_t file,
                      const char* name,
                      const std::vector<hsize_t>& shape,
                      const Hdf5Context& context) {
  const std::string doing = fmt::format("read its {}", name);
  Hdf5Handle dataset(context.check(H5Dopen2(file, name, H5P_DEFAULT), doing), H5Dclose);
  const Hdf5Handle space(context.check(H5Dget_space(dataset.get()), doing), H5Sclose);
  std::vector<hsize_t> found(
      static_cast<size_t>(context.check(H5Sget_simple_extent_ndims(space.get()), doing)));
  context.check(H5Sget_simple_extent_dims(space.get(), found.data(), nullptr), doing);
  if (found != shape) {
    context.fail_because(fmt::format("its {} are [{}], not [{}] as its schema says",
                                     name,
                                     fmt::join(found, ", "),
                                     fmt::join(shape, ", ")));
  }
  return dataset;
}

/// Reads numbers that lie in the file as `file_type`.
void read_array(const Hdf5Handle& dataset,
                hid_t file_type,
                hid_t memory_type,
                void* values,
                std::string_view doing,
                const Hdf5Context& context) {
  const Hdf5Handle found(context.check(H5Dget_type(dataset.get()), doing), H5Tclose);
  if (H5Tequal(found.get(), file_type) <= 0) {
    context.fail_because(fmt::format("can't {}: they are of another type", doing));
  }
  context.check(H5Dread(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), doing);
}

}  // namespace

Description read_description(const std::filesystem::path& file) {
  check_seal(file);
  const QuietHdf5 quiet;
  const Hdf5Context context = reading(file);
  const Hdf5Handle handle = open_file(file, context);
  Description description;
  description.format_version = check_format(handle.get(), context);
  description.hash = read_text(handle.get(), "hash", context);
  description.schema = read_text(handle.get(), "schema", context);
  description.statistics = read_text(handle.get(), "statistics", context);
  description.parents = read_text(handle.get(), "parents", context);
  description.origin = read_text(handle.get(), "origin", context);
  if (H5Aexists(handle.get(), "columns") > 0) {
    description.columns = read_text(handle.get(), "columns", context);
  }
  return description;
}

Batch read_samples(const std::filesystem::path& file, const Schema& schema, int64_t samples) {
  const QuietHdf5 quiet;
  const Hdf5Context context = reading(file);
  const Hdf5Handle handle = open_file(file, context);
  const bool bytes = schema.type == ElementType::U8;
  Batch batch;
  batch.size = samples;
  batch.labels.resize(static_cast<size_t>(samples));
  batch.samples.resize(static_cast<size_t>(samples * schema.sample_bytes()));
  std::vector<hsize_t> shape = {static_cast<hsize_t>(samples)};
  read_array(open_array(handle.get(), "labels", shape, context),
             H5T_STD_I64LE,
             H5T_NATIVE_INT64,
             batch.labels.data(),
             "read its labels",
             context);
  if (!schema.target_names.empty()) {
    batch.targets.resize(static_cast<size_t>(samples) * schema.target_names.size());
    read_array(open_array(handle.get(), "targets", {shape[0], schema.target_names.size()}, context),
               H5T_IEEE_F32LE,
               H5T_NATIVE_FLOAT,
               batch.targets.data(),
               "read its targets",
               context);
  }
  shape.insert(shape.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  read_array(open_array(handle.get(), "samples", shape, context),
             bytes ? H5T_STD_U8LE : H5T_IEEE_F32LE,
             bytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT,
             batch.samples.data(),
             "read its samples",
             context);
  return batch;
}

std::vector<std::string> read_strings(const std::filesystem::path& file,
                                      const std::string& name,
                                      int64_t samples) {
  const QuietHdf5 quiet;
  const Hdf5Context context = reading(file);
  const Hdf5Handle handle = open_file(file, context);
  if (H5Lexists(handle.get(), name.c_str(), H5P_DEFAULT) <= 0) {
    return {};
  }
  const std::string doing = fmt::format("read its {}", name);
  const Hdf5Handle dataset =
      open_array(handle.get(), name.c_str(), {static_cast<hsize_t>(samples)}, context);
  const Hdf5Handle type(context.check(H5Dget_type(dataset.get()), doing), H5Tclose);
  const size_t length = fixed_length(type.get(), name.c_str(), context);
  std::string texts(length * static_cast<size_t>(samples), '\0');
  read_array(dataset, type.get(), type.get(), texts.data(), doing, context);
  std::vector<std::string> strings;
  for (size_t start = 0; start < texts.size(); start += length) {
    const std::string padded = texts.substr(start, length);
    strings.push_back(padded.substr(0, padded.find('\0')));
  }
  return strings;
}

std::string column_array(size_t i) {
  return fmt::format("column_{}", i);
}

}  // namespace coppice::data
