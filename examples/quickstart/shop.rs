//! A small shop on SQLite: customers, and orders that do not know their country yet.

use std::path::Path;

use rusqlite::Connection;

/// How many customers the shop has.
pub(crate) const CUSTOMERS: u32 = 5_000;
/// How many orders they placed.
pub(crate) const ORDERS: u32 = 60_000;

/// The change that Ana wants: a column, filled from another table, and an index on it.
pub(crate) const MIGRATION: &str = "\
ALTER TABLE orders ADD COLUMN country TEXT;
UPDATE orders
   SET country = (SELECT country FROM customers WHERE customers.id = orders.customer_id)
 WHERE country IS NULL;
CREATE INDEX orders_by_country ON orders (country);
";

/// Makes the database file.
pub(crate) fn create(path: &Path) -> rusqlite::Result<()> {
    let shop = Connection::open(path)?;
    shop.execute_batch(&format!(
        "BEGIN;
         CREATE TABLE customers (id INTEGER PRIMARY KEY, country TEXT NOT NULL);
         CREATE TABLE orders (
             id INTEGER PRIMARY KEY,
             customer_id INTEGER NOT NULL REFERENCES customers (id),
             cents INTEGER NOT NULL
         );
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CUSTOMERS})
         INSERT INTO customers
             SELECT i, CASE i % 4 WHEN 0 THEN 'AR' WHEN 1 THEN 'CL' WHEN 2 THEN 'UY' ELSE 'VE' END FROM n;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ORDERS})
         INSERT INTO orders SELECT i, i % {CUSTOMERS} + 1, i * 7 % 10000 FROM n;
         COMMIT;"
    ))
}

/// Orders by country, or nothing while orders have no such column.
pub(crate) fn orders_by_country(path: &Path) -> rusqlite::Result<Vec<(String, u32)>> {
    let shop = Connection::open(path)?;
    let has_country: bool = shop.query_row(
        "SELECT count(*) > 0 FROM pragma_table_info('orders') WHERE name = 'country'",
        (),
        |row| row.get(0),
    )?;
    if !has_country {
        return Ok(Vec::new());
    }
    let mut counted = shop.prepare(
        "SELECT coalesce(country, 'none'), count(*) FROM orders GROUP BY country ORDER BY country",
    )?;
    counted.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
