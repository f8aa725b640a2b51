//! SQL of the alerts and of the desks on which they lie: the agency's and oversight's.

use diesel::prelude::*;

use super::model::{Acknowledged, Alarm, Alert, Budget, Level};
use crate::auth::Scope;
use crate::db::Conn;
use crate::db::schema::{audit_alert as t, audit_alert_desk as desk};
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{AlertId, ClientId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};

type Counted = (String, String, i64, i64, i64, Timestamp);
type Ended = (Option<Timestamp>, Option<String>, Option<String>, Option<String>);
type Row = (AlertId, i64, String, ClientId, Option<String>, Option<String>, Counted, Ended, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::agency_code,
        t::client_id,
        t::user_ref,
        t::purpose,
        (t::budget, t::level, t::used, t::quota, t::window_s, t::window_from),
        (t::acknowledged_at, t::acknowledged_by, t::finding, t::reference),
        t::created_at,
        t::updated_at,
    )
}

fn alert(row: Row) -> Result<Alert> {
    let (id, version, agency, client, user, purpose, counted, ended, created_at, updated_at) = row;
    let (budget, level, used, quota, window_s, window_from) = counted;
    let code = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in alert"));
    let acknowledged = match ended {
        (Some(at), Some(by), Some(finding), reference) => Some(Acknowledged { at, by: code(&by)?, finding, reference }),
        _ => None,
    };
    Ok(Alert {
        id,
        version,
        alarm: Alarm {
            client,
            user: None,
            budget: Budget::parse(&budget).ok_or_else(|| Error::internal("budget of alert"))?,
            level: Level::parse(&level).ok_or_else(|| Error::internal("level of alert"))?,
            used,
            quota,
            window_s,
            window_from,
        },
        agency: code(&agency)?,
        user,
        purpose,
        acknowledged,
        created_at,
        updated_at,
    })
}

/// The lanes on which an alert lies.
fn lanes(agency: &AgencyCode) -> [&str; 2] {
    [agency.as_str(), OVERSIGHT_LANE]
}

/// Inserts an alert and lays it on the desks of its agency and of oversight.
pub fn insert(tx: &mut Conn, new: &Alert) -> Result<()> {
    let (bucket, id) = new.id.key();
    let Alarm { client, user: _, budget, level, used, quota, window_s, window_from } = &new.alarm;
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::agency_code.eq(new.agency.as_str()),
            t::client_id.eq(client),
            t::user_ref.eq(new.user.as_deref()),
            t::purpose.eq(new.purpose.as_deref()),
            t::budget.eq(budget.as_str()),
            t::level.eq(level.as_str()),
            t::used.eq(used),
            t::quota.eq(quota),
            t::window_s.eq(window_s),
            t::window_from.eq(window_from),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    for lane in lanes(&new.agency) {
        diesel::insert_into(desk::table)
            .values((
                desk::bucket.eq(lane_bucket(lane).number()),
                desk::agency_code.eq(lane),
                desk::alert_id.eq(id),
                desk::acknowledged.eq(false),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// An alert of the caller's lane; `NotFound` for what is absent or another agency's alike.
pub fn find(conn: &mut Conn, scope: &Scope, id: AlertId) -> Result<Alert> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let found = alert(row)?;
    if scope.oversight() || found.agency == *scope.agency() { Ok(found) } else { Err(Error::NotFound) }
}

/// Writes an acknowledged alert over the version that it was read at.
pub fn update(tx: &mut Conn, after: &Alert, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let said = after.acknowledged.as_ref();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::acknowledged_at.eq(said.map(|a| a.at)),
            t::acknowledged_by.eq(said.map(|a| a.by.as_str())),
            t::finding.eq(said.map(|a| a.finding.as_str())),
            t::reference.eq(said.and_then(|a| a.reference.as_deref())),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    for lane in lanes(&after.agency) {
        let row = desk::table
            .filter(desk::bucket.eq(lane_bucket(lane).number()))
            .filter(desk::agency_code.eq(lane))
            .filter(desk::alert_id.eq(id));
        diesel::update(row).set(desk::acknowledged.eq(after.acknowledged.is_some())).execute(tx)?;
    }
    Ok(())
}

/// One page of the caller's desk, the first one first.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    acknowledged: Option<bool>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Alert>> {
    let mut query = desk::table
        .filter(desk::bucket.eq(scope.lane_bucket().number()))
        .filter(desk::agency_code.eq(scope.lane()))
        .select(desk::alert_id)
        .order(desk::alert_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(acknowledged) = acknowledged {
        query = query.filter(desk::acknowledged.eq(acknowledged));
    }
    if let Some(after) = after {
        query = query.filter(desk::alert_id.gt(AlertId::from_uuid(after.id)));
    }
    let ids: Vec<AlertId> = query.load(conn)?;
    let Page { items, next } = Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() });
    if items.is_empty() {
        return Ok(Page { items: Vec::new(), next });
    }
    let mut buckets: Vec<i16> = items.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(items)).select(columns()).load(conn)?;
    let mut found = rows.into_iter().map(alert).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|a| a.id);
    Ok(Page { items: found, next })
}
