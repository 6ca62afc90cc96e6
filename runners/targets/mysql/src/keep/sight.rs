//! What the target's user gets to see. Without a privilege the server answers as if there were nothing.

use crate::wire::{Client, Fault};

/// The user, as `information_schema` writes it.
const GRANTEE: &str = "grantee = CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', \
                       QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))";

/// Since when MySQL can take a privilege on everything back for one database.
const PARTIAL_REVOKES: (u16, u16, u16) = (8, 0, 16);

/// Whether triggers of the table would be shown; schema and name are literals.
pub(super) fn shows_triggers(client: &mut Client, schema: &str, name: &str) -> Result<bool, Fault> {
    let grantee = format!("{GRANTEE} AND privilege_type = 'TRIGGER'");
    let rows = client.rows(&format!(
        "SELECT 1 FROM information_schema.user_privileges WHERE {grantee} UNION ALL \
         SELECT 1 FROM information_schema.schema_privileges WHERE {grantee} \
         AND {schema} LIKE table_schema UNION ALL \
         SELECT 1 FROM information_schema.table_privileges WHERE {grantee} \
         AND table_schema = {schema} AND table_name = {name}"
    ))?;
    Ok(!rows.is_empty())
}

/// Whether every table of every database would be shown, and with it each foreign key: any privilege of tables does, where
/// it is on all of them.
pub(super) fn shows_all_tables(client: &mut Client) -> Result<bool, Fault> {
    let server = client.server;
    if !server.is_mariadb && server.version >= PARTIAL_REVOKES {
        let revokes = client.rows("SELECT @@GLOBAL.partial_revokes")?;
        if revokes.first().and_then(|row| row.first()) != Some(&Some(b"0".to_vec())) {
            return Ok(false);
        }
    }
    let rows = client.rows(&format!(
        "SELECT 1 FROM information_schema.user_privileges WHERE {GRANTEE} AND privilege_type IN \
         ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'REFERENCES', 'INDEX', 'ALTER') LIMIT 1"
    ))?;
    Ok(!rows.is_empty())
}
