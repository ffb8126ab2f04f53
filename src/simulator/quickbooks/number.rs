//! Numbers of the books: five decimals, no floats.
//!
//! Amounts are printed with two decimals, rates and quantities with as many as they need (at most
//! five), as QuickBooks does.

use std::ops::Add;
use std::ops::AddAssign;
use std::ops::Neg;
use std::ops::Sub;
use std::ops::SubAssign;

/// How many parts a whole has.
const ONE: i128 = 100_000;

/// A number with five decimals.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Number(i128);

impl Number {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole.
    pub const ONE: Self = Self(ONE);

    /// Reads `[+-]digits[.digits]`, at most `whole` digits before and `decimals` (up to five) after
    /// the point. An empty text is nothing.
    pub fn parse(text: &str, whole: usize, decimals: &[usize]) -> Option<Self> {
        let (sign, digits) = match text.as_bytes().first() {
            Some(b'-') => (-1, &text[1..]),
            Some(b'+') => (1, &text[1..]),
            _ => (1, text),
        };
        let (before, after) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if before.is_empty() || before.len() > whole || !all_digits(before) {
            return None;
        }
        let after = after.map_or(Some(""), |part| (!part.is_empty()).then_some(part))?;
        if !decimals.contains(&after.len()) || !all_digits(after) {
            return None;
        }
        let parts: i128 = format!("{before}{after:0<5}").parse().ok()?;
        Some(Self(sign * parts))
    }

    /// Reads what the books hold themselves; what cannot be read is nothing.
    pub fn of(text: &str) -> Self {
        Self::parse(text, 20, &[0, 1, 2, 3, 4, 5]).unwrap_or_default()
    }

    /// Rounds to cents, half away from zero.
    #[must_use]
    pub fn cents(self) -> Self {
        Self(round(self.0, 1_000) * 1_000)
    }

    /// The product, rounded to five decimals.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self(round(self.0 * other.0, ONE))
    }

    /// The quotient, rounded to five decimals; nothing if divided by nothing.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        if other.0 == 0 {
            Self::ZERO
        } else {
            Self(round(self.0 * ONE * other.0.signum(), other.0.abs()))
        }
    }

    /// That many hundredths of it.
    #[must_use]
    pub fn percent(self, percent: Self) -> Self {
        Self(round(self.0 * percent.0, ONE * 100))
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// With two decimals: `-12.50`.
    pub fn amount(self) -> String {
        let cents = round(self.0, 1_000);
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    }

    /// With as many decimals as it needs.
    pub fn plain(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:05}", self.0.abs() / ONE, self.0.abs() % ONE);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// As a price: at least two decimals.
    pub fn price(self) -> String {
        if self.0 % 1_000 == 0 { self.amount() } else { self.plain() }
    }
}

/// Divides and rounds half away from zero.
fn round(value: i128, by: i128) -> i128 {
    (value.abs() + by / 2) / by * value.signum()
}

impl Add for Number {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Number {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Number {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Number {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Number {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl std::iter::Sum for Number {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, number| sum + number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_half_away_from_zero() {
        assert_eq!(Number::of("2.5").times(Number::of("1.01")).amount(), "2.53");
        assert_eq!(Number::of("-0.005").amount(), "-0.01");
        assert_eq!(Number::of("100").percent(Number::of("7.75")).amount(), "7.75");
        assert_eq!(Number::of("10").over(Number::of("3")).plain(), "3.33333");
        assert_eq!(Number::of("10").over(Number::of("-4")).plain(), "-2.5");
    }

    #[test]
    fn an_amount_has_two_decimals_or_none() {
        assert!(Number::parse("97.5", 13, &[0, 2]).is_none());
        assert!(Number::parse("97.", 13, &[0, 2]).is_none());
        assert!(Number::parse("", 13, &[0, 2]).is_none());
        assert_eq!(Number::parse("-97.50", 13, &[0, 2]), Some(Number::of("-97.5")));
    }
}
