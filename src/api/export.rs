//! Everything as lines of JSON, while the server has the store to itself.

use std::fs::File;
use std::io::ErrorKind;
use std::io::Read;
use std::path::PathBuf;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web;

use crate::api::ApiSettings;
use crate::api::auth::Admin;
use crate::api::problem::Problem;
use crate::api::problem::internal;
use crate::api::query::Params;
use crate::api::stream;
use crate::engine::Engine;
use crate::store::StoreError;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/export").route(web::get().to(export)));
}

/// A file that goes when it was read, or when nobody reads it any more.
struct Passing {
    file: Option<File>,
    path: PathBuf,
}

impl Read for Passing {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.read(to))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.file = None;
        if let Err(why) = std::fs::remove_file(&self.path) {
            tracing::debug!("{} stays: {why}", self.path.display());
        }
    }
}

/// Download everything, as it stands at one moment.
///
/// It holds everything but plain passwords: keep it as safe as the books.
#[utoipa::path(get, path = "/v1/export", tag = "operation",
    responses((status = 200, body = String, content_type = "application/x-ndjson")))]
async fn export(
    _: Admin,
    _: Params<()>,
    engine: web::Data<Engine>,
    settings: web::Data<ApiSettings>,
) -> Result<HttpResponse, Problem> {
    let path = settings.scratch.join(format!("export-{}.ndjson", engine.new_id()));
    let mut passing = Passing { file: None, path };
    engine.store().export(&passing.path).await.map_err(for_now)?;
    passing.file = Some(File::open(&passing.path).map_err(|why| internal(&why))?);
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"bookbridge.ndjson\""))
        .streaming(stream::blocking(stream::pieces(passing))))
}

/// The copy is made beside the store: what that disk does not take now, it may take later.
fn for_now(why: StoreError) -> StoreError {
    match why {
        StoreError::Io { source, what } => match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                StoreError::Unwritable(source)
            }
            _ => StoreError::Io { what, source },
        },
        other => other,
    }
}
