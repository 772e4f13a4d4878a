//! `GET /v1/scopes/catalog`: every scope of this deployment. Public, because it does not say who has which scope.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use serde::Serialize;
use token_domain::scope::{Preset, ScopeCatalogue, ScopeEntry};
use utoipa::ToSchema;

/// All scopes and presets.
#[derive(Serialize, ToSchema)]
struct Catalog {
    scopes: Vec<ScopeView>,
    presets: Vec<PresetView>,
}

/// A predefined set of scopes for a common use.
#[derive(Serialize, ToSchema)]
#[schema(as = ScopePreset)]
struct PresetView {
    #[schema(example = "CI runner")]
    name: String,
    /// What the preset is for.
    description: String,
    /// The scopes of the preset, including scopes that they require.
    scopes: Vec<String>,
    /// The kinds of token that the preset is meant for. Each can carry all its scopes.
    kinds: Vec<&'static str>,
}

/// A scope.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
struct ScopeView {
    #[schema(example = "scans:run")]
    name: String,
    /// What the scope permits.
    description: String,
    /// The group in which the scope is listed.
    group: String,
    /// Further scopes that this one implies; `*` is all of them. A bare name always implies its own `name:<action>`
    /// scopes.
    implies: Vec<String>,
    /// Other scopes that the token must also have for this one to take effect.
    requires: Vec<String>,
    /// Whether a personal key gets the scope if it is created without scopes.
    default: bool,
    /// The kinds of token that may carry the scope: `organization`, `personal`, `actor`.
    kinds: Vec<&'static str>,
}

/// List all scopes and presets.
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
