//! The adapters on one application: SOAP, REST, and nothing else.

use actix_web::App;
use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceFactory;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::web;

use crate::config::Settings;
use crate::engine::Engine;

/// What every worker makes its application of.
#[derive(Clone)]
pub(super) struct Routes {
    engine: Engine,
}

impl Routes {
    /// Takes what the adapters need from the settings.
    pub(super) fn new(engine: Engine, _settings: &Settings) -> Self {
        Self { engine }
    }

    /// One application.
    pub(super) fn app(
        self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody>,
            Error = actix_web::Error,
            InitError = (),
        >,
    > {
        App::new()
            .app_data(web::Data::new(self.engine))
            .route("/healthz", web::get().to(HttpResponse::Ok))
    }
}
