#include "report/html.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "core/files.h"
#include "report/columns.h"

namespace coppice::report {

namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#f5f6f8;color:#24292f;
font:15px/1.55 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:28px 24px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 18px;color:#14181d}
h2{font-size:19px;margin:38px 0 12px;padding-bottom:6px;border-bottom:1px solid #dfe3e8;color:#14181d}
p{max-width:78ch;margin:0 0 14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:12px;margin:0 0 20px}
.tile{background:#fff;border:1px solid #e1e5ea;border-radius:8px;padding:12px 14px}
.tile dt{font-size:12px;color:#5f6670}
.tile dd{margin:2px 0 0;font-size:19px;font-weight:600;overflow-wrap:anywhere}
figure{margin:0 0 16px;background:#fff;border:1px solid #e1e5ea;border-radius:8px;padding:10px;overflow-x:auto}
figure svg{display:block;margin:0 auto}
.row{display:flex;flex-wrap:wrap;gap:16px}
.row figure{flex:1 1 400px;min-width:0}
.scroll{overflow-x:auto;background:#fff;border:1px solid #e1e5ea;border-radius:8px;margin:0 0 16px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{padding:7px 12px;text-align:left;border-bottom:1px solid #edf0f3;white-space:nowrap}
th{font-weight:600;color:#454c55;background:#fafbfc}
td:not(.n){white-space:normal;overflow-wrap:break-word}
td:first-child{white-space:nowrap}
tr:last-child td{border-bottom:0}
tbody tr:hover td{background:#f6f9fc}
.n{text-align:right;font-variant-numeric:tabular-nums}
details{background:#fff;border:1px solid #e1e5ea;border-radius:8px;margin:0 0 12px}
summary{cursor:pointer;padding:10px 14px;font-weight:600}
pre{margin:0;padding:12px 14px;border-top:1px solid #edf0f3;overflow-x:auto;
font:12.5px/1.5 ui-monospace,"SFMono-Regular",Menlo,Consolas,monospace}
@media print{body{background:#fff}main{max-width:none;padding:0}figure,.tile{break-inside:avoid}}
)";

void append_cell(std::string& out, std::string_view tag, std::string_view text, bool number) {
  fmt::format_to(std::back_inserter(out),
                 "<{0}{1}>{2}</{0}>",
                 tag,
                 number ? " class=\"n\"" : "",
                 escape_html(text));
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        // Control characters are not allowed in XML, however they are written.
        result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return result;
}

HtmlReport::HtmlReport(std::string title) : title_(std::move(title)) {}

HtmlReport& HtmlReport::facts(const std::vector<std::pair<std::string, std::string>>& rows) {
  body_ += "<dl class=\"tiles\">\n";
  for (const auto& [name, value] : rows) {
    fmt::format_to(std::back_inserter(body_),
                   "<div class=\"tile\"><dt>{}</dt><dd>{}</dd></div>\n",
                   escape_html(name),
                   escape_html(value));
  }
  body_ += "</dl>\n";
  return *this;
}

HtmlReport& HtmlReport::section(std::string_view heading) {
  body_ += fmt::format("<h2>{}</h2>\n", escape_html(heading));
  return *this;
}

HtmlReport& HtmlReport::text(std::string_view paragraph) {
  body_ += fmt::format("<p>{}</p>\n", escape_html(paragraph));
  return *this;
}

HtmlReport& HtmlReport::svg(std::string_view chart) {
  body_ += fmt::format("<figure>{}</figure>\n", chart);
  return *this;
}

HtmlReport& HtmlReport::side_by_side(const std::vector<std::string>& charts) {
  body_ += "<div class=\"row\">\n";
  for (const std::string& chart : charts) {
    svg(chart);
  }
  body_ += "</div>\n";
  return *this;
}

HtmlReport& HtmlReport::table(const std::vector<std::string>& header,
                              const std::vector<std::vector<std::string>>& rows) {
  check_rows(header, rows);
  const std::vector<bool> numbers = number_columns(header.size(), rows);
  body_ += "<div class=\"scroll\"><table>\n<thead><tr>";
  for (size_t i = 0; i < header.size(); ++i) {
    append_cell(body_, "th", header[i], numbers[i]);
  }
  body_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      append_cell(body_, "td", row[i], numbers[i]);
    }
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
  return *this;
}

HtmlReport& HtmlReport::details(std::string_view summary, std::string_view preformatted) {
  body_ += fmt::format("<details><summary>{}</summary><pre>{}</pre></details>\n",
                       escape_html(summary),
                       escape_html(preformatted));
  return *this;
}

std::string HtmlReport::str() const {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n{2}</"
      "main>\n</body>\n</html>\n",
      escape_html(title_),
      kStyle,
      body_);
}

void HtmlReport::write(const std::filesystem::path& file) const {
  core::write_file(file, str());
}

}  // namespace coppice::report
