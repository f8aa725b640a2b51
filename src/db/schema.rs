//! Diesel's view of the tables, kept beside the migrations. Owns: column names and types. Must not know: rules.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `agency`.
    agency (code) {
        code -> Text,
        kind -> Text,
        country -> Text,
        territory -> Nullable<Text>,
        parent_code -> Nullable<Text>,
        oversight -> Bool,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `client`.
    client (id) {
        id -> IdSql,
        agency_code -> Text,
        name -> Text,
        scopes -> JsonSql,
        purposes -> JsonSql,
        secret_hash -> Nullable<Text>,
        jwks -> Nullable<JsonSql>,
        status -> Text,
        version -> BigInt,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `client_policy`: what holds for a client's tokens beyond its scopes.
    client_policy (client_id) {
        client_id -> IdSql,
        dpop_required -> Bool,
        tokens_after -> Nullable<TimeSql>,
        territory -> Nullable<Text>,
        updated_at -> TimeSql,
    }
}

diesel::allow_tables_to_appear_in_same_query!(agency, client, client_policy);

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `token_revocation`: tokens that died before their time, in one lane.
    token_revocation (bucket, token_id) {
        bucket -> SmallInt,
        token_id -> IdSql,
        client_id -> IdSql,
        revoked_at -> TimeSql,
        expires_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `proof_replay`: DPoP proofs that were used, by the minute in which they were made.
    proof_replay (bucket, proof_id) {
        bucket -> SmallInt,
        proof_id -> IdSql,
        expires_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `case_file`.
    case_file (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        code -> Text,
        owner_agency -> Text,
        jurisdiction -> Text,
        procedural_code -> Text,
        stage -> Text,
        reported_at -> TimeSql,
        territory -> Nullable<Text>,
        external_ref -> Nullable<Text>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `docket`.
    docket (bucket, agency_code, case_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        case_id -> IdSql,
        relation -> Text,
        owner_agency -> Text,
        stage -> Text,
        territory -> Nullable<Text>,
        exploitation -> Text,
        reported_at -> TimeSql,
        updated_at -> TimeSql,
        sections -> Text,
        victim_ids -> Nullable<JsonSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `unique_claim`.
    unique_claim (bucket, claim) {
        bucket -> SmallInt,
        claim -> Text,
        owner_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `transition_record`.
    transition_record (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        resource_type -> Text,
        resource_id -> IdSql,
        trigger_code -> Text,
        from_state -> Text,
        to_state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        at -> TimeSql,
        agency_code -> Text,
        client_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `case_participant`.
    case_participant (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        agency_code -> Text,
        role -> Text,
        sections -> Text,
        victim_ids -> Nullable<JsonSql>,
        referral_id -> Nullable<IdSql>,
        granted_at -> TimeSql,
        ended_at -> Nullable<TimeSql>,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `victim`.
    victim (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        code -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `victim_identity`.
    victim_identity (bucket, victim_id) {
        bucket -> SmallInt,
        victim_id -> IdSql,
        content -> JsonSql,
        version -> BigInt,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `victim_case`.
    victim_case (bucket, victim_id, case_id) {
        bucket -> SmallInt,
        victim_id -> IdSql,
        case_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `case_victim`.
    case_victim (bucket, case_id, victim_id) {
        bucket -> SmallInt,
        case_id -> IdSql,
        victim_id -> IdSql,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `accused`.
    accused (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        code -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `accused_identity`.
    accused_identity (bucket, accused_id) {
        bucket -> SmallInt,
        accused_id -> IdSql,
        content -> JsonSql,
        version -> BigInt,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `accused_case`.
    accused_case (bucket, accused_id, case_id) {
        bucket -> SmallInt,
        accused_id -> IdSql,
        case_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `case_accused`.
    case_accused (bucket, case_id, accused_id) {
        bucket -> SmallInt,
        case_id -> IdSql,
        accused_id -> IdSql,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `charge`.
    charge (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        accused_id -> IdSql,
        offence_code -> Text,
        offence_version -> Text,
        state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `referral`.
    referral (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        number -> Text,
        case_id -> IdSql,
        from_agency -> Text,
        to_agency -> Text,
        kind -> Text,
        state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `referral_box`.
    referral_box (bucket, agency_code, side, referral_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        side -> Text,
        referral_id -> IdSql,
        case_id -> IdSql,
        state -> Text,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `referral_desk`: what waits, and until when.
    referral_desk (bucket, agency_code, side, referral_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        side -> Text,
        referral_id -> IdSql,
        case_id -> IdSql,
        state -> Text,
        step -> Text,
        due_at -> TimeSql,
        told -> SmallInt,
        next_at -> Nullable<TimeSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `referral_receipt`: what the registry signed.
    referral_receipt (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        referral_id -> IdSql,
        event -> Text,
        at -> TimeSql,
        detail -> JsonSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `correction`.
    correction (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        record_type -> Text,
        record_id -> IdSql,
        from_agency -> Text,
        owner_agency -> Text,
        state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;

    /// Table `correction_box`: where both sides find a correction.
    correction_box (bucket, agency_code, side, correction_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        side -> Text,
        open -> Bool,
        correction_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `batch`: where what a batch made is.
    batch (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        answers -> JsonSql,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_entry`.
    ledger_entry (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        at -> TimeSql,
        client_id -> Nullable<IdSql>,
        agency_code -> Nullable<Text>,
        user_ref -> Nullable<Text>,
        purpose -> Nullable<Text>,
        request_id -> IdSql,
        action -> Text,
        resource_type -> Text,
        resource_id -> IdSql,
        version -> Nullable<BigInt>,
        payload -> Nullable<JsonSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_pending`.
    ledger_pending (bucket, entry_id) {
        bucket -> SmallInt,
        entry_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_leaf`.
    ledger_leaf (bucket, position) {
        bucket -> SmallInt,
        position -> BigInt,
        entry_bucket -> SmallInt,
        entry_id -> IdSql,
        hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_head`.
    ledger_head (bucket, name) {
        bucket -> SmallInt,
        name -> Text,
        size -> BigInt,
        frontier -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_node`.
    ledger_node (bucket, level, position) {
        bucket -> SmallInt,
        level -> SmallInt,
        position -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_checkpoint`.
    ledger_checkpoint (bucket, name, epoch, size) {
        bucket -> SmallInt,
        name -> Text,
        epoch -> BigInt,
        size -> BigInt,
        root -> Binary,
        at -> TimeSql,
        note -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `ledger_lane`.
    ledger_lane (bucket, agency_code, entry_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        entry_id -> IdSql,
        position -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `lease`.
    lease (bucket, name) {
        bucket -> SmallInt,
        name -> Text,
        holder -> Text,
        until -> TimeSql,
        token -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `idempotency`.
    idempotency (bucket, client_id, key) {
        bucket -> SmallInt,
        client_id -> IdSql,
        key -> Text,
        fingerprint -> Text,
        resource_id -> IdSql,
        version -> BigInt,
        created_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `assertion_replay`.
    assertion_replay (bucket, client_id, jti) {
        bucket -> SmallInt,
        client_id -> IdSql,
        jti -> Text,
        expires_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `measure`.
    measure (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        kind -> Text,
        type_code -> Text,
        state -> Text,
        accused_id -> Nullable<IdSql>,
        victim_id -> Nullable<IdSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `hearing`.
    hearing (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        kind -> Text,
        scheduled_at -> TimeSql,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `decision`.
    decision (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        kind -> Text,
        supersedes_id -> Nullable<IdSql>,
        superseded_by_id -> Nullable<IdSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `note`.
    note (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        agency_code -> Text,
        visibility -> Text,
        supersedes_id -> Nullable<IdSql>,
        superseded_by_id -> Nullable<IdSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `measure_desk`.
    measure_desk (bucket, agency_code, measure_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        measure_id -> IdSql,
        case_id -> IdSql,
        kind -> Text,
        state -> Text,
        until_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `deadline_desk`.
    deadline_desk (bucket, agency_code, case_id, limit_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        case_id -> IdSql,
        limit_id -> Text,
        starts_at -> TimeSql,
        due_at -> TimeSql,
        extended -> Bool,
        continuous -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `consent`.
    consent (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        victim_id -> IdSql,
        agency_code -> Text,
        state -> Text,
        expires_at -> Nullable<TimeSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;

    /// Table `consent_referral`: which referrals rest on a consent.
    consent_referral (bucket, consent_id, referral_id) {
        bucket -> SmallInt,
        consent_id -> IdSql,
        referral_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `person_index`: tokens of persons, and whose they are.
    person_index (bucket, index_id, bidx, person_id) {
        bucket -> SmallInt,
        index_id -> SmallInt,
        bidx -> BigInt,
        person_id -> IdSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `person_index_ref`: the tokens of one person, so that they can be taken back.
    person_index_ref (bucket, person_id) {
        bucket -> SmallInt,
        person_id -> IdSql,
        tokens -> JsonSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `subject_key`.
    subject_key (bucket, subject_id) {
        bucket -> SmallInt,
        subject_id -> IdSql,
        wrapped -> Nullable<Text>,
        kek_id -> Text,
        created_at -> TimeSql,
        destroyed_at -> Nullable<TimeSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `break_glass`.
    break_glass (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        case_id -> IdSql,
        agency_code -> Text,
        owner_agency -> Text,
        state -> Text,
        until_at -> Nullable<TimeSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;

    /// Table `break_glass_desk`: reviews that wait, by lane.
    break_glass_desk (bucket, agency_code, break_glass_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        break_glass_id -> IdSql,
        reviewed -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `glass_open`: cases open in an emergency, by lane.
    glass_open (bucket, agency_code, case_id, break_glass_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        case_id -> IdSql,
        break_glass_id -> IdSql,
        sections -> Text,
        until_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `audit_alert`.
    audit_alert (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        agency_code -> Text,
        client_id -> IdSql,
        user_ref -> Nullable<Text>,
        purpose -> Nullable<Text>,
        budget -> Text,
        level -> Text,
        used -> BigInt,
        quota -> BigInt,
        window_s -> BigInt,
        window_from -> TimeSql,
        acknowledged_at -> Nullable<TimeSql>,
        acknowledged_by -> Nullable<Text>,
        finding -> Nullable<Text>,
        reference -> Nullable<Text>,
        version -> BigInt,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;

    /// Table `audit_alert_desk`: alerts that wait, by lane.
    audit_alert_desk (bucket, agency_code, alert_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        alert_id -> IdSql,
        acknowledged -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql};

    /// Table `statistics_fact`: what figures are made of, one row per case.
    statistics_fact (bucket, case_id) {
        bucket -> SmallInt,
        case_id -> IdSql,
        position -> BigInt,
        facts -> JsonSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql};

    /// Table `statistics_past`: what the facts of a case were before.
    statistics_past (bucket, case_id, position) {
        bucket -> SmallInt,
        case_id -> IdSql,
        position -> BigInt,
        facts -> JsonSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::TimeSql;

    /// Table `statistics_head`: up to where the facts are complete.
    statistics_head (bucket, name) {
        bucket -> SmallInt,
        name -> Text,
        position -> BigInt,
        at -> Nullable<TimeSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `statistics_release`: published figures.
    statistics_release (bucket, period) {
        bucket -> SmallInt,
        period -> Text,
        id -> IdSql,
        position -> BigInt,
        sha256 -> Text,
        published_at -> TimeSql,
        agency_code -> Nullable<Text>,
        content -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    /// Table `statistics_cube`: the tables of a release.
    statistics_cube (bucket, period, name) {
        bucket -> SmallInt,
        period -> Text,
        name -> Text,
        sha256 -> Text,
        body -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;

    /// Table `statistics_member`: in which release a case is, once and for ever.
    statistics_member (bucket, case_id) {
        bucket -> SmallInt,
        case_id -> IdSql,
        period -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `person_merge`.
    person_merge (bucket, person_id, other_id) {
        bucket -> SmallInt,
        person_id -> IdSql,
        other_id -> IdSql,
        away -> Bool,
        evidence -> Text,
        survivor_version -> BigInt,
        identity_version -> BigInt,
        at -> TimeSql,
        agency_code -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `legal_hold`.
    legal_hold (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        subject_type -> Text,
        subject_id -> IdSql,
        active -> Bool,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `erasure`.
    erasure (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        person_type -> Text,
        person_id -> IdSql,
        state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> Nullable<IdSql>,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;

    /// Table `keeping_desk`: holds, erasures and retention reviews, by lane.
    keeping_desk (bucket, agency_code, kind, resource_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        kind -> Text,
        resource_id -> IdSql,
        open -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `assistance`.
    assistance (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        victim_id -> IdSql,
        need -> Text,
        state -> Text,
        provider_code -> Nullable<Text>,
        consent_id -> Nullable<IdSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `statistics_proposal`: releases that somebody proposes.
    statistics_proposal (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        version -> BigInt,
        period -> Text,
        state -> Text,
        position -> BigInt,
        at -> Nullable<TimeSql>,
        skipped -> BigInt,
        sha256 -> Text,
        agency_code -> Nullable<Text>,
        client_id -> Nullable<IdSql>,
        detail -> JsonSql,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `statistics_skipped`: cases whose facts cannot be read.
    statistics_skipped (bucket, case_id) {
        bucket -> SmallInt,
        case_id -> IdSql,
        since -> TimeSql,
        tries -> BigInt,
        retry_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `care_process`: what a victim goes through.
    care_process (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        victim_id -> IdSql,
        jurisdiction -> Text,
        protocol_version -> Text,
        state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `assistance_desk`.
    assistance_desk (bucket, agency_code, assistance_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        assistance_id -> IdSql,
        victim_id -> IdSql,
        need -> Text,
        state -> Text,
        from_year -> Nullable<SmallInt>,
        until_year -> Nullable<SmallInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `reunification`.
    reunification (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        victim_id -> IdSql,
        country -> Text,
        sponsor_code -> Nullable<Text>,
        consent_id -> Nullable<IdSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `reunification_desk`.
    reunification_desk (bucket, agency_code, reunification_id, beneficiary_id) {
        bucket -> SmallInt,
        agency_code -> Text,
        reunification_id -> IdSql,
        beneficiary_id -> IdSql,
        victim_id -> IdSql,
        country -> Text,
        state -> Text,
        reunited_year -> Nullable<SmallInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `programme`.
    programme (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        kind -> Text,
        state -> Text,
        from_year -> SmallInt,
        until_year -> SmallInt,
        tags -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        created_by_agency -> Text,
        created_by_client -> IdSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `event_lane`: what the feed shows, by lane, in sealed order.
    event_lane (bucket, agency_code, position, seq) {
        bucket -> SmallInt,
        agency_code -> Text,
        position -> BigInt,
        seq -> SmallInt,
        entry_id -> IdSql,
        at -> TimeSql,
        sealed_at -> TimeSql,
        event_type -> Text,
        resource_type -> Text,
        resource_id -> IdSql,
        version -> Nullable<BigInt>,
        gate -> Text,
        scope -> Text,
        case_id -> Nullable<IdSql>,
        person_id -> Nullable<IdSql>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `webhook`: subscriptions to the feed.
    webhook (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        agency_code -> Text,
        client_id -> IdSql,
        state -> Text,
        reason -> Nullable<Text>,
        algorithm -> Text,
        types -> Text,
        detail -> JsonSql,
        position -> BigInt,
        seen_to -> BigInt,
        failed -> SmallInt,
        next_at -> TimeSql,
        ping_id -> Nullable<IdSql>,
        step -> BigInt,
        version -> BigInt,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `webhook_delivery`: every attempt.
    webhook_delivery (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        webhook_id -> IdSql,
        event_id -> IdSql,
        event_type -> Text,
        attempt -> SmallInt,
        at -> TimeSql,
        outcome -> Text,
        status -> Nullable<SmallInt>,
        duration_ms -> BigInt,
        position -> BigInt,
        seen_to -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};
    /// Table `job`: work that goes on behind a request.
    job (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        client_id -> IdSql,
        agency_code -> Text,
        kind -> Text,
        state -> Text,
        done -> BigInt,
        total -> Nullable<BigInt>,
        expires_at -> Nullable<TimeSql>,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};
    /// Table `job_queue`: jobs that wait or run, and who holds them.
    job_queue (bucket, job_id) {
        bucket -> SmallInt,
        job_id -> IdSql,
        holder -> Text,
        until_at -> TimeSql,
        token -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::IdSql;
    /// Table `job_chunk`: the files of a job, sealed, in pieces.
    job_chunk (bucket, job_id, file, seq) {
        bucket -> SmallInt,
        job_id -> IdSql,
        file -> Text,
        seq -> BigInt,
        content -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};
    /// Table `import_origin`: what an import said of a case the last time.
    import_origin (bucket, case_id) {
        bucket -> SmallInt,
        case_id -> IdSql,
        fingerprint -> Text,
        parts -> JsonSql,
        updated_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, TimeSql};

    /// Table `retention_item`: what the retention schedule has seen to.
    retention_item (bucket, subject_id, rule) {
        bucket -> SmallInt,
        subject_id -> IdSql,
        rule -> Text,
        class -> Text,
        action -> Text,
        due_on -> TimeSql,
        created_at -> TimeSql,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::{IdSql, JsonSql, TimeSql};

    /// Table `retention_review`: what fell due, and what somebody decided about it.
    retention_review (bucket, id) {
        bucket -> SmallInt,
        id -> IdSql,
        subject_type -> Text,
        subject_id -> IdSql,
        rule -> Text,
        state -> Text,
        detail -> JsonSql,
        version -> BigInt,
        created_at -> TimeSql,
        updated_at -> TimeSql,
    }
}
