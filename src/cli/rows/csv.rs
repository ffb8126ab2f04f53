//! Records as CSV: the columns of a record, and paths into its `data`.
//!
//! `kind`, `sourceId`, `posted`, `priority`, `dependsOn` and `onDuplicate` are the record's own; any
//! other column is a path into `data`, such as `Name`, `BillAddress.City` or
//! `InvoiceLine[0].Quantity` (with or without `data.` before it). An empty cell says nothing.
//! Values are texts, as the API takes them. `docs/cli.md` says the same to users.

use std::io::BufRead;
use std::io::Read;

use anyhow::Context as _;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::LONGEST;
use super::Row;
use super::Take;
use super::Unreadable;
use super::quotes::Seen;
use super::quotes::Watched;
use crate::cli::failure::Failure;

/// The highest index in a path: far above the lines of any transaction.
const MAX_INDEX: usize = 9_999;

/// One step of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    /// A member of an object.
    Name(String),
    /// An element of an array.
    Index(usize),
}

/// What a column says.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Column {
    /// `kind` or `sourceId`: as it is.
    Text(&'static str),
    /// `posted`.
    Posted,
    /// `priority`.
    Priority,
    /// `dependsOn`: several, separated by `;`.
    DependsOn,
    /// `onDuplicate`.
    OnDuplicate,
    /// A place in `data`.
    Data(Vec<Step>),
}

/// Reads the header, then a record a line.
pub(super) fn each(
    name: &str,
    reader: Box<dyn BufRead>,
    kind: Option<&str>,
    take: Take<'_>,
) -> anyhow::Result<()> {
    let mut lines =
        csv::ReaderBuilder::new().flexible(true).from_reader(Watched::new(reader, LONGEST));
    let header = lines.headers().with_context(|| format!("{name}: the header"))?.clone();
    if let Some((line, why)) = seen(&mut lines).wrong {
        return Err(Failure::Usage(format!("{name}:{line}: {why}")).into());
    }
    let columns = columns(name, &header, kind.is_some())?;
    let mut cells = csv::StringRecord::new();
    loop {
        let read = lines.read_record(&mut cells);
        let Seen { line, wrong } = seen(&mut lines);
        let unreadable = |why: String| {
            let (kind, source_id) = name_of(&columns, &cells, kind);
            Unreadable { kind, source_id, pointer: String::new(), why }
        };
        let (line, content) = match (read, wrong) {
            (Ok(false), _) => return Ok(()),
            (Err(error), _) if error.is_io_error() => {
                return Err(error).with_context(|| format!("{name}:{line}"));
            }
            (_, Some((line, why))) => (line, Err(unreadable(why))),
            (Ok(true), None) => (line, object(&columns, &cells, kind)),
            (Err(_), None) => {
                (line, Err(unreadable("the row is no UTF-8; save the file as UTF-8".to_owned())))
            }
        };
        let content = content.map(|object| Value::Object(object).to_string().into_bytes());
        take(Row { place: format!("{name}:{line}"), line, content })?;
    }
}

/// What was seen of the row that was read last.
fn seen<R: Read>(lines: &mut csv::Reader<Watched<R>>) -> Seen {
    let end = lines.position().byte();
    lines.get_mut().row_before(end)
}

/// Kind and source id of a row, as far as they can be read.
fn name_of(
    columns: &[(String, Column)],
    cells: &csv::StringRecord,
    kind: Option<&str>,
) -> (String, String) {
    let cell = |member: &str| {
        let of_member = columns.iter().position(|(title, _)| title == member);
        let text = of_member.and_then(|at| cells.get(at)).unwrap_or_default();
        if text.contains(char::is_control) { String::new() } else { text.to_owned() }
    };
    (kind.map_or_else(|| cell("kind"), str::to_owned), cell("sourceId"))
}

fn columns(
    name: &str,
    header: &csv::StringRecord,
    has_kind: bool,
) -> anyhow::Result<Vec<(String, Column)>> {
    let wrong = |text: String| Failure::Usage(format!("{name}: {text}"));
    let mut columns: Vec<(String, Column)> = Vec::new();
    for title in header {
        let title = title.trim();
        let column = match title {
            "kind" => Column::Text("kind"),
            "sourceId" => Column::Text("sourceId"),
            "posted" => Column::Posted,
            "priority" => Column::Priority,
            "dependsOn" => Column::DependsOn,
            "onDuplicate" => Column::OnDuplicate,
            path => Column::Data(
                steps(path.strip_prefix("data.").unwrap_or(path))
                    .map_err(|why| wrong(format!("column {title:?}: {why}")))?,
            ),
        };
        for (other, known) in &columns {
            if let Some(why) = clash(known, &column) {
                return Err(wrong(format!("column {title:?} {why} column {other:?}")).into());
            }
        }
        columns.push((title.to_owned(), column));
    }
    for (needed, known) in [("sourceId", false), ("kind", has_kind)] {
        if !known && !columns.iter().any(|(title, _)| title == needed) {
            let separator = columns.first().and_then(|(title, _)| title.find([';', '\t']));
            let more = match (separator, needed) {
                (Some(_), _) => "; its columns are not separated by commas",
                (None, "kind") => ", and --kind does not say it",
                _ => "",
            };
            return Err(wrong(format!("the header has no column {needed}{more}")).into());
        }
    }
    Ok(columns)
}

