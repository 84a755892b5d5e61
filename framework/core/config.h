#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.h"

namespace coppice::core {

/// One node of a loaded configuration, with the place it was written at. A value; cheap to move.
///
/// A file may name others to build on in `extends: other.yaml` (or a list; paths are relative to
/// the file): later files and the file itself override key by key; lists and scalars are replaced
/// whole.
struct ConfigNode {
  enum class Kind { Null, Scalar, Map, List };
  struct Entry;

  Kind kind = Kind::Null;
  std::string scalar;      ///< as written, unquoted
  bool quoted = false;     ///< a quoted scalar is a string whatever it looks like
  std::vector<Entry> map;  ///< in file order
  std::vector<ConfigNode> list;
  std::string file;  ///< "--set" for command-line overrides
  int line = 0;      ///< 1-based; 0 when unknown
  int column = 0;
  int key_line = 0;  ///< where its key stands, in a map
  int key_column = 0;

  const ConfigNode* find(std::string_view key) const;  ///< nullptr when absent or not a map
  std::string place() const;                           ///< "file:line:column"
};

struct ConfigNode::Entry {
  std::string key;
  ConfigNode value;
};

/// Reads a YAML file, resolves `extends:` and applies overrides ("a.b=c", "list.0.x=1"), in that
/// order. Throws Error{NotFound, Config}: missing file, YAML syntax, a cycle in `extends:`, a
/// malformed override.
ConfigNode load_config(const std::filesystem::path& file,
                       const std::vector<std::string>& overrides = {});

/// The same from text; `name` stands in for the file's name in messages, `extends:` is relative to
/// the working folder.
ConfigNode parse_config_text(std::string_view text, std::string_view name);

/// Fills `visit`'s struct from `node`. Throws Error{Config} naming file, line, column for an
/// unknown key (with the nearest valid one), a wrong type, a value out of range or not among the
/// choices, and a missing required field.
void read_fields(const ConfigNode& node, const std::function<void(Fields&)>& visit);

/// The resolved YAML, every default spelled out; with `comments`, each field's help behind it.
std::string dump_fields(const std::function<void(Fields&)>& visit, bool comments = false);

/// JSON schema (draft 2020-12) for editors.
std::string json_schema(const std::function<void(Fields&)>& visit, std::string_view title);

/// Markdown table: field, type, default, unit, range, help.
std::string reference_page(const std::function<void(Fields&)>& visit, std::string_view title);

template <class Options>
Options read_options(const ConfigNode& node) {
  Options options;
  read_fields(node, [&](Fields& f) { options.visit(f); });
  return options;
}

template <class Options>
std::string dump_options(Options options, bool comments = false) {
  return dump_fields([&](Fields& f) { options.visit(f); }, comments);
}

}  // namespace coppice::core
