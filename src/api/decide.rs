//! What people decide about records, one or many.

use std::fmt;
use std::marker::PhantomData;

use actix_web::HttpResponse;
use actix_web::web;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::auth::Reader;
use crate::api::auth::Writer;
use crate::api::body::Json;
use crate::api::body::typed;
use crate::api::connections::Nothing;
use crate::api::connections::no_action;
use crate::api::path::Named;
use crate::api::path::RecordNamed;
use crate::api::path::Word;
use crate::api::problem::Problem;
use crate::api::query::Params;
use crate::api::records::Filter;
use crate::api::records::shaped;
use crate::api::refusal::Refusal;
use crate::api::shape::Record;
use crate::api::words;
use crate::diagnosis;
use crate::engine;
use crate::engine::Action;
use crate::engine::BulkAction;
use crate::engine::Engine;
use crate::engine::FIXES;
use crate::engine::Pressed;

/// Routes under `/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/connections/{connection}/records/actions/{word}")
                .route(web::post().to(act_on_all)),
        )
        .service(
            web::resource(
                "/connections/{connection}/records/{kind}/{source_id:[^/]*}/actions/{word}",
            )
            .route(web::post().to(act)),
        )
        .service(
            web::resource("/connections/{connection}/tasks/{word}").route(web::get().to(task)),
        );
}

/// Why it is bypassed.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bypass {
    /// In the person's words.
    reason: String,
    /// The object that is there, if known: `{"listId"}` or `{"txnId"}`, or the id alone.
    reference: Option<ObjectNamed>,
}

/// An object of QuickBooks.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ObjectNamed {
    /// A ListID or TxnID.
    Id(String),
    /// Which of the two it is.
    Object(Link),
}

/// Where it stands in QuickBooks: one of the two.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Link {
    /// Of what stands in a list, such as a customer.
    list_id: Option<String>,
    /// Of a transaction, such as an invoice.
    txn_id: Option<String>,
}

/// Which fix to apply.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct FixToApply {
    /// As the diagnosis names it.
    id: String,
    /// Another value than the one that is proposed.
    value: Option<String>,
    /// Which object is meant, where there are several in a list.
    list_id: Option<String>,
    /// Which transaction is meant, where there are several.
    txn_id: Option<String>,
    /// True: only say what it would do.
    dry_run: Option<bool>,
}

impl FixToApply {
    fn pressed(self, kind: &str) -> Result<Pressed, Problem> {
        let object = match (&self.list_id, &self.txn_id) {
            (None, None) => None,
            _ => Some(Link { list_id: self.list_id, txn_id: self.txn_id }.id(kind, "")?),
        };
        Ok(Pressed { id: self.id, value: self.value, object })
    }
}

impl Link {
    /// The id, if it is of the sort that objects of this kind have.
    fn id(self, kind: &str, at: &str) -> Result<String, Problem> {
        let in_list = words::stands_in_a_list(kind);
        let (id, member, right) = match (self.list_id, self.txn_id) {
            (Some(id), None) => (id, "listId", in_list),
            (None, Some(id)) => (id, "txnId", !in_list),
            _ => {
                let detail = "Give either listId or txnId.";
                return Err(Problem::new(Refusal::InvalidRequest, detail).at(at));
            }
        };
        if right {
            return Ok(id);
        }
        let has = if in_list { "a listId" } else { "a txnId" };
        let detail = format!("A {kind} has {has} in QuickBooks.");
        Err(Problem::new(Refusal::InvalidRequest, detail).at(format!("{at}/{member}")))
    }
}

/// What a fix would do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preview {
    /// The fix.
    id: String,
    /// What it would do, in a sentence.
    #[serde(rename = "preview")]
    sentence: String,
    dry_run: bool,
}

/// A body that some action takes.
#[derive(Serialize, ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the action says which one it is")]
#[serde(untagged)]
pub(super) enum ActionBody {
    /// `retry`, `unbypass`, `release`, `reset-reference`.
    Nothing(Nothing),
    /// `bypass`.
    Bypass(Bypass),
    /// `link`.
    Link(Link),
    /// `fix`.
    Fix(FixToApply),
}

/// What can be decided about a record.
const ACTIONS: [&str; 7] =
    ["retry", "bypass", "unbypass", "release", "reset-reference", "link", "fix"];

/// Retry, bypass, take a bypass back, release, forget or set the reference, or apply a fix.
#[utoipa::path(post,
    path = "/v1/connections/{connection}/records/{kind}/{sourceId}/actions/{action}",
    tag = "records", request_body = ActionBody, responses((status = 200, body = Record)))]
async fn act(
    caller: Writer,
    named: RecordNamed,
    action: Word,
    _: Params<()>,
    body: Json<Value>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    if action.0 == "fix" && body.0.get("dryRun") == Some(&Value::from(true)) {
        let pressed = known_fix(typed::<FixToApply>(body.0)?.pressed(&named.0.kind)?)?;
        let sentence = engine.preview(&named.0, &pressed).await?;
        return Ok(HttpResponse::Ok().json(Preview { id: pressed.id, sentence, dry_run: true }));
    }
    let action = decision(&action.0, &named.0.kind, body.0)?;
    let record = engine.act(&named.0, action, &caller.0).await?;
    Ok(HttpResponse::Ok().json(shaped(&engine, record).await?))
}

