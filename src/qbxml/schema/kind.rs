//! What can be done with an object of a kind: add, change, ask, delete, void.

use std::sync::Arc;

use super::element::Element;
use super::element::Message;
use super::element::Particle;
use super::element::Shape;
use super::element::ValueType;

/// How QuickBooks names an object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Identity {
    /// An element of a list, with a `ListID`.
    List,
    /// A transaction, with a `TxnID`.
    Transaction,
    /// Neither: what is added has no id of its own (`DataExt`, `ListDisplay`, …).
    Nothing,
}

impl Identity {
    /// The element that carries the id.
    pub const fn element(self) -> Option<&'static str> {
        match self {
            Self::List => Some("ListID"),
            Self::Transaction => Some("TxnID"),
            Self::Nothing => None,
        }
    }
}

/// An object name of qbXML that has an `…AddRq`.
#[derive(Debug)]
pub struct Kind {
    /// Its name: `Customer`, `Invoice`.
    pub name: &'static str,
    /// How QuickBooks names its objects.
    pub identity: Identity,
    /// `…AddRq`.
    pub add: Arc<Message>,
    /// `…ModRq`, if there is one.
    pub modify: Option<Arc<Message>>,
    /// The query that finds one object by its id, if there is one.
    pub query: Option<Arc<Message>>,
    /// The element of an answer that carries the object, such as `CustomerRet`; empty if none does.
    pub ret: &'static str,
    /// Its name in `ListDelType` or `TxnDelType`, if it can be deleted.
    pub delete_type: Option<&'static str>,
    /// Its name in `TxnVoidType`, if it can be voided.
    pub void_type: Option<&'static str>,
    /// Its lines, without `Add` or `Mod`: elements that come back with a `TxnLineID`.
    pub lines: Vec<&'static str>,
}

impl Kind {
    /// The aggregate of a message that `data` stands for, such as `CustomerAdd`. The two requests
    /// that open a window (`ListDisplayAddRq`, `TxnDisplayAddRq`) have none.
    pub fn body(message: &Message) -> Option<&Element> {
        let name = message.name.strip_suffix("Rq")?;
        message.shape.element(name).filter(|element| element.shape().is_some())
    }

    /// What `data` is composed against: the content of [`Kind::body`], or of the message.
    pub fn shape(message: &Message) -> &Arc<Shape> {
        Self::body(message).and_then(Element::shape).unwrap_or(&message.shape)
    }

    pub(super) fn new(
        add: &Arc<Message>,
        find: &dyn Fn(&str) -> Option<Arc<Message>>,
    ) -> Option<Self> {
        let name = add.name.strip_suffix("AddRq")?;
        let answered = match name {
            // Both answer as what they make.
            "SpecialAccount" => "Account",
            "SpecialItem" => "Item",
            name => name,
        };
        let response = find(&format!("{name}AddRs"))?;
        let ret = response.shape.elements().find(|element| element.name.ends_with("Ret"));
        let fields = ret.and_then(Element::shape);
        let has = |field| fields.is_some_and(|shape| shape.element(field).is_some());
        let identity = if has("ListID") {
            Identity::List
        } else if has("TxnID") {
            Identity::Transaction
        } else {
            Identity::Nothing
        };
        let listed = |message: &str, field: &str| -> Option<&'static str> {
            let message = find(message)?;
            match message.shape.element(field)?.value()? {
                ValueType::Enum(values) => values.iter().copied().find(|&value| value == answered),
                _ => None,
            }
        };
        let (delete_type, void_type) = match identity {
            Identity::List => (listed("ListDelRq", "ListDelType"), None),
            Identity::Transaction => {
                (listed("TxnDelRq", "TxnDelType"), listed("TxnVoidRq", "TxnVoidType"))
            }
            Identity::Nothing => (None, None),
        };
        Some(Self {
            name,
            identity,
            add: Arc::clone(add),
            modify: find(&format!("{name}ModRq")),
            query: find(&format!("{answered}QueryRq")),
            ret: ret.map_or("", |ret| ret.name),
            delete_type,
            void_type,
            lines: fields.map(|shape| lines(shape)).unwrap_or_default(),
        })
    }
}

fn lines(ret: &Shape) -> Vec<&'static str> {
    let is_line = |element: &&Element| {
        element.shape().is_some_and(|shape| {
            matches!(shape.particles.first(),
                Some(Particle::Element(first)) if first.name == "TxnLineID")
        })
    };
    ret.elements()
        .filter(is_line)
        .map(|element| element.name.strip_suffix("Ret").unwrap_or(element.name))
        .collect()
}
