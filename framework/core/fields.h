#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace coppice::core {

/// What is told of one option besides its name, type and default.
struct FieldInfo {
  std::string_view help = {};
  std::string_view unit = {};                             ///< "s", "bytes", "points", …
  double min = -std::numeric_limits<double>::infinity();  ///< inclusive; of list elements too
  double max = std::numeric_limits<double>::infinity();   ///< inclusive
  std::vector<std::string> choices = {};  ///< for strings: the only values allowed, if any
  bool required = false;                  ///< must be given; there is no default
};

/// Visits the fields of an options struct. A struct describes itself once:
///
///     struct SgdOptions {
///       double momentum = 0.9;
///       void visit(core::Fields& f) {
///         f.field("momentum", momentum, {.help = "…", .min = 0, .max = 1});
///       }
///     };
///
/// and from that come parsing, validation, the resolved dump, `--set`, the reference page and the
/// JSON schema.
class Fields {
 public:
  virtual ~Fields() = default;

  virtual void field(std::string_view name, bool& value, const FieldInfo& info) = 0;
  virtual void field(std::string_view name, int64_t& value, const FieldInfo& info) = 0;
  virtual void field(std::string_view name, double& value, const FieldInfo& info) = 0;
  virtual void field(std::string_view name, std::string& value, const FieldInfo& info) = 0;
  virtual void field(std::string_view name, std::vector<int64_t>& value, const FieldInfo& info) = 0;
  virtual void field(std::string_view name, std::vector<double>& value, const FieldInfo& info) = 0;
  virtual void field(std::string_view name,
                     std::vector<std::string>& value,
                     const FieldInfo& info) = 0;

  /// True where every field is wanted that some value of another one allows, as in a reference
  /// page; false where only those are that the values at hand allow, as in reading and dumping. A
  /// struct asks it whose first field decides about the others.
  virtual bool wants_every_field() const { return false; }

  /// Whether the file that is being read has this key; false where nothing is read. A struct asks
  /// it that is one of several, told by its key: `{prune: {…}}`.
  virtual bool is_given(std::string_view /*name*/) const { return false; }

  /// A nested options struct.
  template <class Options>
  void group(std::string_view name, Options& options, std::string_view help) {
    visit_group(name, help, [&](Fields& inner) { options.visit(inner); });
  }

  /// A list of nested options structs.
  template <class Options>
  void list(std::string_view name, std::vector<Options>& items, std::string_view help) {
    visit_list(
        name,
        help,
        items.size(),
        [&](size_t size) { items.assign(size, Options{}); },
        [&](size_t i, Fields& inner) {
          if (i < items.size()) {
            items[i].visit(inner);
          } else {
            Options defaults;  // a schema asks for the shape of an element
            defaults.visit(inner);
          }
        });
  }

  /// A closed choice stored as an enum; `names` pairs every enumerator with its YAML word.
  template <class Enum>
  void choice(std::string_view name,
              Enum& value,
              std::span<const std::pair<std::type_identity_t<Enum>, std::string_view>> names,
              FieldInfo info) {
    std::string word;
    for (const auto& [enumerator, text] : names) {
      info.choices.emplace_back(text);
      if (enumerator == value) {
        word = text;
      }
    }
    field(name, word, info);
    for (const auto& [enumerator, text] : names) {
      if (text == word) {
        value = enumerator;
      }
    }
  }

 protected:
  using VisitOne = std::function<void(Fields&)>;
  using Resize = std::function<void(size_t)>;
  using VisitElement = std::function<void(size_t, Fields&)>;

  virtual void visit_group(std::string_view name, std::string_view help, const VisitOne& visit) = 0;
  virtual void visit_list(std::string_view name,
                          std::string_view help,
                          size_t size,
                          const Resize& resize,
                          const VisitElement& visit) = 0;
};

}  // namespace coppice::core
