//! Query parameters that the programmes share.

use crate::http::query::Params;
use crate::kernel::FaultCode;
use crate::kernel::time::YEARS;

/// The years that a list is asked for, both included: `year`, or `year_from` and `year_to`; none if it names no year.
pub fn years(params: &mut Params) -> Option<(i16, i16)> {
    let (one, from, to) = (year(params, "year"), year(params, "year_from"), year(params, "year_to"));
    if one.is_some() && (from.is_some() || to.is_some()) {
        params.fault("year", FaultCode::CrossField);
    }
    if from.is_some_and(|from| to.is_some_and(|to| to < from)) {
        params.fault("year_to", FaultCode::DateOrder);
    }
    if one.is_none() && from.is_none() && to.is_none() {
        return None;
    }
    Some((one.or(from).unwrap_or(i16::MIN), one.or(to).unwrap_or(i16::MAX)))
}

/// One year.
pub fn year(params: &mut Params, name: &str) -> Option<i16> {
    params.read(name, |text| text.parse().ok().filter(|year: &i16| YEARS.contains(&i32::from(*year))))
}
