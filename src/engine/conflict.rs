//! The same changed in QuickBooks and in the application.
//!
//! Four states decide: what QuickBooks took last from us, and what it told then; what we send now,
//! and what it tells now. Only what both sides changed, to different values, needs a person; and only
//! what we send can be lost, so what QuickBooks reckons itself never counts. An address, and the lines
//! of a document, are one thing each: QuickBooks writes them as a whole.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::domain::message_set::Item;
use crate::domain::message_set::MessageSet;
use crate::domain::message_set::Purpose;
use crate::domain::message_set::Subject;
use crate::domain::mirror;
use crate::domain::outcome::Code;
use crate::domain::outcome::Finding;
use crate::domain::record::Record;
use crate::engine::EngineError;
use crate::engine::compose;
use crate::engine::work::Work;
use crate::qbxml::build;
use crate::qbxml::build::Build;
use crate::qbxml::build::Operation;
use crate::qbxml::raw;
use crate::qbxml::raw::Line;
use crate::qbxml::raw::Members;
use crate::qbxml::raw::Reference;
use crate::qbxml::response;

/// Attempts that are looked at for what QuickBooks took last.
const ATTEMPTS: usize = 20;
/// What names an object, and is no field of it.
const NAMES: [&str; 3] = ["ListID", "TxnID", "EditSequence"];
/// Answers above are refusals (OSR, "QBSDK error codes").
const REFUSED: i32 = 1000;

/// What is compared.
#[derive(Debug, Default)]
struct Sides {
    /// What QuickBooks took last from us.
    base: Members,
    /// What it told of the object then, if that is known.
    before: Option<Members>,
    /// What was sent since, of which nobody knows whether QuickBooks took it.
    since: Vec<Members>,
    /// What we send now.
    ours: Members,
    /// What QuickBooks tells now.
    theirs: Members,
}

/// The cause of a finding about what both sides changed.
pub(super) const CHANGED_IN_BOTH: &str = "changed_in_both";

impl Work<'_> {
    /// What both sides changed, if anything; `message_set` brought what QuickBooks has.
    pub(crate) async fn changed_in_both(
        &mut self,
        record: &Record,
        message_set: &MessageSet,
        item: &Item,
    ) -> Result<Option<Finding>, EngineError> {
        let Some(theirs) = self.told_in(message_set, item)? else { return Ok(None) };
        let Some(ours) = self.wanted_of(record).await? else { return Ok(None) };
        let mut sides = Sides { ours, theirs, ..Sides::default() };
        let subject = Subject::Record(record.key.clone());
        let mut is_lost_add = false;
        let store = &self.engine.store;
        for sent in store.message_sets_of(&record.key, ATTEMPTS).await?.iter().rev() {
            let item = sent.items.iter().find(|item| item.subject == subject);
            let written = |item: &&Item| matches!(item.purpose, Purpose::Add | Purpose::Mod);
            let Some(item) = item.filter(written) else { continue };
            let request = response::fragment(sent.qbxml.as_bytes(), &item.request_id);
            let request = raw::members(request.as_deref().unwrap_or_default());
            let code = item.said.as_ref().and_then(|said| said.status_code);
            if code.is_none_or(|code| code >= REFUSED) {
                sides.since.push(request);
                is_lost_add = item.purpose == Purpose::Add && code.is_none();
                continue;
            }
            // A body that is not here any more is not missed.
            sides.before = self.told_in(sent, item).unwrap_or_default();
            let same = |before: &Members| {
                NAMES[..2].iter().all(|id| before.fields.get(*id) == sides.theirs.fields.get(*id))
            };
            if !sides.before.as_ref().is_none_or(same) {
                // It stood at another object then.
                return Ok(None);
            }
            sides.base = request;
            return Ok(sides.finding());
        }
        // Its answer was lost, and it was found in the books.
        let Some(base) = sides.since.pop().filter(|_| is_lost_add) else { return Ok(None) };
        sides.base = base;
        Ok(sides.finding())
    }

    /// The object in an answer.
    fn told_in(
        &self,
        message_set: &MessageSet,
        item: &Item,
    ) -> Result<Option<Members>, EngineError> {
        let Some(body) = &message_set.response else { return Ok(None) };
        let told = response::fragment(self.engine.store.open_body(body)?, &item.request_id);
        let told = told.map(|told| raw::members(&told));
        Ok(told.filter(|told| *told != Members::default()))
    }

    /// What a change of a record would say; `None` if it cannot be written.
    async fn wanted_of(&mut self, record: &Record) -> Result<Option<Members>, EngineError> {
        let places = self.places(record).await?;
        let Some(reference) = &record.reference else { return Ok(None) };
        let built = build::build(&Build {
            kind: &record.key.kind,
            operation: Operation::Mod {
                id: &reference.id,
                edit_sequence: "0",
                lines: &reference.lines,
            },
            data: &record.amended(),
            target: &compose::target(self.state.host.as_ref()),
            request_id: "1",
            resolve: &|source| places.get(source).cloned(),
        });
        Ok(built.ok().map(|built| raw::members(&built.xml)))
    }
}

