//! The links between the numbered pages of a list.

use authority::records::Listing;
use token_domain::access::{OrderBy, Paging};

use crate::form::Form;
use crate::show;

/// Entries on a page, which keeps a page with two lists under 25 KB.
const PAGE: &str = "25";

/// The links to the previous and the next page; empty where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Pager {
    pub(super) previous: String,
    pub(super) next: String,
    /// Which entries are on the page: `26 to 50 of 1 000 actors`.
    pub(super) place: String,
}

/// The listing that the query string asks for, with the number of the page in the field `name`. A malformed number is
/// the first page.
pub(super) fn listing(query: &Form, name: &str) -> Listing {
    let paging = Paging::parse(query.some(name), Some(PAGE)).or_else(|_| Paging::parse(None, Some(PAGE)));
    Listing { order: OrderBy::default(), paging: paging.unwrap_or_default(), search: None }
}

impl Pager {
    /// The links of a page of a list with `total` entries, each called `one`. The other fields of the query string that
    /// are named in `kept` stay as they are.
    pub(super) fn of(path: &str, query: &Form, name: &str, kept: &str, total: u64, one: &str) -> Self {
        let paging = listing(query, name).paging;
        let (page, pages) = (paging.page(), paging.total_pages(total));
        let other = Paging::parse(query.some(kept), Some(PAGE)).map_or(1, Paging::page);
        let link = |page: u64| match other {
            1 => format!("{path}?{name}={page}"),
            other => format!("{path}?{name}={page}&{kept}={other}"),
        };
        let first = u64::try_from(paging.offset()).unwrap_or(0).saturating_add(1);
        let last = first.saturating_add(u64::from(paging.limit()) - 1).min(total);
        Self {
            previous: if page > 1 && pages > 0 { link((page - 1).min(pages)) } else { String::new() },
            next: if page < pages { link(page + 1) } else { String::new() },
            place: if first <= last {
                format!("{} to {} of {}", show::number(first), show::number(last), show::count(total, one))
            } else {
                String::new()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_linked_and_the_other_list_keeps_its_place() {
        let pager = |query: &str, total| {
            let pager = Pager::of("/projects/1", &Form::read(query.as_bytes()), "actors", "scopes", total, "actor");
            [pager.previous, pager.next, pager.place]
        };
        assert_eq!(pager("", 25), ["", "", "1 to 25 of 25 actors"]);
        assert_eq!(pager("", 0), ["", "", ""]);
        assert_eq!(pager("actors=x", 26), ["", "/projects/1?actors=2", "1 to 25 of 26 actors"]);
        assert_eq!(
            pager("actors=2&scopes=3", 60),
            ["/projects/1?actors=1&scopes=3", "/projects/1?actors=3&scopes=3", "26 to 50 of 60 actors"]
        );
        assert_eq!(pager("actors=3", 60), ["/projects/1?actors=2", "", "51 to 60 of 60 actors"]);
        assert_eq!(pager("actors=99", 60), ["/projects/1?actors=3", "", ""], "a page that is not there any more");
    }
}
