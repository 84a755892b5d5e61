#include "train/hdf5_image.h"

#include <functional>
#include <utility>

#include <hdf5.h>

#include "core/error.h"

namespace coppice::train {

namespace {

/// Closes an HDF5 identifier at the end of its life; a negative one is a failure.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string& what) : id_(id), close_(close) {
    if (id < 0) {
      throw core::Error(core::ErrorKind::Corrupt, what + " is not a valid HDF5 file of its kind");
    }
  }

  ~Handle() { close_(id_); }

  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  operator hid_t() const { return id_; }  // NOLINT: HDF5 takes identifiers everywhere

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void require(bool ok, const std::string& what) {
  if (!ok) {
    throw core::Error(core::ErrorKind::Corrupt, what + " is damaged");
  }
}

hid_t native(Hdf5Array::Type type) {
  switch (type) {
    case Hdf5Array::Type::Byte:
      return H5T_NATIVE_UINT8;
    case Hdf5Array::Type::F32:
      return H5T_NATIVE_FLOAT;
    case Hdf5Array::Type::F64:
      return H5T_NATIVE_DOUBLE;
  }
  return H5I_INVALID_HID;
}

void write_array(hid_t file, const std::string& path, const Hdf5Array& array) {
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose, path);
  H5Pset_create_intermediate_group(links, 1);
  const std::vector<hsize_t> shape(array.shape.begin(), array.shape.end());
  const Handle space(
      H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose, path);
  const hid_t type = native(array.type);
  const Handle set(
      H5Dcreate2(file, path.c_str(), type, space, links, H5P_DEFAULT, H5P_DEFAULT), H5Dclose, path);
  require(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.bytes.data()) >= 0, path);
}

void write_attribute(hid_t file, const std::string& name, const std::string& value) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, name);
  H5Tset_size(type, value.size() + 1);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, name);
  const Handle attribute(
      H5Acreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, name);
  require(H5Awrite(attribute, type, value.c_str()) >= 0, name);
}

Hdf5Array read_array(hid_t set, size_t file_size, const std::string& what) {
  const Handle type(H5Dget_type(set), H5Tclose, what);
  const Handle space(H5Dget_space(set), H5Sclose, what);
  Hdf5Array array;
  if (H5Tget_class(type) == H5T_FLOAT) {
    array.type = H5Tget_size(type) == 4 ? Hdf5Array::Type::F32 : Hdf5Array::Type::F64;
  }
  const int rank = H5Sget_simple_extent_ndims(space);
  require(rank >= 0, what);
  std::vector<hsize_t> shape(static_cast<size_t>(rank));
  require(H5Sget_simple_extent_dims(space, shape.data(), nullptr) >= 0, what);
  size_t bytes = H5Tget_size(native(array.type));
  for (const hsize_t dimension : shape) {
    // Stored uncompressed, no dataset is larger than its file.
    require(dimension == 0 || bytes <= file_size / dimension, what);
    bytes *= dimension;
    array.shape.push_back(static_cast<int64_t>(dimension));
  }
  array.bytes.resize(bytes);
  require(H5Dread(set, native(array.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.bytes.data()) >= 0,
          what);
  return array;
}

struct Reading {
  Hdf5Content content;
  size_t file_size;
  const std::string& what;
  std::exception_ptr failure;
};

/// HDF5 calls this from C, which no exception may cross.
template <class Body>
herr_t guarded(void* data, Body body) {
  auto& reading = *static_cast<Reading*>(data);
  try {
    body(reading);
    return 0;
  } catch (...) {
    reading.failure = std::current_exception();
    return -1;
  }
}

herr_t visit_link(hid_t root, const char* name, const H5L_info_t* /*info*/, void* data) {
  return guarded(data, [&](Reading& reading) {
    const Handle object(H5Oopen(root, name, H5P_DEFAULT), H5Oclose, reading.what);
    if (H5Iget_type(object) == H5I_DATASET) {
      reading.content.arrays[name] = read_array(object, reading.file_size, reading.what);
    }
  });
}

herr_t visit_attribute(hid_t root, const char* name, const H5A_info_t* info, void* data) {
  return guarded(data, [&](Reading& reading) {
    const Handle attribute(H5Aopen(root, name, H5P_DEFAULT), H5Aclose, reading.what);
    const Handle type(H5Aget_type(attribute), H5Tclose, reading.what);
    require(H5Tget_class(type) == H5T_STRING && info->data_size <= reading.file_size, reading.what);
    std::string text(H5Tget_size(type), '\0');
    require(H5Aread(attribute, type, text.data()) >= 0, reading.what);
    reading.content.attributes[name] = text.c_str();
  });
}

Handle memory_driver(const std::string& what) {
  constexpr size_t kIncrement = 1 << 20;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, kIncrement, /*backing_store=*/0);
  return {access, H5Pclose, what};
}

}  // namespace

core::Bytes to_hdf5(const Hdf5Content& content) {
  const std::string what = "an HDF5 image";
  const Handle access = memory_driver(what);
  const Handle file(H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose, what);
  for (const auto& [path, array] : content.arrays) {
    write_array(file, path, array);
  }
  for (const auto& [name, value] : content.attributes) {
    write_attribute(file, name, value);
  }
  require(H5Fflush(file, H5F_SCOPE_LOCAL) >= 0, what);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  require(size > 0, what);
  core::Bytes bytes(static_cast<size_t>(size));
  require(H5Fget_file_image(file, bytes.data(), bytes.size()) == size, what);
  return bytes;
}

Hdf5Content from_hdf5(std::span<const std::byte> bytes, const std::string& what) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Handle access = memory_driver(what);
  core::Bytes image(bytes.begin(), bytes.end());
  require(!image.empty() && H5Pset_file_image(access, image.data(), image.size()) >= 0, what);
  const Handle file(H5Fopen("memory", H5F_ACC_RDONLY, access), H5Fclose, what);
  Reading reading{{}, bytes.size(), what, nullptr};
  const herr_t links = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_link, &reading);
  hsize_t position = 0;
  const herr_t attributes =
      links < 0
          ? links
          : H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, &position, visit_attribute, &reading);
  if (reading.failure) {
    std::rethrow_exception(reading.failure);
  }
  require(attributes >= 0, what);
  return std::move(reading.content);
}

}  // namespace coppice::train
