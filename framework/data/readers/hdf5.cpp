#include <fmt/format.h>

#include "data/hdf5_handle.h"
#include "data/readers/all.h"
#include "data/readers/numbers.h"

namespace coppice::data {

namespace {

/// The type in which values are read, and HDF5's word for it.
struct MemoryType {
  NumberType type;
  hid_t id;
};

MemoryType memory_type(hid_t type, const Hdf5Context& context, const std::string& name) {
  const size_t size = H5Tget_size(type);
  if (H5Tget_class(type) == H5T_FLOAT && size <= 8) {
    return size <= 4 ? MemoryType{NumberType::F32, H5T_NATIVE_FLOAT}
                     : MemoryType{NumberType::F64, H5T_NATIVE_DOUBLE};
  }
  if (H5Tget_class(type) == H5T_INTEGER && size <= 8) {
    const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    if (size == 1 && !is_signed) {
      return {NumberType::U8, H5T_NATIVE_UINT8};
    }
    return is_signed ? MemoryType{NumberType::I64, H5T_NATIVE_INT64}
                     : MemoryType{NumberType::U64, H5T_NATIVE_UINT64};
  }
  context.fail_because(fmt::format("'{}' holds neither integers nor floats", name));
}

NumberArray read_plain_array(hid_t file, const std::string& name, const Hdf5Context& context) {
  const std::string doing = fmt::format("read '{}'", name);
  const Hdf5Handle dataset(context.check(H5Dopen2(file, name.c_str(), H5P_DEFAULT), doing),
                           H5Dclose);
  const Hdf5Handle space(context.check(H5Dget_space(dataset.get()), doing), H5Sclose);
  std::vector<hsize_t> extents(
      static_cast<size_t>(context.check(H5Sget_simple_extent_ndims(space.get()), doing)));
  context.check(H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr), doing);
  const Hdf5Handle type(context.check(H5Dget_type(dataset.get()), doing), H5Tclose);
  const MemoryType memory = memory_type(type.get(), context, name);
  NumberArray array;
  array.type = memory.type;
  array.place = fmt::format("{}:{}", context.file.string(), name);
  unsigned __int128 bytes = static_cast<unsigned __int128>(size_bytes(array.type));
  constexpr unsigned __int128 kMostBytes = static_cast<unsigned __int128>(1) << 40U;
  for (const hsize_t extent : extents) {
    bytes *= extent;
    if (bytes > kMostBytes) {
      context.fail_because(fmt::format("'{}' announces [{}]", name, fmt::join(extents, ", ")));
    }
    array.shape.push_back(static_cast<int64_t>(extent));
  }
  array.bytes.resize(static_cast<size_t>(bytes));
  context.check(
      H5Dread(dataset.get(), memory.id, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.bytes.data()), doing);
  return array;
}

}  // namespace

ImportedSamples import_hdf5(const SourceOptions& options, const std::filesystem::path& folder) {
  const std::filesystem::path file = single_file(options, folder);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    throw core::Error(core::ErrorKind::NotFound, fmt::format("{}: no such file", file.string()));
  }
  const QuietHdf5 quiet;
  const Hdf5Context context = {
      file, core::ErrorKind::Corrupt, "look at it with h5ls -r, and name its data sets in 'hdf5'"};
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const Hdf5Handle handle(context.check(id, "open it as HDF5"), H5Fclose);
  NumberArray samples = read_plain_array(handle.get(), options.hdf5.samples, context);
  std::optional<NumberArray> labels;
  if (!options.hdf5.labels.empty() && options.task != "reconstruction") {
    labels = read_plain_array(handle.get(), options.hdf5.labels, context);
  }
  ImportedSamples result = assemble(options, std::move(samples), labels);
  result.columns = read_column_files(options, folder, result.dataset->size());
  return result;
}

}  // namespace coppice::data
