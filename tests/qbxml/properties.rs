//! Whatever an application puts into `data`: an answer with a place, never a panic, never bad XML.

use bookbridge::qbxml::build::Build;
use bookbridge::qbxml::build::Operation;
use bookbridge::qbxml::build::build;
use bookbridge::qbxml::check::check;
use bookbridge::qbxml::raw;
use bookbridge::qbxml::schema::schema;
use bookbridge::qbxml::version::Target;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|it| json!(it)),
        ".{0,60}".prop_map(Value::from),
        Just(json!({"source": "Customer/1"})),
        Just(json!("2026-02-28")),
        Just(json!("1.5")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names of the schema, mostly.
fn name() -> impl Strategy<Value = String> {
    let known = [
        "Name",
        "CustomerRef",
        "ListID",
        "FullName",
        "InvoiceLine",
        "InvoiceLineAdd",
        "Lines",
        "ItemRef",
        "Quantity",
        "Rate",
        "Amount",
        "Desc",
        "TxnDate",
        "BillAddress",
        "Addr1",
        "RefNumber",
        "#id",
        "@defMacro",
        "source",
        "AppliedToTxn",
        "TxnID",
        "PaymentAmount",
        "DataExt",
        "OwnerID",
        "Phone",
    ];
    prop_oneof![8 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn kind() -> impl Strategy<Value = &'static str> {
    let all: Vec<_> = schema().kinds().map(|kind| kind.name).collect();
    prop::sample::select(all)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_data_is_checked_or_built(kind in kind(), data in any_json()) {
        let target = Target::default();
        let findings = check(kind, &data, &target);
        for finding in &findings {
            let placed = finding.pointer.is_empty() || finding.pointer.starts_with("/data");
            prop_assert!(placed, "{finding:?}");
        }

        let resolve = |_: &str| Some(bookbridge::qbxml::build::Resolved::Id("80-1".to_owned()));
        let built = build(&Build {
            kind, operation: Operation::Add, data: &data, target: &target, request_id: "1", resolve: &resolve,
        });

        // What the checks let pass is written, and QuickBooks can read it.
        if findings.is_empty() {
            prop_assert!(built.is_ok(), "{built:?}");
        }
        if let Ok(built) = built {
            prop_assert!(built.xml.is_ascii());
            let read = raw::check_xml(&built.xml, &target);
            prop_assert!(read.is_ok(), "{read:?}\n{}", built.xml);
        }
    }

    #[test]
    fn any_text_is_a_request_or_refused_with_its_place(text in "(<|>|/|&|\"|'|=|[A-Za-z ]|\\PC){0,200}") {
        if let Err(findings) = raw::check_xml(&text, &Target::default()) {
            prop_assert!(!findings.is_empty());
        }
    }

    #[test]
    fn any_json_request_is_built_or_refused(data in any_json()) {
        for name in ["CustomerQueryRq", "InvoiceAddRq", "GeneralSummaryReportQueryRq"] {
            if let Ok(raw) = raw::build(name, &data, &Target::default()) {
                prop_assert!(raw::check_xml(&raw.xml, &Target::default()).is_ok(), "{}", raw.xml);
            }
        }
    }
}
