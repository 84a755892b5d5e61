#include "data/hdf5_handle.h"

#include <fmt/format.h>

namespace coppice::data {

namespace {

herr_t take_description(unsigned /*position*/, const H5E_error2_t* error, void* result) {
  if (error->desc != nullptr) {
    *static_cast<std::string*>(result) = error->desc;
  }
  return 1;  // the innermost suffices
}

/// Of "file write failed: time = …, errno = 28, error message = 'No space left on device', …" only
/// the system's words.
std::string innermost_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, &reason);
  constexpr std::string_view kSystemWords = "error message = '";
  if (const size_t start = reason.find(kSystemWords); start != std::string::npos) {
    const size_t from = start + kSystemWords.size();
    reason = reason.substr(from, reason.find('\'', from) - from);
  }
  return reason.empty() ? "HDF5 gives no reason" : reason;
}

}  // namespace

QuietHdf5::QuietHdf5() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietHdf5::~QuietHdf5() {
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

void Hdf5Context::fail(std::string_view doing) const {
  throw core::Error(
      kind, fmt::format("{}: can't {} ({}); {}", file.string(), doing, innermost_reason(), advice));
}

void Hdf5Context::fail_because(std::string_view reason) const {
  throw core::Error(kind, fmt::format("{}: {}; {}", file.string(), reason, advice));
}

}  // namespace coppice::data
