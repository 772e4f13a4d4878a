//! List queries of this family: numbered pages, in an order that the caller chooses.

use authority::records::{Listing, Page};
use serde::{Deserialize, Serialize};
use token_domain::access::{Direction, InvalidPaging, OrderBy, OrderField, Paging};
use utoipa::{IntoParams, ToSchema};

use edge::error::{ApiError, ApiResult};

const LONGEST_SEARCH: usize = 100;

/// Which page, in what order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct ListQuery {
    /// The page number, starting at 1.
    #[param(value_type = Option<u64>)]
    page: Option<String>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    #[param(value_type = Option<u64>)]
    limit: Option<String>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    search: Option<String>,
}

/// The position of the page.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PageMeta)]
pub(in crate::surface) struct Meta {
    pub(in crate::surface) page: u64,
    /// The number of entries per page, after the maximum was applied.
    pub(in crate::surface) limit: u16,
    /// The number of entries on all pages.
    pub(in crate::surface) total: u64,
    pub(in crate::surface) total_pages: u64,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub(in crate::surface) struct PageView<T: ToSchema> {
    pub(in crate::surface) data: Vec<T>,
    pub(in crate::surface) meta: Meta,
}

impl ListQuery {
    /// Parses the query; the default page size is ten.
    pub(in crate::surface) fn read(self) -> ApiResult<Listing> {
        self.listing(Paging::parse)
    }

    /// Parses the query for an answer that cannot say that there are more entries.
    pub(in crate::surface) fn read_bare(self) -> ApiResult<Listing> {
        self.listing(Paging::parse_bare)
    }

    fn listing(self, read: fn(Option<&str>, Option<&str>) -> Result<Paging, InvalidPaging>) -> ApiResult<Listing> {
        let paging = read(self.page.as_deref(), self.limit.as_deref())
            .map_err(|error| ApiError::invalid(error.field(), error.to_string()))?;
        let search = self.search.filter(|text| !text.is_empty());
        if search.as_ref().is_some_and(|text| text.chars().count() > LONGEST_SEARCH) {
            return Err(ApiError::invalid("search", format!("must have at most {LONGEST_SEARCH} characters")));
        }
        let order = order(self.order_by.as_deref(), self.sort_by.as_deref(), self.sort_order.as_deref())?;
        Ok(Listing { order, paging, search })
    }
}

/// The order: from `orderBy`, or else from `sortBy` and `sortOrder`.
fn order(order_by: Option<&str>, sort_by: Option<&str>, sort_order: Option<&str>) -> ApiResult<OrderBy> {
    let usual = OrderBy::default();
    if let Some(text) = order_by {
        return OrderBy::parse(text).map_err(|error| ApiError::invalid("orderBy", error.to_string()));
    }
    let field = sort_by.map(OrderField::parse).transpose();
    let field = field.map_err(|_| ApiError::invalid("sortBy", "must be slug, name, createdAt or updatedAt"))?;
    let direction = sort_order.map(Direction::parse).transpose();
    let direction = direction.map_err(|_| ApiError::invalid("sortOrder", "must be ASC or DESC"))?;
    Ok(match (field, direction) {
        (None, None) => usual,
        (None, Some(direction)) => OrderBy { direction, ..usual },
        (Some(field), direction) => OrderBy { field, direction: direction.unwrap_or(Direction::Ascending) },
    })
}

impl Meta {
    /// The paging information for an answer to this query.
    pub(in crate::surface) const fn new(paging: Paging, total: u64) -> Self {
        Self { page: paging.page(), limit: paging.limit(), total, total_pages: paging.total_pages(total) }
    }
}

impl<T: ToSchema> PageView<T> {
    /// A page as the wire shows it.
    pub(in crate::surface) fn new<I>(page: Page<I>, paging: Paging, view: impl FnMut(I) -> T) -> Self {
        Self { data: page.items.into_iter().map(view).collect(), meta: Meta::new(paging, page.total) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge::extract::query::parse;

    #[test]
    fn lists_are_asked_for_in_either_spelling() {
        for (query, expected) in [
            ("", "createdAt:DESC 1 10"),
            ("page=3&limit=7&orderBy=slug:ASC", "slug:ASC 3 7"),
            ("limit=1000", "createdAt:DESC 1 100"),
            ("sortBy=name", "name:ASC 1 10"),
            ("sortBy=name&sortOrder=desc", "name:DESC 1 10"),
            ("sortOrder=asc", "createdAt:ASC 1 10"),
            ("orderBy=updatedAt:DESC&sortBy=name", "updatedAt:DESC 1 10"),
            ("page=1000000000000000000", "createdAt:DESC 1000000000000000000 10"),
        ] {
            let listing = parse::<ListQuery>(query).unwrap().read().unwrap();
            let found = format!("{} {} {}", listing.order, listing.paging.page(), listing.paging.limit());
            assert_eq!(found, expected, "{query}");
        }
        assert_eq!(parse::<ListQuery>("").unwrap().read_bare().unwrap().paging.limit(), 10_000);
        assert_eq!(parse::<ListQuery>("search=").unwrap().read().unwrap().search, None);
        for (query, field) in [
            ("page=0", "page"),
            ("page=x", "page"),
            ("page=1000000000000000001", "page"),
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("orderBy=evil:DESC", "orderBy"),
            ("orderBy=", "orderBy"),
            ("sortBy=evil", "sortBy"),
            ("sortOrder=up", "sortOrder"),
        ] {
            let error = parse::<ListQuery>(query).unwrap().read().unwrap_err();
            assert!(error.body().contains(&format!("\"field\":\"{field}\"")), "{query} {}", error.body());
        }
        let long = format!("search={}", "x".repeat(101));
        assert!(parse::<ListQuery>(&long).unwrap().read().is_err());
    }
}