/// Why two columns cannot stand in one header.
fn clash(one: &Column, other: &Column) -> Option<&'static str> {
    let (Column::Data(a), Column::Data(b)) = (one, other) else {
        return (one == other).then_some("is the same as");
    };
    for (x, y) in a.iter().zip(b) {
        match (x, y) {
            (x, y) if x == y => {}
            (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => {
                return Some("cannot stand beside");
            }
            _ => return None,
        }
    }
    if a.len() == b.len() { Some("is the same as") } else { Some("cannot stand beside") }
}

/// `InvoiceLine[0].Quantity` in steps.
fn steps(path: &str) -> Result<Vec<Step>, &'static str> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut rest) = match part.find('[') {
            Some(at) => part.split_at(at),
            None => (part, ""),
        };
        if name.is_empty() || name.contains(']') {
            return Err("a path is names with dots between them, such as BillAddress.City");
        }
        steps.push(Step::Name(name.to_owned()));
        while !rest.is_empty() {
            let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let (digits, after) =
                inner.ok_or("an index is written as in InvoiceLine[0].Quantity")?;
            let index = digits.parse().ok().filter(|index| *index <= MAX_INDEX);
            steps.push(Step::Index(index.ok_or("an index is a number from 0 to 9999")?));
            rest = after;
        }
    }
    Ok(steps)
}

/// One line as the object that the API takes.
fn object(
    columns: &[(String, Column)],
    line: &csv::StringRecord,
    kind: Option<&str>,
) -> Result<Map<String, Value>, Unreadable> {
    let unreadable = |pointer: String, why: String| {
        let (kind, source_id) = name_of(columns, line, kind);
        Unreadable { kind, source_id, pointer, why }
    };
    if line.len() > columns.len() {
        let why = format!("the line has {} cells; the header has {}", line.len(), columns.len());
        return Err(unreadable(String::new(), why));
    }
    let mut object = Map::new();
    if let Some(kind) = kind {
        object.insert("kind".to_owned(), json!(kind));
    }
    let mut data = json!({});
    for ((title, column), cell) in columns.iter().zip(line) {
        if cell.is_empty() {
            continue;
        }
        let wrong = |why: &str| unreadable(format!("/{title}"), format!("{cell:?} {why}"));
        let (member, value) = match column {
            Column::Data(steps) => {
                put(&mut data, steps, cell);
                continue;
            }
            Column::Text(member) => (*member, json!(cell)),
            Column::Posted => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => ("posted", json!(true)),
                "false" | "no" | "0" => ("posted", json!(false)),
                _ => return Err(wrong("is neither true nor false")),
            },
            Column::Priority => {
                let number: i32 = cell.trim().parse().map_err(|_| wrong("is no whole number"))?;
                ("priority", json!(number))
            }
            Column::DependsOn => {
                let others: Vec<_> =
                    cell.split(';').map(str::trim).filter(|other| !other.is_empty()).collect();
                ("dependsOn", json!(others))
            }
            Column::OnDuplicate => ("onDuplicate", json!(cell)),
        };
        object.insert(member.to_owned(), value);
    }
    drop_gaps(&mut data);
    object.insert("data".to_owned(), data);
    Ok(object)
}

/// Sets the value at a path, making what is on the way. The header saw that no two paths clash.
fn put(place: &mut Value, steps: &[Step], cell: &str) {
    let Some((step, rest)) = steps.split_first() else {
        *place = json!(cell);
        return;
    };
    match step {
        Step::Name(name) => {
            if !place.is_object() {
                *place = json!({});
            }
            if let Value::Object(members) = place {
                put(members.entry(name.clone()).or_insert(Value::Null), rest, cell);
            }
        }
        Step::Index(index) => {
            if !place.is_array() {
                *place = json!([]);
            }
            if let Value::Array(elements) = place {
                if elements.len() <= *index {
                    elements.resize(*index + 1, Value::Null);
                }
                put(&mut elements[*index], rest, cell);
            }
        }
    }
}

