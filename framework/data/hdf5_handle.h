#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <hdf5.h>

#include "core/error.h"

namespace coppice::data {

/// Keeps HDF5 from printing its error stack on this thread, as long as it lives.
class QuietHdf5 {
 public:
  QuietHdf5();
  ~QuietHdf5();
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// What is being done to which file: a failure of HDF5 becomes an Error of that kind naming both.
struct Hdf5Context {
  std::filesystem::path file;
  core::ErrorKind kind;
  std::string_view advice;  ///< the way out, behind the message

  /// Throws unless `status` is HDF5's "no error" (not negative); returns it. `doing`: "write the
  /// samples".
  template <class Status>
  Status check(Status status, std::string_view doing) const {
    if (status < 0) {
      fail(doing);
    }
    return status;
  }

  /// Throws Error with the innermost entry of HDF5's error stack as the reason.
  [[noreturn]] void fail(std::string_view doing) const;
  [[noreturn]] void fail_because(std::string_view reason) const;
};

/// Owns an HDF5 identifier.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle(hid_t id, Close close_with) : id_(id), close_(close_with) {}

  ~Hdf5Handle() {
    if (id_ >= 0) {
      close_(id_);
    }
  }

  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(other.id_), close_(other.close_) {
    other.id_ = H5I_INVALID_HID;
  }

  Hdf5Handle& operator=(Hdf5Handle&&) = delete;

  hid_t get() const { return id_; }

  /// Closes now: HDF5 writes what it holds back, and a failure to do so is not lost.
  void close(const Hdf5Context& context, std::string_view doing) {
    const hid_t id = id_;
    id_ = H5I_INVALID_HID;
    context.check(close_(id), doing);
  }

 private:
  hid_t id_;
  Close close_;
};

}  // namespace coppice::data
