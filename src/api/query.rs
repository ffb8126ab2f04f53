//! Query parameters: each is known, stands once, and says what is wrong with it by its name.

use std::future::Ready;
use std::future::ready;

use actix_web::FromRequest;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::web;

use crate::api::problem::Problem;
use crate::api::refusal::Refusal;

/// The parameters of a call, as they are taken one by one.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
}

/// Parameters of one kind of call.
pub(super) trait Parameters: Sized {
    /// Takes its own.
    fn take(query: &mut Query) -> Result<Self, Problem>;
}

/// No parameters at all.
impl Parameters for () {
    fn take(_: &mut Query) -> Result<Self, Problem> {
        Ok(())
    }
}

/// The parameters of a call; any other is refused.
pub(super) struct Params<T>(pub(super) T);

impl<T: Parameters> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self))
    }
}

/// Reads a whole query string.
fn read<T: Parameters>(text: &str) -> Result<T, Problem> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
        .map_err(|why| Problem::new(Refusal::InvalidParameter, format!("The query: {why}.")))?
        .into_inner();
    let mut query = Query { pairs, known: Vec::new() };
    let taken = T::take(&mut query)?;
    query.finish()?;
    Ok(taken)
}

impl Query {
    /// Takes the text of a parameter; an empty one is one that is not there.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        self.known.push(name);
        let at = |pairs: &[(String, String)]| pairs.iter().position(|(key, _)| key == name);
        let Some(found) = at(&self.pairs) else { return Ok(None) };
        let (_, value) = self.pairs.swap_remove(found);
        if at(&self.pairs).is_some() {
            return Err(wrong(name, "is given more than once"));
        }
        Ok((!value.is_empty()).then_some(value))
    }

    /// Takes a whole number within bounds.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => Ok(Some(number)),
            _ => {
                let (low, high) = bounds.into_inner();
                Err(wrong(name, &format!("must be a whole number from {low} to {high}")))
            }
        }
    }

    /// Takes one of several words.
    pub(super) fn word<T>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, Problem>
    where
        T: Copy,
    {
        let Some(text) = self.text(name)? else { return Ok(None) };
        one_of(name, &text, words).map(Some)
    }

    fn finish(self) -> Result<(), Problem> {
        let Some((name, _)) = self.pairs.first() else { return Ok(()) };
        let name: String = name.chars().take(80).collect();
        let detail = match nearest(&name, self.known.iter().copied()) {
            Some(nearest) => {
                format!("There is no parameter {name:?} here; did you mean {nearest}?")
            }
            None if self.known.is_empty() => format!("There is no parameter {name:?} here."),
            None => {
                format!("There is no parameter {name:?} here; there are {}.", self.known.join(", "))
            }
        };
        Err(Problem::new(Refusal::InvalidParameter, detail))
    }
}

/// The value of a word.
pub(super) fn one_of<T: Copy>(
    name: &str,
    text: &str,
    words: &[(&'static str, T)],
) -> Result<T, Problem> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let all = words.iter().map(|(word, _)| *word);
    Err(match nearest(text, all.clone()) {
        Some(nearest) => {
            wrong(name, &format!("has no value of this name; did you mean {nearest}?"))
        }
        None => wrong(name, &format!("must be one of {}", all.collect::<Vec<_>>().join(", "))),
    })
}

/// A parameter that cannot be used, and why.
pub(super) fn wrong(name: &str, why: &str) -> Problem {
    let end = if why.ends_with('?') { "" } else { "." };
    Problem::new(Refusal::InvalidParameter, format!("{name} {why}{end}"))
}

/// The name that was probably meant.
pub(super) fn nearest<'a>(name: &str, all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |one: &str| strsim::damerau_levenshtein(&name, &one.to_lowercase());
    all.map(|one| (distance(one), one))
        .filter(|(distance, one)| *distance <= one.len() / 3 + 1 && *distance < one.len())
        .min()
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    struct Two {
        limit: Option<u64>,
        status: Option<u8>,
    }

    impl Parameters for Two {
        fn take(query: &mut Query) -> Result<Self, Problem> {
            let limit = query.number("limit", 1..=500)?;
            let status = query.word("status", &[("failed", 1), ("queued", 2)])?;
            Ok(Self { limit, status })
        }
    }

    #[test]
    fn known_parameters_are_read() {
        let two: Two = read("status=failed&limit=7").unwrap();
        assert_eq!((two.limit, two.status), (Some(7), Some(1)));

        let none: Two = read("limit=&&status=").unwrap();
        assert_eq!((none.limit, none.status), (None, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |query: &str, expected: &str| {
            let problem = read::<Two>(query).err().unwrap();
            assert_eq!(problem.status_code().as_u16(), 400, "{query}");
            assert!(problem.to_string().contains(expected), "{query}: {problem}");
        };
        check("limit=0", "limit must be a whole number from 1 to 500.");
        check("limit=501", "limit");
        check("limit=abc", "limit");
        check("limit=-1", "limit");
        check("limit=99999999999999999999999", "limit");
        check("limit=1&limit=2", "limit is given more than once.");
        check("status=faild", "did you mean failed?");
        check("status=x", "must be one of failed, queued.");
        check("statsu=failed", "\"statsu\" here; did you mean status?");
        check("x=1", "there are limit, status.");
        check("%00=1", "parameter");
    }
}