/// Lines whose cells are all empty are not there: an invoice of two lines in a file made for five.
fn drop_gaps(value: &mut Value) {
    match value {
        Value::Array(elements) => {
            elements.retain(|element| !element.is_null());
            elements.iter_mut().for_each(drop_gaps);
        }
        Value::Object(members) => members.values_mut().for_each(drop_gaps),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::rows::tests::read;

    #[test]
    fn columns_are_paths_into_data() {
        let rows = read(
            "a.csv",
            "kind,sourceId,posted,priority,dependsOn,data.Name,BillAddress.City,\
             InvoiceLine[0].Quantity,InvoiceLine[1].Quantity,InvoiceLine[1].#id\n\
             Invoice,I-1,no,5,Customer/1; Customer/2,\"A, \"\"B\"\"\",Bern,,2,L2\n",
        );

        assert_eq!(
            rows.unwrap(),
            [concat!(
                r#"a.csv:2 {"kind":"Invoice","sourceId":"I-1","posted":false,"priority":5,"#,
                r#""dependsOn":["Customer/1","Customer/2"],"data":{"Name":"A, \"B\"","#,
                r##""BillAddress":{"City":"Bern"},"InvoiceLine":[{"Quantity":"2","#id":"L2"}]}}"##,
            )]
        );
    }

    #[test]
    fn a_bad_line_does_not_stop_the_others() {
        let rows = read(
            "a.csv",
            "kind,sourceId,posted,Name\nCustomer,1,maybe,A\nCustomer,2,,\"B\nC\",x\nCustomer,3,,D\n",
        );

        let rows = rows.unwrap();
        assert_eq!(rows[..2], ["a.csv:2 !/posted", "a.csv:3 !"]);
        assert!(rows[2].starts_with("a.csv:5 {"), "{}", rows[2]);
    }

    #[test]
    fn a_quote_that_is_not_closed_does_not_swallow_the_rows_after_it() {
        let header = "kind,sourceId,Name\n";

        let rows = read("a.csv", &format!("{header}Customer,1,\"A\nCustomer,2,B\nCustomer,3,C\n"));
        assert_eq!(rows.unwrap(), ["a.csv:2 !"]);

        let rows =
            read("a.csv", &format!("{header}Customer,1,\"A\nCustomer,2,\"B\"\nCustomer,3,C\n"));
        let rows = rows.unwrap();
        assert_eq!(rows[0], "a.csv:2 !");
        assert!(rows[1].starts_with("a.csv:4 {"), "{}", rows[1]);
        assert_eq!(rows.len(), 2);

        let header = read("a.csv", "kind,\"sourceId,Name\nCustomer,1,A\n").unwrap_err();
        assert_eq!(header, "a.csv:1: the quote that begins here is not closed");
    }

    #[test]
    fn a_row_without_an_end_is_not_read_whole() {
        let text = format!("kind,sourceId,Name\nCustomer,1,\"{}", "x\n".repeat(5 << 20));

        let error = read("a.csv", &text).unwrap_err();

        assert!(error.starts_with("a.csv:2: the row has more than 8388608 bytes"), "{error}");
    }

    #[test]
    fn lines_are_counted_whatever_their_ends_and_however_many_a_row_has() {
        for end in ["\n", "\r\n"] {
            let text = format!(
                "kind,sourceId,Name{end}{end}Customer,1,\"A{end}B, \"\"C\"\"\"{end}{end}Customer,2,\"\"{end}"
            );
            let rows = read("a.csv", &text).unwrap();

            assert!(rows[0].starts_with("a.csv:3 {"), "{}", rows[0]);
            assert!(rows[1].starts_with("a.csv:6 {"), "{}", rows[1]);
        }
    }

    #[test]
    fn a_bad_header_names_the_column() {
        for (header, part) in [
            ("kind,Name", "no column sourceId"),
            ("sourceId,Name", "no column kind"),
            ("kind,sourceId,Name,data.Name", "\"data.Name\" is the same as column \"Name\""),
            ("kind,sourceId,A.B,A", "\"A\" cannot stand beside column \"A.B\""),
            ("kind,sourceId,A[0],A.B", "\"A.B\" cannot stand beside column \"A[0]\""),
            ("kind,sourceId,A[x]", "column \"A[x]\": an index is a number"),
            ("kind,sourceId,A[1", "column \"A[1\": an index is written"),
            ("kind,sourceId,A..B", "column \"A..B\": a path is names"),
            ("kind,sourceId,", "column \"\": a path is names"),
            ("kind,sourceId,A[99999]", "0 to 9999"),
        ] {
            let error = read("a.csv", &format!("{header}\n1,2,3,4\n")).unwrap_err();
            assert!(error.starts_with("a.csv: ") && error.contains(part), "{header}: {error}");
        }
    }
}
