#pragma once

#include <string>
#include <string_view>

namespace coppice::report {

inline constexpr std::string_view kSoftText = "#5f6670";  ///< colour of ticks and labels

enum class Anchor { Start, Middle, End };

struct TextStyle {
  double size = 12;  ///< px
  std::string_view colour = "#333";
  Anchor anchor = Anchor::Start;
  bool bold = false;
  std::string_view halo = "";  ///< colour of a seam that keeps lines behind the text off it
  double rotate = 0;           ///< degrees, clockwise around the anchor
};

/// Collects the elements of one drawing. Coordinates are px, y downwards. Texts are escaped here.
class Svg {
 public:
  Svg(double width, double height, std::string_view title);

  /// `tip` is shown by browsers when the pointer rests on the element.
  Svg& rectangle(double x,
                 double y,
                 double width,
                 double height,
                 std::string_view fill,
                 std::string_view tip = "",
                 double opacity = 1);
  Svg& line(double x1,
            double y1,
            double x2,
            double y2,
            std::string_view stroke,
            double width,
            std::string_view dashes = "");
  Svg& path(std::string_view data,
            std::string_view stroke,
            double width,
            std::string_view dashes = "",
            double opacity = 1);
  Svg& circle(double x,
              double y,
              double radius,
              std::string_view fill,
              std::string_view tip = "",
              double opacity = 1);
  Svg& text(double x, double y, std::string_view text, const TextStyle& style = {});

  std::string str() const { return body_ + "</svg>\n"; }

 private:
  void close(std::string_view element, std::string_view tip);

  std::string body_;
};

/// At most two decimals, without trailing zeros.
std::string px(double value);

/// An estimate for a sans-serif font: what layout needs without a font at hand.
double text_width(std::string_view text, double size);

/// `text`, or as much of it as fits `width` with "…" behind; "" when not even two characters fit.
std::string fit_text(std::string_view text, double size, double width);

}  // namespace coppice::report
