//! A badge as a picture: two fields side by side, 20 pixels high.
//!
//! **Invariant:** nothing in the picture comes from a request. Its texts are letters and digits of the domain, so none
//! needs escaping.

use token_domain::execution::{Badge, BadgeColor};

/// Space on both sides of a field's text, in pixels.
const MARGIN: u32 = 5;

/// Draws a badge. `textLength` stretches the texts to the widths computed here, so that they fit in any font.
pub(super) fn draw(badge: &Badge) -> String {
    let (fill, ink) = colors(badge.color);
    let (label, message, title) = (badge.label, &badge.message, badge.title());
    let (label_text, message_text) = (width(label), width(message));
    let (label_field, message_field) = (label_text + 2 * MARGIN, message_text + 2 * MARGIN);
    let (all, name) = (label_field + message_field, badge.color.as_str());
    let message_at = label_field + MARGIN;
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{all}" height="20" viewBox="0 0 {all} 20" role="img" aria-label="{title}"><title>{title}</title><clipPath id="r"><rect width="{all}" height="20" rx="3"/></clipPath><g clip-path="url(#r)"><rect width="{label_field}" height="20" fill="#444d56"/><rect class="{name}" x="{label_field}" width="{message_field}" height="20" fill="{fill}"/></g><g font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-rendering="geometricPrecision"><text x="{MARGIN}" y="14" fill="#fff" textLength="{label_text}" lengthAdjust="spacingAndGlyphs">{label}</text><text x="{message_at}" y="14" fill="{ink}" textLength="{message_text}" lengthAdjust="spacingAndGlyphs">{message}</text></g></svg>
"##
    )
}

/// The field and the text on it. Each pair has a contrast of at least 4.5 to 1 (WCAG 2.1, success criterion 1.4.3); the
/// usual bright green under white has 2.2.
const fn colors(color: BadgeColor) -> (&'static str, &'static str) {
    match color {
        BadgeColor::Green => ("#2a7f3b", "#fff"),
        BadgeColor::Yellow => ("#e5b80b", "#1b1f23"),
        BadgeColor::Red => ("#c6322b", "#fff"),
        BadgeColor::Grey => ("#6a737d", "#fff"),
    }
}

/// The width of a text in Verdana at 11 pixels, to the nearest pixel.
fn width(text: &str) -> u32 {
    (text.chars().map(advance).sum::<u32>() + 50) / 100
}

/// The width of a character of Verdana at 11 pixels, in hundredths of a pixel, for the characters in badges.
const fn advance(character: char) -> u32 {
    match character {
        '0'..='9' => 699,
        '%' => 1184,
        'a' => 661,
        'c' => 573,
        'e' => 656,
        'g' => 685,
        'k' | 'v' => 651,
        'n' | 'u' => 696,
        'r' => 469,
        'w' => 900,
        _ => 668,
    }
}

#[cfg(test)]
mod tests {
    use token_domain::execution::Coverage;

    use super::*;

    fn drawn(percent: Option<&str>) -> String {
        draw(&Badge::of(percent.map(|text| serde_json::from_str::<Coverage>(text).unwrap())))
    }

    #[test]
    fn the_colour_and_the_words_follow_the_coverage() {
        for (percent, title, message, color) in [
            (Some("100"), "coverage: 100%", "100%", "green"),
            (Some("80"), "coverage: 80%", "80%", "green"),
            (Some("79.9999"), "coverage: 79%", "79%", "yellow"),
            (Some("60"), "coverage: 60%", "60%", "yellow"),
            (Some("59.9999"), "coverage: 59%", "59%", "red"),
            (Some("0"), "coverage: 0%", "0%", "red"),
            (None, "coverage unknown", "unknown", "grey"),
        ] {
            let svg = drawn(percent);
            assert!(svg.contains(&format!("<title>{title}</title>")), "{svg}");
            assert!(svg.contains(&format!(">{message}</text>")), "{svg}");
            assert!(svg.contains(&format!("<rect class=\"{color}\"")), "{svg}");
        }
    }

    #[test]
    fn fields_grow_with_their_texts() {
        let total = |percent| {
            let svg = drawn(percent);
            let width = svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
            width.parse::<u32>().unwrap()
        };
        assert_eq!([total(Some("7")), total(Some("83")), total(Some("100")), total(None)], [89, 96, 103, 120]);
    }

    /// Relative luminance (WCAG 2.1).
    fn luminance(color: &str) -> f64 {
        let digits = color.trim_start_matches('#');
        let wide = if digits.len() == 3 { digits.chars().flat_map(|d| [d, d]).collect() } else { digits.to_owned() };
        let part = |at: usize| {
            let share = f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0;
            if share <= 0.03928 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    }

    #[test]
    fn every_text_can_be_read() {
        let label = ("#444d56", "#fff");
        let fields = [BadgeColor::Green, BadgeColor::Yellow, BadgeColor::Red, BadgeColor::Grey].map(colors);
        for (fill, ink) in fields.into_iter().chain([label]) {
            let (one, two) = (luminance(fill), luminance(ink));
            let contrast = (one.max(two) + 0.05) / (one.min(two) + 0.05);
            assert!(contrast >= 4.5, "{ink} on {fill}: {contrast:.2}");
        }
    }
}
