//! `GET /v1/scopes/catalog`: every scope of this deployment. Public, because it does not say who has which scope.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use serde::Serialize;
use token_domain::scope::{Preset, ScopeCatalogue, ScopeEntry};
use utoipa::ToSchema;

/// Every scope there is, and ready choices of them.
#[derive(Serialize, ToSchema)]
struct Catalog {
    scopes: Vec<ScopeView>,
    presets: Vec<PresetView>,
}

/// A ready choice of scopes for a common need.
#[derive(Serialize, ToSchema)]
#[schema(as = ScopePreset)]
struct PresetView {
    #[schema(example = "CI runner")]
    name: String,
    /// Whom it is for.
    description: String,
    /// Its scopes, companions included.
    scopes: Vec<String>,
    /// The kinds of token it is meant for; each can carry all its scopes.
    kinds: Vec<&'static str>,
}

/// A scope.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
struct ScopeView {
    #[schema(example = "scans:run")]
    name: String,
    /// What it permits.
    description: String,
    /// The heading it stands under.
    group: String,
    /// Further scopes it covers; `*` is all of them. A bare name always covers its own `name:<action>` scopes.
    implies: Vec<String>,
    /// Companions without which it passes no check.
    requires: Vec<String>,
    /// Whether a personal key gets it when none are named.
    default: bool,
    /// Which tokens may carry it: `organization`, `personal`, `actor`.
    kinds: Vec<&'static str>,
}

/// List every scope and preset.
#[utoipa::path(tag = "scopes", security(), responses((status = 200, body = Catalog)))]
#[get("/v1/scopes/catalog")]
pub(super) async fn get_catalog(context: Data<Context>) -> web::Json<Catalog> {
    let catalogue = context.catalogue();
    web::Json(Catalog {
        scopes: catalogue.entries().iter().map(ScopeView::from).collect(),
        presets: catalogue.presets().iter().map(|preset| PresetView::new(catalogue, preset)).collect(),
    })
}

impl PresetView {
    fn new(catalogue: &ScopeCatalogue, preset: &Preset) -> Self {
        Self {
            name: preset.name.clone(),
            description: preset.description.clone(),
            scopes: preset.scopes.iter().map(|scope| catalogue.name(*scope).to_string()).collect(),
            kinds: preset.kinds.iter().map(|kind| kind.as_str()).collect(),
        }
    }
}

impl From<&ScopeEntry> for ScopeView {
    fn from(entry: &ScopeEntry) -> Self {
        Self {
            name: entry.name.to_string(),
            description: entry.description.clone(),
            group: entry.group.clone(),
            implies: entry.implies.clone(),
            requires: entry.requires.clone(),
            default: entry.default,
            kinds: entry.kinds.iter().map(|kind| kind.as_str()).collect(),
        }
    }
}