impl Sides {
    /// The finding about what differs.
    fn finding(&self) -> Option<Finding> {
        let mut rows = self.fields();
        rows.extend(self.references());
        let lines = self.lines();
        let with_lines = lines.is_some();
        rows.extend(lines);
        let (field, our, their) = rows.first()?;
        let mut finding = Finding::new(Code::EditSequenceStale)
            .cause(CHANGED_IN_BOTH)
            .at(format!("/data/{field}"))
            .fact("field", field)
            .fact("value", our)
            .fact("other", their);
        for (field, our, their) in &rows {
            finding = finding.fact(&format!("ours:{field}"), our);
            finding = finding.fact(&format!("theirs:{field}"), their);
        }
        Some(if with_lines { finding.fact(LINES, "changed") } else { finding })
    }

    fn fields(&self) -> Vec<(String, String, String)> {
        let value = |side: &Members, field: &str| {
            side.fields.get(field).map_or("", |text| text.trim()).to_owned()
        };
        let ours_changed = |field: &str| {
            self.ours.fields.contains_key(field)
                && !same(&value(&self.base, field), &value(&self.ours, field))
        };
        let theirs_changed = |field: &str| {
            // What QuickBooks filled in by itself is no change, and without what it told then,
            // nobody can tell.
            let known = self.before.is_some() || self.base.fields.contains_key(field);
            let before = value(self.before.as_ref().unwrap_or(&self.base), field);
            let their = value(&self.theirs, field);
            let sent = self
                .since
                .iter()
                .any(|sent| sent.fields.contains_key(field) && same(&value(sent, field), &their));
            known && !sent && !same(&before, &their)
        };
        let mut differ = BTreeSet::new();
        for field in self.ours.fields.keys().filter(|field| !NAMES.contains(&field.as_str())) {
            let Some(block) = address(field) else {
                if ours_changed(field) && theirs_changed(field) {
                    differ.insert(field.clone());
                }
                continue;
            };
            let inside = |side: &Members| -> BTreeSet<String> {
                let fields = side.fields.keys();
                fields.filter(|it| address(it) == Some(block)).cloned().collect()
            };
            let mut all = inside(&self.ours);
            all.extend(inside(&self.theirs));
            all.extend(self.before.iter().flat_map(inside));
            if all.iter().any(|it| ours_changed(it)) && all.iter().any(|it| theirs_changed(it)) {
                differ.extend(all);
            }
        }
        let rows = differ.into_iter().map(|field| {
            let (our, their) = (value(&self.ours, &field), value(&self.theirs, &field));
            (field, our, their)
        });
        rows.filter(|(_, our, their)| !same(our, their)).collect()
    }

    fn references(&self) -> Vec<(String, String, String)> {
        let nothing = Reference::default();
        let of =
            |side: &Members, field: &str| side.references.get(field).unwrap_or(&nothing).clone();
        let differs = |field: &&String| {
            let (our, their) = (of(&self.ours, field), of(&self.theirs, field));
            let known = self.before.is_some() || self.base.references.contains_key(*field);
            let before = of(self.before.as_ref().unwrap_or(&self.base), field);
            let sent = self.since.iter().any(|sent| one(&of(sent, field), &their));
            known
                && !sent
                && !one(&of(&self.base, field), &our)
                && !one(&before, &their)
                && !one(&our, &their)
        };
        let names = self.names();
        let shown = |it: Reference| {
            let name = it.name.or_else(|| names.get(it.id.as_deref()?).cloned());
            name.or(it.id).unwrap_or_default()
        };
        let fields = self.ours.references.keys().filter(differs);
        let rows = fields.map(|field| {
            (field.clone(), shown(of(&self.ours, field)), shown(of(&self.theirs, field)))
        });
        rows.collect()
    }

    /// The names of what is referred to, by ListID, as far as QuickBooks told them.
    fn names(&self) -> BTreeMap<&str, String> {
        let mut names = BTreeMap::new();
        for side in self.before.iter().chain([&self.theirs]) {
            for it in side.references.values() {
                names.extend(it.id.as_deref().zip(it.name.clone()));
            }
            for line in &side.lines {
                for (path, id) in &line.fields {
                    let Some(path) = path.strip_suffix("/ListID") else { continue };
                    let name = line.fields.get(&format!("{path}/FullName")).cloned();
                    names.extend(name.map(|name| (id.as_str(), name)));
                }
            }
        }
        names
    }

