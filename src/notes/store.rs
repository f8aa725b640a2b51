//! SQL of the notes.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::model::Note;
use super::wire::NoteVisibility;
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::{Section, Sight};
use crate::db::schema::note as t;
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{CaseId, NoteId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

/// The stored document, sealed as a whole under the case's key.
#[derive(Serialize, Deserialize)]
struct Detail {
    text: Pii<String>,
}

impl Guarded for Detail {
    const PLACE: &'static str = "note.detail";
    const SECRET: &'static [&'static str] = &[];
}

type Row = (NoteId, i64, CaseId, String, String, Option<NoteId>, Option<NoteId>, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::agency_code,
        t::visibility,
        t::supersedes_id,
        t::superseded_by_id,
        t::detail,
        t::created_at,
        t::updated_at,
    )
}

fn note(row: Row, keys: &Keys) -> Result<Note> {
    let (id, version, case, agency, visibility, supersedes, superseded_by, detail, created_at, updated_at) = row;
    let Detail { text } = keys.open(case, id, &detail)?;
    Ok(Note {
        id,
        version,
        case,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in note"))?,
        visibility: NoteVisibility::parse(&visibility).ok_or_else(|| Error::internal("note visibility"))?,
        text,
        supersedes,
        superseded_by,
        created_at,
        updated_at,
    })
}

/// Inserts a note.
pub fn insert(tx: &mut Conn, act: &Act, new: &Note) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a note without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::case_id.eq(new.case),
            t::agency_code.eq(new.agency.as_str()),
            t::visibility.eq(new.visibility.as_str()),
            t::supersedes_id.eq(new.supersedes),
            t::superseded_by_id.eq(new.superseded_by),
            t::detail.eq(vault::seal(tx, new.case, id, &Detail { text: new.text.clone() })?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A note, whoever asks: whether the caller may see it must be checked before it is shown.
pub fn find(conn: &mut Conn, id: NoteId) -> Result<Note> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    note(row, &keys)
}

/// Says of a note that another one takes its place; false if one has taken it already.
pub fn supersede(tx: &mut Conn, old: &Note, by: NoteId, now: Timestamp) -> Result<bool> {
    let (bucket, id) = old.id.key();
    let moved = diesel::update(
        t::table
            .filter(t::bucket.eq(bucket))
            .filter(t::id.eq(id))
            .filter(t::version.eq(old.version))
            .filter(t::superseded_by_id.is_null()),
    )
    .set((t::superseded_by_id.eq(by), t::version.eq(old.version + 1), t::updated_at.eq(now)))
    .kept()
    .execute(tx)?;
    Ok(moved == 1)
}

/// One page of the notes on a case, oldest first, those only that the caller sees.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    sight: &Sight,
    case: CaseId,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Note>> {
    let mut query = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    let own = t::agency_code.eq(scope.agency().as_str());
    query = if sight.sees(Section::Narrative) {
        query.filter(own.or(t::visibility.eq(NoteVisibility::Shared.as_str())))
    } else {
        query.filter(own)
    };
    if let Some(after) = after {
        query = query.filter(t::id.gt(NoteId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, [case])?;
    let notes = rows.into_iter().map(|row| note(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(notes, limit, |n| After { key: String::new(), id: n.id.uuid() }))
}
