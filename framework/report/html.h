#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coppice::report {

std::string escape_html(std::string_view text);

/// One HTML page that needs no network: title, facts, sections of prose, charts and tables.
class HtmlReport {
 public:
  explicit HtmlReport(std::string title);
  HtmlReport& facts(
      const std::vector<std::pair<std::string, std::string>>& rows);  ///< shown as tiles at the top
  HtmlReport& section(std::string_view heading);
  HtmlReport& text(std::string_view paragraph);
  HtmlReport& svg(std::string_view chart);
  HtmlReport& side_by_side(const std::vector<std::string>& charts);
  HtmlReport& table(const std::vector<std::string>& header,
                    const std::vector<std::vector<std::string>>& rows);
  HtmlReport& details(std::string_view summary,
                      std::string_view preformatted);  ///< folded: the config
  std::string str() const;
  void write(const std::filesystem::path& file) const;  ///< atomic

 private:
  std::string title_;
  std::string body_;
};

/// A text table with aligned columns for the terminal.
std::string text_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

}  // namespace coppice::report