    /// The lines, all as one.
    fn lines(&self) -> Option<(String, String, String)> {
        let first = self.ours.lines.first()?;
        let sent = |sides: &[&Members]| -> BTreeSet<String> {
            let lines = sides.iter().flat_map(|side| &side.lines);
            lines.flat_map(|line| line.fields.keys().cloned()).collect()
        };
        let ours_changed =
            !equal(&self.base.lines, &self.ours.lines, &sent(&[&self.base, &self.ours]));
        let theirs_changed = match &self.before {
            Some(before) => {
                let ids = |lines: &[Line]| -> Vec<Option<String>> {
                    lines.iter().map(|line| line.id.clone()).collect()
                };
                ids(&before.lines) != ids(&self.theirs.lines)
                    || !equal(&before.lines, &self.theirs.lines, &sent(&[&self.base, &self.ours]))
            }
            None => !equal(&self.base.lines, &self.theirs.lines, &sent(&[&self.base])),
        };
        let mut known = self.since.iter().chain([&self.ours]);
        let agrees = known.any(|it| equal(&it.lines, &self.theirs.lines, &sent(&[it])));
        if !ours_changed || !theirs_changed || agrees {
            return None;
        }
        let fields = sent(&[&self.ours]);
        let names = self.names();
        let shown = |side: &Members| {
            let lines = side.lines.iter().map(|line| shown(line, &fields, &names));
            lines.collect::<Vec<_>>().join("; ")
        };
        Some((first.name.clone(), shown(&self.ours), shown(&self.theirs)))
    }
}

/// The fact that lines are among what both changed.
const LINES: &str = "lines";

