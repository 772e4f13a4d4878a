//! What a repository's badge says; how it is drawn is a matter of the surface that serves it.

use super::coverage::Coverage;

/// The colour of a badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadgeColor {
    /// 80 percent and more.
    Green,
    /// 60 percent and more.
    Yellow,
    /// Less.
    Red,
    /// Nothing is known.
    Grey,
}

/// The two fields of a badge, and the colour of the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Badge {
    /// The left field.
    pub label: &'static str,
    /// The right field: `83%`, or `unknown`.
    pub message: String,
    /// Its colour.
    pub color: BadgeColor,
}

impl BadgeColor {
    /// The colour of the exact coverage, whatever it is rounded to for show.
    pub fn of(coverage: Option<Coverage>) -> Self {
        match coverage.map(Coverage::whole_points) {
            Some(80..) => Self::Green,
            Some(60..) => Self::Yellow,
            Some(_) => Self::Red,
            None => Self::Grey,
        }
    }

    /// The colour's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::Grey => "grey",
        }
    }
}

impl Badge {
    /// The badge of a repository whose latest coverage is this, or of one that has none. Points are rounded down, so that
    /// 79.99 % does not claim the 80 its colour denies it.
    pub fn of(coverage: Option<Coverage>) -> Self {
        let message = coverage.map_or_else(|| "unknown".to_owned(), |known| format!("{}%", known.whole_points()));
        Self { label: "coverage", message, color: BadgeColor::of(coverage) }
    }

    /// Both fields as one text, for titles and for those who listen: `coverage: 83%`, `coverage unknown`.
    pub fn title(&self) -> String {
        match self.color {
            BadgeColor::Green | BadgeColor::Yellow | BadgeColor::Red => format!("{}: {}", self.label, self.message),
            BadgeColor::Grey => format!("{} {}", self.label, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_and_text_agree_at_every_edge() {
        for (coverage, color, title) in [
            (Some("100"), "green", "coverage: 100%"),
            (Some("99.9999"), "green", "coverage: 99%"),
            (Some("80"), "green", "coverage: 80%"),
            (Some("79.9999"), "yellow", "coverage: 79%"),
            (Some("60"), "yellow", "coverage: 60%"),
            (Some("59.9999"), "red", "coverage: 59%"),
            (Some("0"), "red", "coverage: 0%"),
            (None, "grey", "coverage unknown"),
        ] {
            let badge = Badge::of(coverage.map(|text| serde_json::from_str::<Coverage>(text).unwrap()));
            assert_eq!((badge.color.as_str(), badge.title().as_str()), (color, title), "{coverage:?}");
        }
    }
}
