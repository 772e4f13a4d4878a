//! Assembles the application of one worker: surfaces, operations, documents, and the guard around all of it.

use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use prometheus_client::registry::Registry;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::service_config::ServiceConfig;

use super::docs::{self, Printed};
use super::health::{self, Readiness};
use super::middleware::guard::guard;
use super::packed::Packed;
use super::parts::{Edge, EdgeParts};
use super::routes::{PagePath, Routes, unmatched};

/// Registers the handlers of the surfaces and the services they call. Runs once for each worker, and once more to
/// collect the API document. Hot routes are registered first, because the router tries routes in order.
pub type Surfaces = Arc<dyn Fn(&mut ServiceConfig<'_>) + Send + Sync>;

/// Collects the declarations of the handlers that the function given to it registers.
pub type Collect = fn(&Register<'_>) -> OpenApi;

/// Makes the API document of collected declarations.
pub type Complete = fn(OpenApi) -> serde_json::Result<OpenApi>;

/// Registers handlers.
pub type Register<'a> = dyn Fn(&mut ServiceConfig<'_>) + 'a;

/// How the API document is made from the operations.
#[derive(Clone, Copy)]
pub struct Description {
    /// Collects the declarations. A start needs no more of them than paths and methods.
    pub collect: Collect,
    /// Completes them: work that is done when somebody asks for the document.
    pub complete: Complete,
    /// Names of path parameters whose values may contain slashes.
    pub with_slashes: &'static [&'static str],
}

/// Pages: registered after the operations, with access to the same services, and not part of the API document.
#[derive(Clone)]
pub struct Pages {
    /// The paths of all pages. A page whose path is missing here is still served, but answers 404 instead of 405 to a
    /// wrong method.
    pub paths: &'static [PagePath],
    /// Registers their handlers. Runs once for each worker.
    pub register: fn(&mut web::ServiceConfig),
}

/// Where the paths for operators are served: `/metrics`, the API document and its viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insight {
    /// On the same listener as the operations.
    Here,
    /// By [`Site::insight`], on a listener of its own.
    Elsewhere,
}

/// What a [`Site`] is made from.
pub struct SiteParts {
    /// The edge.
    pub edge: EdgeParts,
    /// Whether this node is ready.
    pub readiness: Readiness,
    /// What `/metrics` shows; `None` serves no such path.
    pub registry: Option<Arc<Registry>>,
    /// The operations.
    pub surfaces: Surfaces,
    /// How they are documented.
    pub description: Description,
    /// The pages.
    pub pages: Vec<Pages>,
    /// Where the paths for operators are served.
    pub insight: Insight,
}

/// What every worker's application is made from.
#[derive(Clone)]
pub struct Site {
    pub(super) edge: EdgeParts,
    readiness: Readiness,
    registry: Option<Arc<Registry>>,
    surfaces: Surfaces,
    pages: Vec<Pages>,
    insight: Insight,
    routes: web::Data<Routes>,
    printed: web::Data<Printed>,
}

impl Site {
    /// Collects the paths of the surfaces. The API document is made when it is asked for.
    pub fn new(parts: SiteParts) -> Self {
        let SiteParts { edge, readiness, registry, surfaces, description, pages, insight } = parts;
        let shows = insight == Insight::Here;
        let with_metrics = registry.is_some();
        let collected = (description.collect)(&|config| register(config, &surfaces, shows && with_metrics));
        let own = pages.iter().flat_map(|pages| pages.paths);
        let documents = docs::PATHS.iter().filter(|_| shows);
        let routes = web::Data::new(Routes::new(&collected, description.with_slashes, documents.chain(own)));
        let documented = Arc::clone(&surfaces);
        let printed = web::Data::new(Printed::when_asked(move || {
            let collected = (description.collect)(&|config| register(config, &documented, with_metrics));
            Packed::text(&docs::text(&(description.complete)(collected)?)?)
        }));
        Self { edge, readiness, registry, surfaces, pages, insight, routes, printed }
    }

    /// A site that serves the paths for operators and nothing else.
    #[must_use]
    pub fn insight(&self, collect: Collect) -> Self {
        let nothing: Surfaces = Arc::new(|_| ());
        let collected = collect(&|config| register(config, &nothing, self.registry.is_some()));
        let routes = web::Data::new(Routes::new(&collected, &[], &docs::PATHS));
        Self { surfaces: nothing, pages: Vec::new(), insight: Insight::Here, routes, ..self.clone() }
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
        let shows = self.insight == Insight::Here;
        app.into_utoipa_app()
            .configure(|config| register(config, &self.surfaces, shows && self.registry.is_some()))
            .into_app()
            .configure(|config| {
                if shows {
                    docs::routes(config);
                }
            })
            .configure(|config| self.pages.iter().for_each(|pages| (pages.register)(config)))
            .default_service(web::to(unmatched))
            .wrap(from_fn(guard))
    }
}

/// The API document of these surfaces, without a server.
///
/// # Errors
/// It cannot be written as JSON, which is a fault of this program.
pub fn document(surfaces: &Surfaces, description: &Description) -> serde_json::Result<OpenApi> {
    (description.complete)((description.collect)(&|config| register(config, surfaces, true)))
}

fn register(config: &mut ServiceConfig<'_>, surfaces: &Surfaces, with_metrics: bool) {
    surfaces(config);
    config.service(health::health).service(health::ready);
    if with_metrics {
        config.service(health::metrics);
    }
}
