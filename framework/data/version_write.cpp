#include <algorithm>

#include <fmt/format.h>

#include "data/hdf5_handle.h"
#include "data/seal.h"
#include "data/version_file.h"

namespace coppice::data {

namespace {

/// Bytes that depend on the content alone: no time stamps. The format of HDF5 1.8, since attributes
/// of earlier ones can't be larger than 64 KiB.
Hdf5Handle create_file(Hdf5Image& image, size_t expected_bytes, const Hdf5Context& context) {
  const Hdf5Handle creation(context.check(H5Pcreate(H5P_FILE_CREATE), "prepare"), H5Pclose);
  context.check(H5Pset_obj_track_times(creation.get(), false), "prepare");
  const Hdf5Handle access = image.access(expected_bytes, context);
  context.check(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18), "prepare");
  const hid_t id = H5Fcreate(context.file.c_str(), H5F_ACC_TRUNC, creation.get(), access.get());
  return {context.check(id, "build it"), H5Fclose};
}

Hdf5Handle text_type(size_t length, const Hdf5Context& context) {
  Hdf5Handle type(context.check(H5Tcopy(H5T_C_S1), "prepare"), H5Tclose);
  context.check(H5Tset_size(type.get(), length), "prepare");
  context.check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "prepare");
  context.check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "prepare");
  return type;
}

void write_text(hid_t file, const char* name, const std::string& text, const Hdf5Context& context) {
  // HDF5 has no empty string type: "" is one NUL.
  const Hdf5Handle type = text_type(std::max(size_t{1}, text.size()), context);
  const Hdf5Handle space(context.check(H5Screate(H5S_SCALAR), "prepare"), H5Sclose);
  const hid_t id = H5Acreate2(file, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT);
  Hdf5Handle attribute(context.check(id, "write its description"), H5Aclose);
  context.check(H5Awrite(attribute.get(), type.get(), text.c_str()), "write its description");
  attribute.close(context, "write its description");
}

void write_number(hid_t file, const char* name, int64_t value, const Hdf5Context& context) {
  const Hdf5Handle space(context.check(H5Screate(H5S_SCALAR), "prepare"), H5Sclose);
  const hid_t id = H5Acreate2(file, name, H5T_STD_I64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT);
  Hdf5Handle attribute(context.check(id, "write its description"), H5Aclose);
  context.check(H5Awrite(attribute.get(), H5T_NATIVE_INT64, &value), "write its description");
  attribute.close(context, "write its description");
}

/// In one piece and uncompressed: reading it is one read, and deflate would take most of an
/// import's time.
/// Returns where it lies.
Stretch write_array(hid_t file,
                    const char* name,
                    hid_t file_type,
                    hid_t memory_type,
                    const std::vector<hsize_t>& shape,
                    const void* values,
                    const Hdf5Context& context) {
  const std::string doing = fmt::format("write its {}", name);
  const Hdf5Handle space(
      context.check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), doing),
      H5Sclose);
  const Hdf5Handle creation(context.check(H5Pcreate(H5P_DATASET_CREATE), doing), H5Pclose);
  context.check(H5Pset_obj_track_times(creation.get(), false), doing);
  const hid_t id =
      H5Dcreate2(file, name, file_type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT);
  Hdf5Handle dataset(context.check(id, doing), H5Dclose);
  context.check(H5Dwrite(dataset.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), doing);
  const Stretch place = {static_cast<int64_t>(H5Dget_offset(dataset.get())),
                         static_cast<int64_t>(H5Dget_storage_size(dataset.get()))};
  dataset.close(context, doing);
  return place;
}

/// Of fixed length, padded with NULs: one read instead of an object in HDF5's heap for each.
void write_strings(hid_t file,
                   const std::string& name,
                   const std::vector<std::string>& strings,
                   const Hdf5Context& context) {
  size_t length = 1;  // HDF5 has no empty string type
  for (const std::string& text : strings) {
    length = std::max(length, text.size());
  }
  std::string texts;
  texts.reserve(length * strings.size());
  for (const std::string& text : strings) {
    texts += text;
    texts.append(length - text.size(), '\0');
  }
  const Hdf5Handle type = text_type(length, context);
  write_array(file, name.c_str(), type.get(), type.get(), {strings.size()}, texts.data(), context);
}

}  // namespace

Hdf5Image version_image(const std::filesystem::path& name,
                        const Description& description,
                        const Schema& schema,
                        const Batch& batch,
                        const std::vector<std::string>& origins,
                        const Columns& columns) {
  const QuietHdf5 quiet;
  const Hdf5Context context = {name, core::ErrorKind::Io, "free some memory"};
  const size_t expected_bytes = batch.samples.size() + batch.labels.size() * sizeof(int64_t);
  Hdf5Image image;
  Hdf5Handle file = create_file(image, expected_bytes, context);
  write_text(file.get(), "format", kFormat, context);
  write_number(file.get(), "format_version", description.format_version, context);
  write_text(file.get(), "hash", description.hash, context);
  write_text(file.get(), "schema", description.schema, context);
  write_text(file.get(), "statistics", description.statistics, context);
  write_text(file.get(), "parents", description.parents, context);
  write_text(file.get(), "origin", description.origin, context);
  if (!columns.empty()) {
    write_text(file.get(), "columns", description.columns, context);
  }
  std::vector<hsize_t> shape = {static_cast<hsize_t>(batch.size)};
  write_array(
      file.get(), "labels", H5T_STD_I64LE, H5T_NATIVE_INT64, shape, batch.labels.data(), context);
  if (!origins.empty()) {
    write_strings(file.get(), "origins", origins, context);
  }
  size_t column = 0;
  for (const auto& [column_name, texts] : columns) {
    write_strings(file.get(), column_array(column++), texts, context);
  }
  if (!batch.targets.empty()) {
    write_array(file.get(),
                "targets",
                H5T_IEEE_F32LE,
                H5T_NATIVE_FLOAT,
                {shape[0], schema.target_names.size()},
                batch.targets.data(),
                context);
  }
  shape.insert(shape.end(), schema.sample_shape.begin(), schema.sample_shape.end());
  const bool bytes = schema.type == ElementType::U8;
  const Stretch samples = write_array(file.get(),
                                      "samples",
                                      bytes ? H5T_STD_U8LE : H5T_IEEE_F32LE,
                                      bytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT,
                                      shape,
                                      batch.samples.data(),
                                      context);
  image.close(file, context);
  image.append(make_seal(image.bytes(), samples));
  return image;
}

}  // namespace coppice::data
