#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "data/hdf5_handle.h"

namespace coppice::data {

/// An HDF5 file built in memory, to be written to disk as a whole.
///
/// HDF5 1.10 can't be trusted with a disk that may be full: what it couldn't write it keeps, and
/// crashes over it when the program ends.
class Hdf5Image {
 public:
  /// Properties to create the file with. REQUIRES: this outlives the file and is not moved before
  /// close().
  Hdf5Handle access(size_t expected_bytes, const Hdf5Context& context);

  /// Closes the file and takes its memory over.
  void close(Hdf5Handle& file, const Hdf5Context& context);

  /// REQUIRES: closed.
  void append(std::string_view text);

  std::span<const std::byte> bytes() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  static herr_t take(void* memory, H5FD_file_image_op_t operation, void* self);

  std::unique_ptr<std::byte, Free> memory_;
  size_t size_ = 0;
};

}  // namespace coppice::data
