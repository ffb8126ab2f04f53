//! The API as an OpenAPI 3.1 document, made of the handlers' own annotations.

use actix_web::HttpResponse;
use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi;
use utoipa::openapi::Content;
use utoipa::openapi::Object;
use utoipa::openapi::Ref;
use utoipa::openapi::RefOr;
use utoipa::openapi::Required;
use utoipa::openapi::path::Operation;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::path::ParameterBuilder;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::HttpAuthScheme;
use utoipa::openapi::security::HttpBuilder;
use utoipa::openapi::security::SecurityScheme;

use crate::api::bulk;
use crate::api::connections;
use crate::api::decide;
use crate::api::docs;
use crate::api::errors;
use crate::api::export;
use crate::api::health;
use crate::api::keys;
use crate::api::problem;
use crate::api::qwc;
use crate::api::records;
use crate::api::requests;
use crate::api::schema;
use crate::api::sessions;

/// Collects the annotations.
#[derive(OpenApi)]
#[openapi(
    info(title = "Bookbridge", description = "Records and raw requests for QuickBooks Desktop, \
        through the QuickBooks Web Connector. Errors are RFC 9457 problem documents; every answer \
        has an X-Request-Id; times are RFC 3339 in UTC."),
    tags((name = "connections"), (name = "records"), (name = "requests"), (name = "sessions"),
        (name = "schema"), (name = "errors"),
        (name = "keys"), (name = "operation"), (name = "docs")),
    security(("key" = [])),
    components(schemas(problem::Document)),
    paths(
        connections::add, connections::list, connections::show, connections::change,
        connections::remove, connections::act, connections::health, qwc::download,
        records::put, records::show, records::list, records::attempts, records::withdraw,
        records::problems, bulk::put_many, bulk::check, decide::act, decide::act_on_all, decide::task,
        requests::submit, requests::list, requests::show,
        sessions::sessions, sessions::session, sessions::activity,
        sessions::activity_of_server,
        schema::list, schema::show, errors::list, errors::show,
        keys::create, keys::list, keys::revoke, export::export,
        health::healthz, health::readyz, health::metrics, document, docs::index, docs::error,
    ),
    modifiers(&Common)
)]
struct Api;

/// What every operation has in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key; its scope is read, write or admin."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
        for (path, item) in &mut document.paths.paths {
            let named: Vec<_> =
                path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
            for operation in operations(item) {
                name(operation);
                for name in &named {
                    operation.parameters.get_or_insert_default().push(RefOr::T(segment(name)));
                }
                let refused = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
                let refused = ResponseBuilder::new()
                    .description("Refused, or failed")
                    .content(problem::MEDIA_TYPE, refused);
                for (status, response) in &mut operation.responses.responses {
                    describe(status, response);
                }
                operation
                    .responses
                    .responses
                    .insert("default".to_owned(), RefOr::T(refused.build()));
            }
        }
    }
}

/// Each answer has a description (OpenAPI 3.1, "Response Object").
fn describe(status: &str, response: &mut RefOr<openapi::Response>) {
    if let RefOr::T(response) = response
        && response.description.is_empty()
    {
        let words = match status {
            "201" => "It was made",
            "202" => "It is on its way",
            "204" => "It is gone",
            _ => "As things stand now",
        };
        words.clone_into(&mut response.description);
    }
}

/// `list` of records and `list` of keys need names of their own.
fn name(operation: &mut Operation) {
    let tag = operation.tags.as_ref().and_then(|tags| tags.first());
    if let (Some(tag), Some(id)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{id}"));
    }
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .flatten()
}

fn segment(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(Object::with_type(SchemaType::Type(Type::String))))
        .build()
}

/// The document.
pub(super) fn api() -> openapi::OpenApi {
    Api::openapi()
}

/// The document as it is served, and as the command line prints it.
///
/// # Errors
///
/// [`serde_json::Error`] if it cannot be written, which no document of ours does.
pub fn json() -> serde_json::Result<String> {
    api().to_pretty_json()
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "docs", security(()),
    responses((status = 200, body = Object, content_type = "application/json")))]
pub(super) async fn document() -> Result<HttpResponse, problem::Problem> {
    let json = json().map_err(|why| problem::internal(&why))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(json))
}
