//! The adapters on one application: SOAP and REST, which do not know each other.

use std::sync::Arc;

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceFactory;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::middleware::from_fn;
use actix_web::web;

use crate::api;
use crate::api::ApiSettings;
use crate::config::Settings;
use crate::dashboard;
use crate::dashboard::DashboardSettings;
use crate::dashboard::Logins;
use crate::engine::Engine;
use crate::soap;
use crate::soap::SoapSettings;

/// What every worker makes its application of.
#[derive(Clone)]
pub(super) struct Routes {
    engine: web::Data<Engine>,
    soap: web::Data<SoapSettings>,
    api: web::Data<ApiSettings>,
    dashboard: web::Data<DashboardSettings>,
}

impl Routes {
    /// Takes what the adapters need from the settings.
    pub(super) fn new(engine: Engine, settings: &Settings, logins: Arc<Logins>) -> Self {
        Self {
            engine: web::Data::new(engine),
            soap: web::Data::new(SoapSettings {
                public_url: settings.public_url.clone(),
                max_response_bytes: settings.max_response_bytes,
                ..SoapSettings::default()
            }),
            api: web::Data::new(ApiSettings::new(
                settings.public_url.clone(),
                settings.data_dir.clone(),
            )),
            dashboard: web::Data::new(DashboardSettings {
                public_url: settings.public_url.clone(),
                logins,
            }),
        }
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
            .app_data(self.engine)
            .app_data(self.soap)
            .app_data(self.api)
            .app_data(self.dashboard)
            .wrap(from_fn(api::every_call))
            .configure(soap::routes)
            .configure(dashboard::routes)
            .configure(api::routes)
            .configure(dashboard::lost)
    }
}
