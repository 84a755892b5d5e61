#include <bit>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "data/readers/all.h"
#include "data/readers/numbers.h"

namespace coppice::data {

namespace {

static_assert(std::endian::native == std::endian::little, "values are taken as they lie there");

constexpr std::string_view kMagic = "\x93NUMPY";

/// The header is a Python dictionary, as numpy.lib.format writes it: {'descr': '<f4',
/// 'fortran_order': False, 'shape': (3, 4), }.
class HeaderReader {
 public:
  HeaderReader(std::string_view header, const std::filesystem::path& file)
      : header_(header), file_(file) {}

  /// What follows "'key':", blanks skipped.
  std::string_view after(std::string_view key) const {
    const std::string quoted = fmt::format("'{}':", key);
    const size_t at = header_.find(quoted);
    if (at == std::string_view::npos) {
      refuse_file(file_, fmt::format("its header has no '{}'; save it anew", key));
    }
    std::string_view rest = header_.substr(at + quoted.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    return rest;
  }

  NumberType type() const {
    const std::string_view rest = after("descr");
    const size_t end = rest.starts_with('\'') ? rest.find('\'', 1) : std::string_view::npos;
    const std::string_view name =
        end == std::string_view::npos ? "a record" : rest.substr(1, end - 1);
    constexpr std::pair<std::string_view, NumberType> kTypes[] = {{"|b1", NumberType::Bool},
                                                                  {"|i1", NumberType::I8},
                                                                  {"|u1", NumberType::U8},
                                                                  {"<i2", NumberType::I16},
                                                                  {"<u2", NumberType::U16},
                                                                  {"<i4", NumberType::I32},
                                                                  {"<u4", NumberType::U32},
                                                                  {"<i8", NumberType::I64},
                                                                  {"<u8", NumberType::U64},
                                                                  {"<f4", NumberType::F32},
                                                                  {"<f8", NumberType::F64}};
    for (const auto& [word, type] : kTypes) {
      if (word == name) {
        return type;
      }
    }
    throw core::Error(core::ErrorKind::Unsupported,
                      fmt::format("{}: values of type '{}' are not read; save little-endian "
                                  "integers or floats: a.astype('<f4')",
                                  file_.string(),
                                  name));
  }

  std::vector<int64_t> shape() const {
    if (!after("fortran_order").starts_with("False")) {
      throw core::Error(core::ErrorKind::Unsupported,
                        fmt::format("{}: its values lie in Fortran order; save "
                                    "numpy.ascontiguousarray(a)",
                                    file_.string()));
    }
    std::string_view rest = after("shape");
    std::vector<int64_t> extents;
    if (!rest.starts_with('(') || rest.find(')') == std::string_view::npos) {
      refuse_file(file_, "the shape in its header can't be read; save it anew");
    }
    rest = rest.substr(1, rest.find(')') - 1);
    while (!rest.empty()) {
      rest.remove_prefix(std::min(rest.find_first_not_of(" ,"), rest.size()));
      if (rest.empty()) {
        break;
      }
      int64_t extent = 0;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), extent);
      if (error != std::errc() || extent < 0) {
        refuse_file(file_, "the shape in its header can't be read; save it anew");
      }
      extents.push_back(extent);
      rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    }
    return extents;
  }

 private:
  std::string_view header_;
  const std::filesystem::path& file_;
};

}  // namespace

NumberArray read_npy(const std::filesystem::path& file) {
  core::Bytes bytes = read_unzipped(file);
  const std::string_view text = core::as_text(bytes);
  if (!text.starts_with(kMagic) || bytes.size() < kMagic.size() + 4) {
    refuse_file(file, "no NPY file: its first bytes are not \\x93NUMPY");
  }
  const auto byte_at = [&](size_t i) {
    return std::to_integer<size_t>(bytes[i]);
  };
  const size_t major = byte_at(6);
  if (major < 1 || major > 3) {
    throw core::Error(
        core::ErrorKind::Unsupported,
        fmt::format("{}: NPY format {}.{}; 1.0 to 3.0 are read", file.string(), major, byte_at(7)));
  }
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t start = 8 + length_bytes;
  size_t length = 0;
  for (size_t i = 0; i < length_bytes && 8 + i < bytes.size(); ++i) {
    length |= byte_at(8 + i) << (8 * i);
  }
  if (bytes.size() < start || bytes.size() - start < length) {
    refuse_file(file, "truncated within its header; get the file anew");
  }
  const HeaderReader header(text.substr(start, length), file);
  NumberArray array;
  array.place = file.string();
  array.type = header.type();
  array.shape = header.shape();
  unsigned __int128 expected = static_cast<unsigned __int128>(size_bytes(array.type));
  for (const int64_t extent : array.shape) {
    expected *= static_cast<uint64_t>(extent);
  }
  const size_t held = bytes.size() - start - length;
  if (held != expected) {
    refuse_file(file,
                fmt::format("{}: {} bytes of values where its header announces [{}] of {} bytes "
                            "each; get the file anew",
                            held < expected ? "truncated" : "trailing bytes",
                            held,
                            fmt::join(array.shape, ", "),
                            size_bytes(array.type)));
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(start + length));
  array.bytes = std::move(bytes);
  return array;
}

ImportedSamples import_npy(const SourceOptions& options, const std::filesystem::path& folder) {
  NumberArray samples = read_npy(single_file(options, folder));
  std::optional<NumberArray> labels;
  if (options.label_files.size() > 1) {
    throw core::Error(core::ErrorKind::InvalidArgument,
                      fmt::format("format 'npy' reads one file of labels, 'label_files' names {}",
                                  options.label_files.size()));
  }
  if (!options.label_files.empty()) {
    labels = read_npy(folder / options.label_files.front());
  }
  ImportedSamples result = assemble(options, std::move(samples), labels);
  result.columns = read_column_files(options, folder, result.dataset->size());
  return result;
}

}  // namespace coppice::data