/// A line in a few words.
fn shown(line: &Line, fields: &BTreeSet<String>, names: &BTreeMap<&str, String>) -> String {
    let sent = line.fields.iter().filter(|(path, _)| fields.contains(*path));
    let words = sent.map(|(path, text)| match names.get(text.as_str()) {
        Some(name) if path.ends_with("/ListID") => name.clone(),
        _ => text.trim().to_owned(),
    });
    words.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whether lines say the same in these fields, one by one.
fn equal(some: &[Line], others: &[Line], fields: &BTreeSet<String>) -> bool {
    let value = |line: &Line, field: &str| line.fields.get(field).cloned().unwrap_or_default();
    some.len() == others.len()
        && some.iter().zip(others).all(|(one, other)| {
            fields.iter().all(|field| same(&value(one, field), &value(other, field)))
        })
}

/// The address that a field is a part of.
fn address(field: &str) -> Option<&str> {
    field.split_once('/').map(|(block, _)| block).filter(|block| block.ends_with("Address"))
}

/// Whether two references are to one element, or both to none.
fn one(some: &Reference, other: &Reference) -> bool {
    if let (Some(some), Some(other)) = (&some.id, &other.id) {
        return some == other;
    }
    match (&some.name, &other.name) {
        (Some(some), Some(other)) => mirror::normal(some) == mirror::normal(other),
        _ => some == other,
    }
}

fn same(a: &str, b: &str) -> bool {
    let number = |text: &str| text.trim().parse::<Decimal>().ok();
    a.trim() == b.trim() || number(a).is_some_and(|a| number(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(inside: &str) -> Members {
        raw::members(&format!("<XRq><X>{inside}</X></XRq>"))
    }

    fn compared(base: &str, before: &str, ours: &str, theirs: &str) -> Option<Finding> {
        let sides = Sides {
            base: members(base),
            before: Some(before).filter(|it| !it.is_empty()).map(members),
            since: Vec::new(),
            ours: members(ours),
            theirs: members(theirs),
        };
        sides.finding()
    }

    /// What is in the finding: the fields, with the values of both.
    #[track_caller]
    fn check(base: &str, before: &str, ours: &str, theirs: &str, wanted: &[(&str, &str, &str)]) {
        let finding = compared(base, before, ours, theirs);
        let facts = finding.map(|finding| finding.facts).unwrap_or_default();
        let fields = facts.iter().filter_map(|(name, our)| {
            let field = name.strip_prefix("ours:")?;
            Some((field, our.as_str(), facts[&format!("theirs:{field}")].as_str()))
        });
        assert_eq!(fields.collect::<Vec<_>>(), wanted, "{base} {before} {ours} {theirs}");
    }

    #[test]
    fn only_what_both_changed_to_different_values_is_a_conflict() {
        let base = "<Phone>1</Phone><Fax>1</Fax><Memo>a</Memo><Rate>1.0</Rate>";
        check(
            base,
            "",
            "<Phone>2</Phone><Fax>1</Fax><Memo>b</Memo><Rate>1.00</Rate>",
            "<Phone>3</Phone><Fax>2</Fax><Memo>b</Memo><Rate>2</Rate>",
            &[("Phone", "2", "3")],
        );
    }

    #[test]
    fn what_one_side_emptied_or_never_had_is_compared() {
        let was = "<Memo>a</Memo>";
        check(was, was, "<Memo>b</Memo>", "<Name>x</Name>", &[("Memo", "b", "")]);
        check(was, was, "<Memo></Memo>", "<Memo>c</Memo>", &[("Memo", "", "c")]);
        let none = "<Name>x</Name>";
        check(none, none, "<Memo>b</Memo>", "<Memo>c</Memo>", &[("Memo", "b", "c")]);
        // What QuickBooks filled in when it made it is no change of anybody.
        check(none, "<Memo>c</Memo>", "<Memo>b</Memo>", "<Memo>c</Memo>", &[]);
        // Nobody knows whether it did.
        check(none, "", "<Memo>b</Memo>", "<Memo>c</Memo>", &[]);
        // What we do not send stays.
        check(was, was, none, "<Memo>c</Memo>", &[]);
    }

    #[test]
    fn an_address_is_one_thing() {
        let is = |addr1: &str, city: &str| {
            format!("<BillAddress><Addr1>{addr1}</Addr1><City>{city}</City></BillAddress>")
        };
        let was = is("1 High Street", "Ulm");
        let (ours, theirs) = (is("1 High Street", "Bonn"), is("2 Low Road", "Ulm"));

        let wanted = [
            ("BillAddress/Addr1", "1 High Street", "2 Low Road"),
            ("BillAddress/City", "Bonn", "Ulm"),
        ];
        check(&was, &was, &ours, &theirs, &wanted);
        check(&was, &was, &was, &theirs, &[]);
        check(&was, &was, &ours, &was, &[]);
        check(&was, &was, &theirs, &theirs, &[]);
    }

    #[test]
    fn a_reference_is_told_by_its_name() {
        let is = |id: &str, name: &str| {
            format!("<TermsRef><ListID>{id}</ListID><FullName>{name}</FullName></TermsRef>")
        };
        let by_id = |id: &str| format!("<TermsRef><ListID>{id}</ListID></TermsRef>");
        let (one, other) = (is("80-1", "Net 15"), is("80-3", "Net 60"));
        let by_name = "<TermsRef><FullName>net 60</FullName></TermsRef>";

        check(
            &by_id("80-1"),
            &one,
            by_name,
            &is("80-4", "Net 90"),
            &[("TermsRef", "net 60", "Net 90")],
        );
        check(&by_id("80-1"), &one, &by_id("80-2"), &other, &[("TermsRef", "80-2", "Net 60")]);
        check(&by_id("80-1"), &one, by_name, &other, &[]);
        check(&by_id("80-1"), &one, &by_id("80-2"), "<Memo>a</Memo>", &[("TermsRef", "80-2", "")]);
    }

    #[test]
    fn lines_are_one_thing_and_what_quickbooks_reckons_is_none_of_it() {
        let line = |end: &str, id: &str, quantity: &str, more: &str| {
            format!(
                "<OrderLine{end}><TxnLineID>{id}</TxnLineID><ItemRef><ListID>80-1</ListID>{}\
                 </ItemRef><Quantity>{quantity}</Quantity>{more}</OrderLine{end}>",
                if end == "Ret" { "<FullName>Labor</FullName>" } else { "" },
            )
        };
        let base = line("Add", "", "1", "");
        let before = line("Ret", "9", "1", "<Amount>50</Amount><Invoiced>0</Invoiced>");
        let ours = line("Mod", "9", "2", "");
        let invoiced = line("Ret", "9", "1", "<Amount>50</Amount><Invoiced>1</Invoiced>");
        let edited = line("Ret", "9", "3", "<Amount>150</Amount><Invoiced>0</Invoiced>");
        let two = format!("{before}{}", line("Ret", "10", "7", ""));

        check(&base, &before, &ours, &invoiced, &[]);
        check(&base, &before, &ours, &edited, &[("OrderLine", "Labor 2", "Labor 3")]);
        check(&base, &before, &ours, &two, &[("OrderLine", "Labor 2", "Labor 1; Labor 7")]);
        check(&base, "", &ours, &edited, &[("OrderLine", "Labor 2", "Labor 3")]);
        check(&base, &before, &base, &edited, &[]);
        check(&base, &before, &line("Mod", "9", "3.0", ""), &edited, &[]);
        assert!(compared(&base, &before, &ours, &edited).unwrap().facts.contains_key(LINES));
    }

    #[test]
    fn what_we_sent_ourselves_and_nobody_confirmed_is_none_of_theirs() {
        let is = |text: &str| members(&format!("<Memo>{text}</Memo>"));
        let sides = |since: Vec<Members>| Sides {
            base: is("a"),
            before: Some(is("a")),
            since,
            ours: is("c"),
            theirs: is("b"),
        };

        assert!(sides(vec![is("b")]).finding().is_none());
        assert!(sides(Vec::new()).finding().is_some());
    }
}
