//! In which order a list comes. Ties are broken by id, so that pages neither repeat an entry nor miss one.

use std::fmt;

/// What a list can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderField {
    /// The slug, byte by byte.
    Slug,
    /// The display name.
    Name,
    /// When it was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The smallest, the earliest.
    Ascending,
    /// The largest, the latest.
    Descending,
}

/// An order, written `createdAt:DESC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderBy {
    /// What is compared.
    pub field: OrderField,
    /// Which end comes first.
    pub direction: Direction,
}

/// A text that names no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be slug, name, createdAt or updatedAt, and :ASC or :DESC, for example createdAt:DESC")]
pub struct InvalidOrder;

impl OrderField {
    /// Every field.
    pub const ALL: [Self; 4] = [Self::Slug, Self::Name, Self::CreatedAt, Self::UpdatedAt];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slug => "slug",
            Self::Name => "name",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
        }
    }

    /// Reads the name back.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidOrder> {
        Self::ALL.into_iter().find(|field| field.as_str() == text).ok_or(InvalidOrder)
    }
}

impl Direction {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ASC",
            Self::Descending => "DESC",
        }
    }

    /// Reads the name back, in either case.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidOrder> {
        [Self::Ascending, Self::Descending]
            .into_iter()
            .find(|direction| direction.as_str().eq_ignore_ascii_case(text))
            .ok_or(InvalidOrder)
    }
}

impl OrderBy {
    /// Reads the parameter `orderBy`: a field and, behind a colon, a direction. A field alone ascends.
    ///
    /// # Errors
    /// Any other field or direction.
    pub fn parse(text: &str) -> Result<Self, InvalidOrder> {
        let (field, direction) = match text.split_once(':') {
            Some((field, direction)) => (field, Direction::parse(direction)?),
            None => (text, Direction::Ascending),
        };
        Ok(Self { field: OrderField::parse(field)?, direction })
    }
}

impl Default for OrderBy {
    /// What was made last comes first.
    fn default() -> Self {
        Self { field: OrderField::CreatedAt, direction: Direction::Descending }
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.field.as_str(), self.direction.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_a_field_and_a_direction() {
        for field in OrderField::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let order = OrderBy { field, direction };
                assert_eq!(OrderBy::parse(&order.to_string()), Ok(order));
                assert_eq!(
                    OrderBy::parse(&format!("{}:{}", field.as_str(), direction.as_str().to_lowercase())),
                    Ok(order)
                );
            }
            let ascending = OrderBy { field, direction: Direction::Ascending };
            assert_eq!(OrderBy::parse(field.as_str()), Ok(ascending));
        }
        assert_eq!(OrderBy::default().to_string(), "createdAt:DESC");
        for text in [
            "",
            ":",
            "createdAt:",
            ":DESC",
            "created_at:DESC",
            "CreatedAt:DESC",
            "id:ASC",
            "createdAt:DOWN",
            "createdAt:DESC:ASC",
            "createdAt DESC",
            "createdAt:DESC,slug:ASC",
            "slug;DROP TABLE x",
        ] {
            assert_eq!(OrderBy::parse(text), Err(InvalidOrder), "{text}");
        }
    }
}
