#include "data/hdf5_image.h"

#include <cstring>
#include <new>

namespace coppice::data {

namespace {

void* allocate(size_t size, H5FD_file_image_op_t /*operation*/, void* /*self*/) {
  return std::malloc(size);
}

void* copy(void* target,
           const void* source,
           size_t size,
           H5FD_file_image_op_t /*operation*/,
           void* /*self*/) {
  return std::memcpy(target, source, size);
}

void* resize(void* memory, size_t size, H5FD_file_image_op_t /*operation*/, void* /*self*/) {
  return std::realloc(memory, size);
}

/// All copies of the properties mean the same image.
void* share(void* self) {
  return self;
}

herr_t unshare(void* /*self*/) {
  return 0;
}

}  // namespace

herr_t Hdf5Image::take(void* memory, H5FD_file_image_op_t operation, void* self) {
  if (operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE) {
    static_cast<Hdf5Image*>(self)->memory_.reset(static_cast<std::byte*>(memory));
  } else {
    std::free(memory);
  }
  return 0;
}

Hdf5Handle Hdf5Image::access(size_t expected_bytes, const Hdf5Context& context) {
  Hdf5Handle properties(context.check(H5Pcreate(H5P_FILE_ACCESS), "prepare"), H5Pclose);
  constexpr bool kNoFileBehindIt = false;
  constexpr size_t kSmallest = size_t{1} << 16U;
  // One step as large as the file spares copying it each time that it grows.
  context.check(H5Pset_fapl_core(properties.get(), expected_bytes + kSmallest, kNoFileBehindIt),
                "prepare");
  H5FD_file_image_callbacks_t callbacks = {
      allocate, copy, resize, &Hdf5Image::take, share, unshare, this};
  context.check(H5Pset_file_image_callbacks(properties.get(), &callbacks), "prepare");
  return properties;
}

void Hdf5Image::close(Hdf5Handle& file, const Hdf5Context& context) {
  context.check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "build it");
  // Its memory has more at the end: HDF5 tells the file's own size only while it is open.
  size_ = static_cast<size_t>(context.check(H5Fget_file_image(file.get(), nullptr, 0), "build it"));
  file.close(context, "build it");
  COPPICE_CHECK(memory_ != nullptr, "HDF5 hands the memory of a closed file over");
}

void Hdf5Image::append(std::string_view text) {
  void* larger = std::realloc(memory_.get(), size_ + text.size());
  if (larger == nullptr) {
    throw std::bad_alloc();
  }
  memory_.release();
  memory_.reset(static_cast<std::byte*>(larger));
  std::memcpy(memory_.get() + size_, text.data(), text.size());
  size_ += text.size();
}

}  // namespace coppice::data
