//! An amount of money: whole minor units of one currency, never a floating-point number, never added to another
//! currency. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most minor units of one amount: what every JSON reader keeps exactly (2^53 − 1).
pub const MOST: i64 = 9_007_199_254_740_991;

/// An amount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount_minor": 125000, "currency": "USD"}))]
pub struct Money {
    /// Whole minor units as ISO 4217 defines them: cents of USD and PEN, yen of JPY. 125000 of USD are 1,250 dollars.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
    /// Currency (ISO 4217).
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// The currencies in use (ISO 4217, 2025; fund and metal codes left out), in order.
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD \
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON \
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
    USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// Whether a code is a currency in use.
pub fn currency_known(code: &str) -> bool {
    code.len() == 3 && CURRENCIES.split_whitespace().any(|known| known == code)
}

/// Sums by key, each in one currency. What would leave the range of a JSON number is told as no sum at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums<K: Ord>(BTreeMap<(K, String), Option<i64>>);

impl<K: Ord> Default for Sums<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Sums<K> {
    /// One amount more.
    pub fn add(&mut self, key: K, money: &Money) {
        let sum = self.0.entry((key, money.currency.clone())).or_insert(Some(0));
        *sum = sum.and_then(|s| s.checked_add(money.amount_minor)).filter(|s| *s <= MOST);
    }

    /// The sums in order: key, currency, amount. None in place of the amount where it is too large to be told.
    pub fn into_rows(self) -> impl Iterator<Item = (K, String, Option<i64>)> {
        self.0.into_iter().map(|((key, currency), sum)| (key, currency, sum))
    }

    /// The sum of a key in a currency.
    pub fn of(&self, key: &K, currency: &str) -> Option<i64> {
        self.0.get(&(key.clone(), currency.to_owned())).copied().unwrap_or(Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount_minor: i64, currency: &str) -> Money {
        Money { amount_minor, currency: currency.to_owned() }
    }

    #[test]
    fn the_currencies_stand_in_order_and_the_usual_ones_are_there() {
        let all: Vec<&str> = CURRENCIES.split_whitespace().collect();
        assert!(all.is_sorted() && all.len() > 150);
        assert!(["PEN", "USD", "CAD", "EUR", "JPY"].iter().all(|c| currency_known(c)));
        assert!(["", "US", "usd", "XXX", "XAU", "USD CAD"].iter().all(|c| !currency_known(c)));
    }

    #[test]
    fn a_sum_that_no_json_number_can_hold_is_told_as_none() {
        let mut sums = Sums::default();
        sums.add("CA", &money(MOST, "CAD"));
        assert_eq!(sums.of(&"CA", "CAD"), Some(MOST));
        sums.add("CA", &money(1, "CAD"));
        sums.add("CA", &money(1, "CAD"));
        assert_eq!(sums.of(&"CA", "CAD"), None, "and it never comes back as a smaller number");
    }

    proptest! {
        #[test]
        fn sums_never_cross_currencies_and_do_not_depend_on_the_order(
            amounts in prop::collection::vec((0i64..1_000_000_000_000, 0usize..3, 0usize..2), 0..60),
        ) {
            let (currencies, donors) = (["CAD", "PEN", "USD"], ["CA", "INT-IOM"]);
            let add = |items: &[(i64, usize, usize)]| {
                let mut sums = Sums::default();
                items.iter().for_each(|(n, c, d)| sums.add(donors[*d], &money(*n, currencies[*c])));
                sums
            };
            let mut backwards = amounts.clone();
            backwards.reverse();
            let sums = add(&amounts);
            prop_assert_eq!(&sums, &add(&backwards));
            for (d, donor) in donors.iter().enumerate() {
                for (c, currency) in currencies.iter().enumerate() {
                    let whole: i64 = amounts.iter().filter(|(_, x, y)| *x == c && *y == d).map(|(n, ..)| n).sum();
                    prop_assert_eq!(sums.of(donor, currency), Some(whole));
                }
            }
        }
    }
}
