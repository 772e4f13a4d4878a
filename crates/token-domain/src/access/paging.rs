//! Which page of a list, and how much of it.

/// A page of a list: pages count from 1, and have 1 to 100 entries, or to 10 000 where the answer cannot say that there are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    page: u64,
    limit: u16,
}

/// A page that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPaging {
    /// `page` is no whole number, or out of range.
    #[error("must be a whole number from 1 to {}", Paging::LAST_PAGE)]
    Page,
    /// `limit` is no whole number, or zero.
    #[error("must be a whole number of at least 1; values above {} count as {}", Paging::LARGEST, Paging::LARGEST)]
    Limit,
}

impl InvalidPaging {
    /// The parameter it is about.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Limit => "limit",
        }
    }
}

impl Default for Paging {
    /// What it is when nobody asks for anything else: the first page, with the usual number of entries.
    fn default() -> Self {
        Self { page: 1, limit: Self::USUAL }
    }
}

impl Paging {
    /// The most entries on a page. Who asks for more gets this many, and is told so.
    pub const LARGEST: u16 = 100;
    /// The same of a bare list, which its readers take for all there is.
    pub const LARGEST_BARE: u16 = 10_000;
    /// The entries on a page when nobody says how many.
    pub const USUAL: u16 = 10;
    /// The last page one may ask for; no list is that long, so it is an empty one.
    pub const LAST_PAGE: u64 = 1_000_000_000_000_000_000;

    /// Reads the parameters `page` and `limit`; left out, they are 1 and 10.
    ///
    /// # Errors
    /// Anything but digits, zero, or a page beyond [`Self::LAST_PAGE`]. A limit may be of any size.
    pub fn parse(page: Option<&str>, limit: Option<&str>) -> Result<Self, InvalidPaging> {
        Self::read(page, limit, Self::USUAL, Self::LARGEST)
    }

    /// Reads the same parameters of a bare list; left out, `limit` is as large as it may be.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_bare(page: Option<&str>, limit: Option<&str>) -> Result<Self, InvalidPaging> {
        Self::read(page, limit, Self::LARGEST_BARE, Self::LARGEST_BARE)
    }

    fn read(page: Option<&str>, limit: Option<&str>, usual: u16, largest: u16) -> Result<Self, InvalidPaging> {
        let page = match page {
            Some(text) => read(text).filter(|page| (1..=Self::LAST_PAGE).contains(page)).ok_or(InvalidPaging::Page)?,
            None => 1,
        };
        let limit = match limit {
            Some(text) => read(text).filter(|limit| *limit >= 1).ok_or(InvalidPaging::Limit)?,
            None => u64::from(usual),
        };
        Ok(Self { page, limit: u16::try_from(limit).unwrap_or(largest).min(largest) })
    }

    /// The page's number, as asked for.
    pub const fn page(self) -> u64 {
        self.page
    }

    /// The most entries it has, as granted.
    pub const fn limit(self) -> u16 {
        self.limit
    }

    /// How many entries come before it. A product past 2⁶³ − 1 stops there: no database holds as many rows, so the page
    /// is empty as it should be.
    pub fn offset(self) -> i64 {
        i64::try_from((self.page - 1).saturating_mul(u64::from(self.limit))).unwrap_or(i64::MAX)
    }

    /// How many pages a list of `total` entries has; none when it is empty.
    pub const fn total_pages(self, total: u64) -> u64 {
        total.div_ceil(self.limit as u64)
    }
}

/// Digits alone: what integers read elsewhere also take, such as `+1`, is no page. Too many of them are a large number.
fn read(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_clamped_and_never_overflows() {
        let thirty_nines = "9".repeat(30);
        for (page, limit, expected) in [
            (None, None, (1, 10, 0)),
            (Some("1"), Some("1"), (1, 1, 0)),
            (Some("3"), Some("25"), (3, 25, 50)),
            (Some("007"), Some("010"), (7, 10, 60)),
            (Some("2"), Some("100"), (2, 100, 100)),
            (Some("2"), Some("101"), (2, 100, 100)),
            (Some("2"), Some("256"), (2, 100, 100)),
            (Some("2"), Some(&*thirty_nines), (2, 100, 100)),
            (Some("1000000000000000000"), Some("1"), (Paging::LAST_PAGE, 1, 999_999_999_999_999_999)),
            (Some("1000000000000000000"), Some("100"), (Paging::LAST_PAGE, 100, i64::MAX)),
        ] {
            let paging = Paging::parse(page, limit).unwrap();
            assert_eq!((paging.page(), paging.limit(), paging.offset()), expected, "{page:?} {limit:?}");
        }
        for (limit, granted) in
            [(None, 10_000), (Some("1"), 1), (Some("10001"), 10_000), (Some(&*thirty_nines), 10_000)]
        {
            assert_eq!(Paging::parse_bare(None, limit).unwrap().limit(), granted, "{limit:?}");
        }
        for text in ["", "0", "-1", "+1", "1.0", "1e2", " 1", "x", "٣", "1000000000000000001", &thirty_nines] {
            assert_eq!(Paging::parse(Some(text), None), Err(InvalidPaging::Page), "{text}");
        }
        for text in ["", "0", "000", "-1", "+1", "1.0", "x"] {
            assert_eq!(Paging::parse(None, Some(text)), Err(InvalidPaging::Limit), "{text}");
        }
        assert_eq!((InvalidPaging::Page.field(), InvalidPaging::Limit.field()), ("page", "limit"));
    }

    #[test]
    fn pages_are_counted_up() {
        let paging = Paging::parse(None, Some("10")).unwrap();
        for (total, pages) in [(0, 0), (1, 1), (10, 1), (11, 2), (u64::MAX, u64::MAX / 10 + 1)] {
            assert_eq!(paging.total_pages(total), pages, "{total}");
        }
    }
}
