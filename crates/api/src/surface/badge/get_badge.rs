//! `GET /v1/badge/{org}/{repo}`: a picture for readme files, shown to everybody.
//!
//! An unknown repository, a malformed name and a disabled organisation get the same badge, so that the badge does not
//! reveal which organisations and repositories exist.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use authority::executions::Executions;
use serde::Deserialize;
use token_domain::execution::{Badge, BranchName, RepositoryName};
use token_domain::text::Slug;

use super::svg;
use crate::surface::failing;
use crate::surface::path::{Operations, PathParam, Segment, Unreadable};
use edge::error::ApiResult;
use edge::extract::Query;

/// Any cache may keep a picture for a minute.
const FRESH: &str = "public, max-age=60";
/// A picture that is opened as a page runs and loads nothing.
const POLICY: &str = "default-src 'none'";

/// The organisation in the path.
struct Org(Slug);

impl Segment<Operations> for Org {
    const NAME: &'static str = "org";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Slug::parse(text).ok().map(Self)
    }
}

/// Of which branch.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct GetBadgeQuery {
    /// Only executions of this branch. Defaults to all branches.
    branch: Option<String>,
}

/// Get the coverage badge of a repository.
///
/// Shows the coverage of the latest execution: green from 80 percent, yellow from 60, red below, and grey when there is
/// none.
#[utoipa::path(
    tag = "coverage",
    security(),
    params(
        ("org" = String, Path, description = "The slug of the organisation."),
        ("repo" = String, Path, description = "The name of the repository. Slashes may be sent as they are or as `%2F`."),
        GetBadgeQuery,
    ),
    responses((status = 200, description = "An SVG image.", body = String, content_type = "image/svg+xml"))
)]
#[get("/v1/badge/{org}/{repo:.+}")]
pub(super) async fn get_badge(
    organization: Option<PathParam<Org>>,
    repository: Option<PathParam<RepositoryName>>,
    query: Option<Query<GetBadgeQuery>>,
    executions: Data<Executions>,
) -> ApiResult<HttpResponse> {
    let branch = query.map(|Query(query)| query.branch.as_deref().map(BranchName::parse).transpose());
    let coverage = match (organization, repository, branch) {
        (Some(PathParam(Org(slug))), Some(PathParam(repository)), Some(Ok(branch))) => {
            executions.published(slug, repository, branch).await.map_err(|failure| failing::failed(&failure))?
        }
        (None, _, _) | (_, None, _) | (_, _, None | Some(Err(_))) => None,
    };
    Ok(HttpResponse::Ok()
        .content_type("image/svg+xml; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, FRESH))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(svg::draw(&Badge::of(coverage))))
}