/// What is decided.
fn decision(action: &str, kind: &str, body: Value) -> Result<Action, Problem> {
    let simple = |action| typed::<Nothing>(body.clone()).map(|_| action);
    match action {
        "retry" => simple(Action::Retry),
        "unbypass" => simple(Action::Unbypass),
        "release" => simple(Action::Release),
        "reset-reference" => simple(Action::ResetReference),
        "bypass" => {
            let Bypass { reason, reference } = typed(body)?;
            let reference = match reference {
                Some(ObjectNamed::Object(link)) => Some(link.id(kind, "/reference")?),
                Some(ObjectNamed::Id(id)) => Some(id),
                None => None,
            };
            Ok(Action::Bypass { reason, reference })
        }
        "link" => Ok(Action::Link { id: typed::<Link>(body)?.id(kind, "")? }),
        "fix" => Ok(Action::Fix(known_fix(typed::<FixToApply>(body)?.pressed(kind)?)?)),
        other => Err(no_action(other, &ACTIONS)),
    }
}

/// Refuses a fix that a person does, or that nobody knows.
fn known_fix(pressed: Pressed) -> Result<Pressed, Problem> {
    if FIXES.contains(&pressed.id.as_str()) {
        return Ok(pressed);
    }
    let shown: String = pressed.id.chars().take(80).collect();
    let all = FIXES.join(", ");
    let is_known = diagnosis::entries().any(|entry| {
        let words = entry.causes.iter().chain([&entry.words]);
        words.flat_map(|it| &it.fixes).any(|fix| fix.id == pressed.id)
    });
    let detail = if is_known {
        format!("The fix {shown:?} is not applied by itself: a person does it. These are: {all}.")
    } else {
        format!("There is no fix {shown:?}. Those that are applied by themselves are: {all}.")
    };
    Err(Problem::new(Refusal::UnknownFix, detail).at("/id"))
}

/// Reads an object, and nothing else: a list would be taken member by member, and `[]`, which is how
/// some languages write an empty object, for all records.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    struct Members<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }
    from.deserialize_any(Members(PhantomData))
}

/// A decision about many.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DecisionAboutMany {
    /// Which records; `{}` is all of them.
    #[serde(deserialize_with = "object")]
    filter: Filter,
    /// True: only count.
    dry_run: Option<bool>,
    /// Why, for `bypass`; "bypassed with all that match a filter" if it is missing.
    reason: Option<String>,
    /// Which one, for `fix`, as the diagnosis names it.
    id: Option<String>,
    /// True: answer at once with a task that tells how far it is.
    background: Option<bool>,
}

/// What a decision about many did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decided {
    /// How many records match and are, or would be, changed.
    matched: u64,
    /// The same.
    count: u64,
    /// Whether they were only counted.
    dry_run: bool,
}

/// Retry, bypass, fix, or forget the reference of all records that match.
///
/// With `background` the answer is 202 and a task; `GET` it at its `Location`.
#[utoipa::path(post, path = "/v1/connections/{connection}/records/actions/{action}",
    tag = "records", request_body = DecisionAboutMany,
    responses((status = 200, body = Decided), (status = 202, body = Task)))]
async fn act_on_all(
    caller: Writer,
    named: Named,
    action: Word,
    _: Params<()>,
    body: Json<DecisionAboutMany>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let action = match action.0.as_str() {
        "retry" => BulkAction::Retry,
        "bypass" => BulkAction::Bypass,
        "reset-reference" => BulkAction::ResetReference,
        "fix" => {
            let id = body.0.id.clone().unwrap_or_default();
            BulkAction::Fix(known_fix(Pressed { id, ..Pressed::default() })?)
        }
        other => return Err(no_action(other, &["retry", "bypass", "reset-reference", "fix"])),
    };
    let DecisionAboutMany { filter, dry_run, reason, id: _, background } = body.0;
    let filter = filter.of_body()?;
    let dry_run = dry_run.unwrap_or(false);
    let reason = reason.unwrap_or_else(|| "bypassed with all that match a filter".to_owned());
    if background == Some(true) && !dry_run {
        let task = engine.begin_on_all(&named.0, &filter, action, reason, &caller.0).await?;
        let location = format!("/v1/connections/{}/tasks/{}", named.0, task.id);
        let shape = Task::from(task);
        return Ok(HttpResponse::Accepted().insert_header(("Location", location)).json(shape));
    }
    let matched = engine.act_on_all(&named.0, &filter, action, &reason, dry_run, &caller.0).await?;
    Ok(HttpResponse::Ok().json(Decided { matched, count: matched, dry_run }))
}

/// A decision about many, on its way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    id: Uuid,
    /// `running`, `done`, or `failed`.
    state: &'static str,
    /// Records that matched.
    total: u64,
    /// Records looked at so far.
    looked_at: u64,
    /// Records that were changed.
    done: u64,
    /// Why it broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl From<engine::Task> for Task {
    fn from(task: engine::Task) -> Self {
        let state = match (&task.ended_at, &task.error) {
            (None, _) => "running",
            (Some(_), None) => "done",
            (Some(_), Some(_)) => "failed",
        };
        Self {
            id: task.id,
            state,
            total: task.total,
            looked_at: task.looked_at,
            done: task.done,
            error: task.error,
            started_at: task.started_at,
            ended_at: task.ended_at,
        }
    }
}

/// Show how far a decision about many is.
#[utoipa::path(get, path = "/v1/connections/{connection}/tasks/{id}", tag = "records",
    responses((status = 200, body = Task)))]
async fn task(
    _: Reader,
    named: Named,
    id: Word,
    _: Params<()>,
    engine: web::Data<Engine>,
) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(Refusal::NotFound, "There is no such task.");
    let id = id.0.parse().map_err(|_| unknown())?;
    let task = engine.task(&named.0, id).map_err(|_| unknown())?;
    Ok(HttpResponse::Ok().json(Task::from(task)))
}
