//! Whether row-level security holds this role on these tables, asked once at start-up.

use authcore::ConfigError;
use sqlx::PgConnection;

use super::begin::{ACTION, EVERY_ROW, INCLUDE_SHARED, ORGANIZATION_IDS, USER_ID};
use crate::table::OwnedTable;

/// Refuses a role that no policy holds.
pub(super) async fn role(connection: &mut PgConnection) -> Result<(), ConfigError> {
    let asked = sqlx::query_as(
        "SELECT rolname::text, rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user",
    );
    let (role, is_superuser, bypasses): (String, bool, bool) =
        asked.persistent(false).fetch_one(connection).await.map_err(unasked)?;
    match (is_superuser, bypasses) {
        (true, _) => Err(ConfigError::new(format!(
            "role `{role}`: a superuser, whom no policy holds: connect as a role made by CREATE ROLE app LOGIN NOSUPERUSER \
             NOBYPASSRLS"
        ))),
        (_, true) => Err(ConfigError::new(format!(
            "role `{role}`: has BYPASSRLS, so no policy holds it: ALTER ROLE \"{role}\" NOBYPASSRLS"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a table that this role could read beyond its owner's rows.
pub(super) async fn table(connection: &mut PgConnection, table: &OwnedTable) -> Result<(), ConfigError> {
    let name = table.quoted();
    let fault = |cause: String| Err(ConfigError::new(format!("table {table}: {cause}")));
    let Some(found) = facts(connection, table).await.map_err(unasked)? else {
        return fault("there is none of this name that the role can find".to_owned());
    };
    let column = table.owner();
    if !found.has_owner {
        return fault(format!("it has no column `{column}`"));
    }
    if let Some(column) = found.folding {
        return fault(format!(
            "`{column}` compares by a collation that is not deterministic, which takes one user for another: ALTER COLUMN \
             \"{column}\" TYPE text COLLATE \"C\""
        ));
    }
    if !found.is_enabled {
        return fault(format!("has no row-level security: ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"));
    }
    if found.is_own && !found.is_forced {
        return fault(format!(
            "the role owns it and no policy holds an owner: ALTER TABLE {name} FORCE ROW LEVEL SECURITY, or better, connect \
             as another role"
        ));
    }
    if !found.is_active {
        return fault("row-level security does not hold this role here".to_owned());
    }
    if !found.has_policy {
        return fault(format!("no policy of it reads `{USER_ID}`: run OwnedTable::migration()"));
    }
    if let Some(policy) = found.open_policy {
        return fault(format!("policy `{policy}` lets every row through: DROP POLICY \"{policy}\" ON {name}"));
    }
    if found.may_truncate && !found.is_own {
        return fault(format!("the role may empty it, which no policy holds: REVOKE TRUNCATE ON {name} FROM the role"));
    }
    if let Some(cause) = beyond_owner(connection, table).await.map_err(unasked)? {
        return fault(cause);
    }
    if let Some(view) = found.open_view {
        return fault(format!(
            "view {view} shows all of its rows: ALTER VIEW {view} SET (security_invoker = true) (PostgreSQL 15), or REVOKE \
             ALL ON it; a materialized view can only be revoked"
        ));
    }
    if let Some(part) = found.open_part {
        return fault(format!(
            "no policy holds {part}, its partition or parent, which shows its rows too: REVOKE ALL ON {part} FROM the role"
        ));
    }
    Ok(())
}

/// Why nobody would be shown more than their own, where the table says that they are.
async fn beyond_owner(connection: &mut PgConnection, table: &OwnedTable) -> Result<Option<String>, sqlx::Error> {
    if !table.is_beyond_owner() {
        let asked = sqlx::query_scalar(SURPLUS).bind(table.quoted()).bind(ACTION);
        let surplus: bool = asked.persistent(false).fetch_one(connection).await?;
        let mend =
            "it has a policy for rows beyond their owner's, which it is not said to have: run OwnedTable::migration()";
        return Ok(surplus.then(|| mend.to_owned()));
    }
    let shared = table.shared();
    let columns = [table.organization_column(), shared.map(|shared| shared.id.as_str())];
    let grants = shared.map(|shared| shared.grants.names::<sqlx::Postgres>().table);
    // A policy reads the settings that the table is about.
    let settings = [Some(EVERY_ROW), columns[0].and(Some(ORGANIZATION_IDS)), shared.and(Some(INCLUDE_SHARED))];
    let owned = |texts: &[Option<&str>]| texts.iter().flatten().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let asked = sqlx::query_as(BEYOND).bind(table.quoted()).bind(owned(&columns)).bind(owned(&settings)).bind(&grants);
    let (column, setting, may_read): (Option<String>, Option<String>, Option<bool>) =
        asked.persistent(false).fetch_one(connection).await?;
    Ok(match (column, setting, may_read, grants) {
        (Some(column), ..) => Some(format!("it has no column `{column}`")),
        (_, Some(setting), ..) => Some(format!("no policy of it reads `{setting}`: run OwnedTable::migration()")),
        (.., None, Some(grants)) => Some(format!("there is no table {grants}: run GrantTable::create_table()")),
        (.., Some(false), Some(grants)) => {
            Some(format!("the role may not read what was shared: GRANT SELECT ON {grants} TO the role"))
        }
        _ => None,
    })
}

const SURPLUS: &str = "
SELECT EXISTS (SELECT FROM pg_catalog.pg_policy
               WHERE polrelid = pg_catalog.to_regclass($1) AND polpermissive
                 AND strpos(pg_catalog.pg_get_expr(polqual, polrelid), $2) > 0)";

const BEYOND: &str = "
SELECT
    (SELECT name FROM unnest($2::text[]) AS name
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                       WHERE attrelid = pg_catalog.to_regclass($1) AND attname = name AND attnum > 0 AND NOT attisdropped)
     LIMIT 1),
    (SELECT setting FROM unnest($3::text[]) AS setting
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_policy
                       WHERE polrelid = pg_catalog.to_regclass($1) AND polpermissive
                         AND strpos(pg_catalog.pg_get_expr(polqual, polrelid), setting) > 0)
     LIMIT 1),
    pg_catalog.has_table_privilege(pg_catalog.to_regclass($4), 'SELECT')";

struct Facts {
    has_owner: bool,
    is_enabled: bool,
    is_forced: bool,
    is_own: bool,
    is_active: bool,
    may_truncate: bool,
    has_policy: bool,
    open_policy: Option<String>,
    open_view: Option<String>,
    folding: Option<String>,
    open_part: Option<String>,
}

type Row = (bool, bool, bool, bool, bool, bool, bool, Option<String>, Option<String>, Option<String>, Option<String>);

async fn facts(connection: &mut PgConnection, table: &OwnedTable) -> Result<Option<Facts>, sqlx::Error> {
    let compared: Vec<_> = [Some(table.owner()), table.organization_column()].into_iter().flatten().collect();
    let asked = sqlx::query_as(FACTS).bind(table.quoted()).bind(table.owner()).bind(USER_ID).bind(compared);
    let row: Option<Row> = asked.persistent(false).fetch_optional(connection).await?;
    Ok(row.map(|row| Facts {
        has_owner: row.0,
        is_enabled: row.1,
        is_forced: row.2,
        is_own: row.3,
        is_active: row.4,
        may_truncate: row.5,
        has_policy: row.6,
        open_policy: row.7,
        open_view: row.8,
        folding: row.9,
        open_part: row.10,
    }))
}

/// Views are looked for through any number of others between. A view has the rights of who made it, unless it is
/// `security_invoker`, and what it shows to the next view is shown on. Of partitions, and of whatever else
/// inherits, the policies of the one table count that the statement names.
const FACTS: &str = "
WITH RECURSIVE target AS (
    SELECT * FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)
), seen AS (
    SELECT oid AS relation, false AS is_open FROM target
    UNION
    SELECT view.oid,
           seen.is_open OR view.relkind = 'm'
           OR (maker.rolsuper OR maker.rolbypassrls
               OR pg_catalog.pg_has_role(maker.oid, target.relowner, 'USAGE') AND NOT target.relforcerowsecurity)
              AND NOT coalesce(view.reloptions && ARRAY['security_invoker=true', 'security_invoker=on',
                                                        'security_invoker=1', 'security_invoker=yes'], false)
    FROM seen
    CROSS JOIN target
    JOIN pg_catalog.pg_depend AS depend
      ON depend.refclassid = 'pg_catalog.pg_class'::regclass AND depend.refobjid = seen.relation
     AND depend.classid = 'pg_catalog.pg_rewrite'::regclass
    JOIN pg_catalog.pg_rewrite AS rule ON rule.oid = depend.objid
    JOIN pg_catalog.pg_class AS view ON view.oid = rule.ev_class AND view.oid <> target.oid
    JOIN pg_catalog.pg_roles AS maker ON maker.oid = view.relowner
), parts AS (
    SELECT inhrelid AS relation FROM pg_catalog.pg_inherits JOIN target ON inhparent = target.oid
    UNION
    SELECT inhrelid FROM pg_catalog.pg_inherits JOIN parts ON inhparent = parts.relation
), wholes AS (
    SELECT inhparent AS relation FROM pg_catalog.pg_inherits JOIN target ON inhrelid = target.oid
    UNION
    SELECT inhparent FROM pg_catalog.pg_inherits JOIN wholes ON inhrelid = wholes.relation
)
SELECT
    EXISTS (SELECT FROM pg_catalog.pg_attribute
            WHERE attrelid = target.oid AND attname = $2 AND attnum > 0 AND NOT attisdropped),
    relrowsecurity,
    relforcerowsecurity,
    pg_catalog.pg_has_role(relowner, 'USAGE'),
    pg_catalog.row_security_active(target.oid),
    pg_catalog.has_table_privilege(target.oid, 'TRUNCATE'),
    EXISTS (SELECT FROM pg_catalog.pg_policy
            WHERE polrelid = target.oid AND polpermissive
              AND strpos(pg_catalog.pg_get_expr(polqual, polrelid), $3) > 0),
    (SELECT polname::text FROM pg_catalog.pg_policy
     WHERE polrelid = target.oid AND polpermissive
       AND 'true' IN (pg_catalog.pg_get_expr(polqual, polrelid), pg_catalog.pg_get_expr(polwithcheck, polrelid))
       AND (0::oid = ANY (polroles)
            OR EXISTS (SELECT FROM pg_catalog.pg_roles AS role
                       WHERE role.oid = ANY (polroles) AND pg_catalog.pg_has_role(role.oid, 'USAGE')))
     LIMIT 1),
    (SELECT relation::regclass::text FROM seen
     WHERE is_open AND (pg_catalog.has_any_column_privilege(relation, 'SELECT, INSERT, UPDATE')
                        OR pg_catalog.has_table_privilege(relation, 'DELETE')) LIMIT 1),
    -- The column is there from PostgreSQL 12 on.
    (SELECT attname::text FROM pg_catalog.pg_attribute
     JOIN pg_catalog.pg_collation AS comparing ON comparing.oid = attcollation
     WHERE attrelid = target.oid AND attname = ANY ($4) AND NOT attisdropped
       AND pg_catalog.to_jsonb(comparing) ->> 'collisdeterministic' = 'false' LIMIT 1),
    (SELECT relation::regclass::text FROM (SELECT * FROM parts UNION SELECT * FROM wholes) AS relatives
     JOIN pg_catalog.pg_class AS relative ON relative.oid = relation
     WHERE NOT pg_catalog.row_security_active(relation)
       AND pg_catalog.has_schema_privilege(relative.relnamespace, 'USAGE')
       AND (pg_catalog.has_any_column_privilege(relation, 'SELECT, INSERT, UPDATE')
            OR pg_catalog.has_table_privilege(relation, 'DELETE, TRUNCATE')) LIMIT 1)
FROM target";

/// The database's words, which hold neither URL nor password.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn unasked(error: sqlx::Error) -> ConfigError {
    ConfigError::new(format!("database: it cannot be asked whether row-level security holds: {error}"))
}
