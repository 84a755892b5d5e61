#include "report/svg.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "report/html.h"

namespace coppice::report {

namespace {

/// Length of the UTF-8 sequence that starts with `c`.
size_t sequence_length(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// In units of the font size, in the widest of the usual fonts (DejaVu Sans).
double character_width(char c) {
  constexpr std::string_view kNarrow = "iljtfrI.,:;'|!()[] ";
  constexpr std::string_view kWide = "mwMW%@";
  if (kNarrow.find(c) != std::string_view::npos) {
    return 0.35;
  }
  if (kWide.find(c) != std::string_view::npos) {
    return 0.92;
  }
  return c >= 'A' && c <= 'Z' ? 0.7 : 0.62;
}

}  // namespace

std::string px(double value) {
  std::string text = fmt::format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') {
    text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

double text_width(std::string_view text, double size) {
  double width = 0;
  for (size_t i = 0; i < text.size(); i += sequence_length(text[i])) {
    width += character_width(text[i]);
  }
  return width * size;
}

std::string fit_text(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) {
    return std::string(text);
  }
  std::string result;
  size_t characters = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t length = sequence_length(text[i]);
    std::string longer = result + std::string(text.substr(i, length));
    if (text_width(longer, size) + 0.7 * size > width) {
      break;
    }
    result = std::move(longer);
    i += length;
    ++characters;
  }
  return characters < 2 ? std::string() : result + "…";
}

Svg::Svg(double width, double height, std::string_view title) {
  body_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" "
      "style=\"max-width:100%;height:auto\" role=\"img\" aria-label=\"{2}\" "
      "font-family=\"system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,sans-serif\">"
      "<title>{2}</title>\n",
      px(width),
      px(height),
      escape_html(title));
  rectangle(0, 0, width, height, "#fff");
}

void Svg::close(std::string_view element, std::string_view tip) {
  if (tip.empty()) {
    body_ += "/>\n";
  } else {
    fmt::format_to(
        std::back_inserter(body_), "><title>{}</title></{}>\n", escape_html(tip), element);
  }
}

Svg& Svg::rectangle(double x,
                    double y,
                    double width,
                    double height,
                    std::string_view fill,
                    std::string_view tip,
                    double opacity) {
  fmt::format_to(std::back_inserter(body_),
                 "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"",
                 px(x),
                 px(y),
                 px(width),
                 px(height),
                 fill);
  if (opacity < 1) {
    fmt::format_to(std::back_inserter(body_), " fill-opacity=\"{}\"", px(opacity));
  }
  close("rect", tip);
  return *this;
}

Svg& Svg::line(double x1,
               double y1,
               double x2,
               double y2,
               std::string_view stroke,
               double width,
               std::string_view dashes) {
  return path(fmt::format("M{} {}L{} {}", px(x1), px(y1), px(x2), px(y2)), stroke, width, dashes);
}

Svg& Svg::path(std::string_view data,
               std::string_view stroke,
               double width,
               std::string_view dashes,
               double opacity) {
  fmt::format_to(
      std::back_inserter(body_),
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
      data,
      stroke,
      px(width));
  if (!dashes.empty()) {
    fmt::format_to(std::back_inserter(body_), " stroke-dasharray=\"{}\"", dashes);
  }
  if (opacity < 1) {
    fmt::format_to(std::back_inserter(body_), " stroke-opacity=\"{}\"", px(opacity));
  }
  close("path", "");
  return *this;
}

Svg& Svg::circle(double x,
                 double y,
                 double radius,
                 std::string_view fill,
                 std::string_view tip,
                 double opacity) {
  fmt::format_to(std::back_inserter(body_),
                 "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"",
                 px(x),
                 px(y),
                 px(radius),
                 fill);
  if (opacity < 1) {
    fmt::format_to(std::back_inserter(body_), " fill-opacity=\"{}\"", px(opacity));
  }
  close("circle", tip);
  return *this;
}

Svg& Svg::text(double x, double y, std::string_view text, const TextStyle& style) {
  auto out = std::back_inserter(body_);
  fmt::format_to(out,
                 "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"",
                 px(x),
                 px(y),
                 px(style.size),
                 style.colour);
  if (style.anchor != Anchor::Start) {
    fmt::format_to(out, " text-anchor=\"{}\"", style.anchor == Anchor::Middle ? "middle" : "end");
  }
  if (style.bold) {
    fmt::format_to(out, " font-weight=\"600\"");
  }
  if (!style.halo.empty()) {
    fmt::format_to(
        out,
        " stroke=\"{}\" stroke-width=\"4\" stroke-linejoin=\"round\" paint-order=\"stroke\"",
        style.halo);
  }
  if (style.rotate != 0) {
    fmt::format_to(out, " transform=\"rotate({} {} {})\"", px(style.rotate), px(x), px(y));
  }
  fmt::format_to(out, ">{}</text>\n", escape_html(text));
  return *this;
}

}  // namespace coppice::report
