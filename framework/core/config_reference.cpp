#include <fmt/format.h>

#include "core/config.h"
#include "core/config_text.h"

namespace coppice::core {

namespace {

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    result += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  }
  return result;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", cell(text));
}

class ReferenceWriter final : public Fields {
 public:
  ReferenceWriter(std::string& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}

  bool wants_every_field() const override { return true; }

  void field(std::string_view name, bool& value, const FieldInfo& info) override {
    row(name, "true or false", yaml_text(value), info);
  }

  void field(std::string_view name, int64_t& value, const FieldInfo& info) override {
    row(name, "integer", yaml_text(value), info);
  }

  void field(std::string_view name, double& value, const FieldInfo& info) override {
    row(name, "number", yaml_text(value), info);
  }

  void field(std::string_view name, std::string& value, const FieldInfo& info) override {
    row(name, "string", yaml_text(value), info);
  }

  void field(std::string_view name, std::vector<int64_t>& value, const FieldInfo& info) override {
    row(name, "list of integers", yaml_text(value), info);
  }

  void field(std::string_view name, std::vector<double>& value, const FieldInfo& info) override {
    row(name, "list of numbers", yaml_text(value), info);
  }

  void field(std::string_view name,
             std::vector<std::string>& value,
             const FieldInfo& info) override {
    row(name, "list of strings", yaml_text(value), info);
  }

 protected:
  void visit_group(std::string_view name, std::string_view help, const VisitOne& visit) override {
    row(name, "group", "", {.help = help});
    ReferenceWriter inner(out_, fmt::format("{}{}.", prefix_, name));
    visit(inner);
  }

  void visit_list(std::string_view name,
                  std::string_view help,
                  size_t size,
                  const Resize&,
                  const VisitElement& visit) override {
    row(name, "list of groups", size == 0 ? "[]" : fmt::format("{} entries", size), {.help = help});
    ReferenceWriter inner(out_, fmt::format("{}{}.N.", prefix_, name));
    visit(size, inner);
  }

 private:
  void row(std::string_view name,
           std::string_view type,
           std::string_view default_text,
           const FieldInfo& info) {
    std::string range = range_text(info);
    for (const std::string& choice : info.choices) {
      range += (range.empty() ? "" : ", ") + code(choice);
    }
    out_ += fmt::format("| `{}{}` | {} | {} | {} | {} | {} |\n",
                        prefix_,
                        name,
                        type,
                        info.required ? "required" : code(default_text),
                        cell(info.unit),
                        range,
                        cell(info.help));
  }

  std::string& out_;
  std::string prefix_;
};

}  // namespace

std::string reference_page(const std::function<void(Fields&)>& visit, std::string_view title) {
  std::string page = fmt::format(
      "# {}\n\n| field | type | default | unit | range | help |\n|---|---|---|---|---|---|\n",
      title);
  ReferenceWriter writer(page, "");
  visit(writer);
  return page;
}

}  // namespace coppice::core
