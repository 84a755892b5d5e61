#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/files.h"
#include "report/xml_check.h"

namespace coppice::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Html, Escapes) {
  EXPECT_EQ(escape_html("<a href=\"x\">&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape_html(std::string_view("a\0b\x1b", 4)), "a b ");
}

TEST(Html, EveryTextIsEscaped) {
  const std::string bad = "</p></pre><script>alert('x')</script>&";
  HtmlReport page(bad);
  page.facts({{bad, bad}}).section(bad).text(bad).table({bad}, {{bad}}).details(bad, bad);
  const std::string html = page.str();
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  const size_t style = html.find("</style>");
  EXPECT_EQ(xml_problem(html.substr(0, html.find("<style>")) + html.substr(style + 8)), "");
  EXPECT_EQ(count(html, "&lt;script&gt;"), 10u);
}

TEST(Html, NeedsNoNetworkAndRunsNothing) {
  HtmlReport page("t");
  page.facts({{"a", "1"}}).side_by_side({"<svg></svg>", "<svg></svg>"});
  const std::string html = page.str();
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* part : {"src=", "href=", "url(", "@import", "<script", "http://", "https://"}) {
    EXPECT_EQ(count(html, part), 0u) << part;
  }
  EXPECT_EQ(count(html, "<figure>"), 2u);
}

TEST(Html, NumbersStandToTheRight) {
  HtmlReport page("t");
  page.table({"name", "accuracy"}, {{"loop", "86.5 %"}, {"frozen", "–"}});
  EXPECT_THAT(page.str(), HasSubstr("<th class=\"n\">accuracy</th>"));
  EXPECT_THAT(page.str(), HasSubstr("<td>loop</td><td class=\"n\">86.5 %</td>"));
}

TEST(Html, RowsOfAnotherLengthAreRefused) {
  EXPECT_THROW(HtmlReport("t").table({"a", "b"}, {{"1"}}), core::Error);
  EXPECT_THROW(text_table({"a", "b"}, {{"1", "2", "3"}}), core::Error);
}

TEST(Html, IsWrittenWhole) {
  const core::TemporaryFolder folder;
  HtmlReport page("Report");
  page.section("One");
  page.write(folder.path() / "report.html");
  EXPECT_EQ(core::read_text(folder.path() / "report.html"), page.str());
  EXPECT_TRUE(page.str().starts_with("<!doctype html>"));
}

TEST(TextTable, AlignsColumns) {
  EXPECT_EQ(text_table({"name", "n", "note"}, {{"größe", "5", "a"}, {"b", "1,000", ""}}),
            "name       n  note\n"
            "-----  -----  ----\n"
            "größe      5  a\n"
            "b      1,000\n");
  EXPECT_EQ(text_table({"a"}, {}), "a\n-\n");
}

}  // namespace
}  // namespace coppice::report
