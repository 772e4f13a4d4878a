//! The stylesheet, the script and the icon, in the binary. Their names carry a hash of their content, so that browsers
//! may cache them for a year: a new version has a new name.
//!
//! Three files need no crate that embeds folders: `include_str!` is enough, and the hash is computed at compile time.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};

const CSS: &str = include_str!("../assets/style.css");
const JS: &str = include_str!("../assets/enhance.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// FNV-1a: enough to tell versions apart; it need not resist attacks.
const fn hash(text: &str) -> u64 {
    let (bytes, mut hash, mut at) = (text.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The paths of the assets of this version.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) css: String,
    pub(crate) js: String,
    pub(crate) icon: String,
}

impl Links {
    pub(crate) fn current() -> Self {
        Self {
            css: format!("/assets/{:016x}.css", const { hash(CSS) }),
            js: format!("/assets/{:016x}.js", const { hash(JS) }),
            icon: format!("/assets/{:016x}.svg", const { hash(ICON) }),
        }
    }
}

/// The paths of all assets. They are served also before set-up, because the set-up page needs them.
pub fn paths() -> [String; 3] {
    let links = Links::current();
    [links.css, links.js, links.icon]
}

/// Serves an asset. An old name gets the current version with `no-cache`: the page that links to it is outdated itself.
#[get("/assets/{file}")]
pub(crate) async fn asset(file: web::Path<String>) -> HttpResponse {
    let (kind, text) = match file.rsplit_once('.') {
        Some((_, "css")) => ("text/css; charset=utf-8", CSS),
        Some((_, "js")) => ("text/javascript; charset=utf-8", JS),
        Some((_, "svg")) => ("image/svg+xml", ICON),
        Some(_) | None => return HttpResponse::NotFound().finish(),
    };
    let is_current = paths().iter().any(|link| link.ends_with(file.as_str()));
    let caching = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(text)
}
