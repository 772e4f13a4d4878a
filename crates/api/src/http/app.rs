//! Puts the application of one worker together: surfaces, operations, documents, and the guard around all of it.

use std::io;
use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use prometheus_client::registry::Registry;
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::service_config::ServiceConfig;

use super::docs::{self, Printed};
use super::edge::{Edge, EdgeParts};
use super::health::{self, Readiness};
use super::middleware::guard::guard;
use super::packed::Packed;
use super::routes::{Routes, unmatched};
use crate::openapi;
use crate::surface::setup;

/// Registers the handlers of the surfaces and the services they call; run once for each worker, and once more to collect
/// the API document. Hot routes first: the router tries in order.
pub type Surfaces = Arc<dyn Fn(&mut ServiceConfig<'_>) + Send + Sync>;

/// What every worker's application is made from.
#[derive(Clone)]
pub struct Site {
    /// The edge.
    pub edge: EdgeParts,
    /// Whether this node is ready.
    pub readiness: Readiness,
    /// What `/metrics` shows; `None` serves no such path.
    pub registry: Option<Arc<Registry>>,
    /// The handlers.
    pub surfaces: Surfaces,
    routes: web::Data<Routes>,
    printed: web::Data<Printed>,
}

impl Site {
    /// Collects the API document from the surfaces; fails only if it cannot be written as JSON or packed.
    pub fn new(
        edge: EdgeParts,
        readiness: Readiness,
        registry: Option<Arc<Registry>>,
        surfaces: Surfaces,
    ) -> io::Result<Self> {
        let with_metrics = registry.is_some();
        let document = openapi::document(|config| register(config, &surfaces, with_metrics));
        let printed = web::Data::new(Printed(Packed::text(&openapi::text(&document)?)?));
        let routes = web::Data::new(Routes::new(&document, &[&docs::PATHS[..], &setup::PATHS[..]].concat()));
        Ok(Self { edge, readiness, registry, surfaces, routes, printed })
    }

    /// The application of one worker.
    pub fn app(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<EitherBody<BoxBody>>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let mut app = App::new()
            .app_data(Edge::new(self.edge.clone()))
            .app_data(self.routes.clone())
            .app_data(self.printed.clone())
            .app_data(web::Data::new(self.readiness.clone()))
            .app_data(web::Data::new(self.edge.drain.clone()));
        if let Some(registry) = &self.registry {
            app = app.app_data(web::Data::from(registry.clone()));
        }
        app.into_utoipa_app()
            .configure(|config| register(config, &self.surfaces, self.registry.is_some()))
            .into_app()
            .configure(docs::routes)
            .configure(setup::pages)
            .default_service(web::to(unmatched))
            .wrap(from_fn(guard))
    }
}

/// The API document of these surfaces, without a server.
pub fn document(surfaces: &Surfaces) -> utoipa::openapi::OpenApi {
    openapi::document(|config| register(config, surfaces, true))
}

fn register(config: &mut ServiceConfig<'_>, surfaces: &Surfaces, with_metrics: bool) {
    surfaces(config);
    config.service(health::health).service(health::ready);
    if with_metrics {
        config.service(health::metrics);
    }
}
