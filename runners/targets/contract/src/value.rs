//! Values that go to a database and come back.

/// One value.
///
/// ```
/// use placet_target::SqlValue;
///
/// let text = SqlValue::Text("shop".to_owned());
/// assert_eq!(text.bytes(), 4 + SqlValue::OVERHEAD_BYTES);
/// assert_eq!(SqlValue::Null.bytes(), SqlValue::OVERHEAD_BYTES);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "mirrors the plugin interface")]
pub enum SqlValue {
    /// NULL.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Int64(i64),
    /// A floating-point number.
    Float64(f64),
    /// A decimal number, as text.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An instant, RFC 3339.
    Timestamp(String),
    /// JSON, as text.
    Json(String),
}

impl SqlValue {
    /// What each value takes besides its text or bytes, in bytes.
    pub const OVERHEAD_BYTES: u64 = 32;

    /// About how many bytes it takes in memory: [`Self::OVERHEAD_BYTES`] and the length of its text or bytes.
    pub fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Null | Self::Boolean(_) | Self::Int64(_) | Self::Float64(_) => 0,
            Self::Decimal(text) | Self::Text(text) | Self::Timestamp(text) | Self::Json(text) => {
                text.len()
            }
            Self::Bytes(bytes) => bytes.len(),
        };
        u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(Self::OVERHEAD_BYTES)
    }
}

/// What a query answered.
///
/// ```
/// use placet_target::{Access, SqlTarget, SqlValue, StopSignal};
/// use placet_target_sqlite::SqliteTarget;
///
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let target = SqliteTarget::new(file.path());
/// let mut session = target.open(Access::ReadOnly, &StopSignal::new())?;
/// let found = session.query("SELECT 7 AS seven, NULL AS none", &[], 10, 1_024)?;
/// assert_eq!(found.columns, ["seven", "none"]);
/// assert_eq!(found.rows, [[SqlValue::Int64(7), SqlValue::Null]]);
/// # Ok::<(), placet_target::SqlFailure>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a target must fill every part")]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// Where each column comes from unchanged: one for each of `columns`, or none at all where the target does not tell.
    pub origins: Vec<Option<Origin>>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<SqlValue>>,
}

/// The column of a table that a column of an answer is, unchanged.
///
/// ```
/// use placet_target::Origin;
/// let origin = Origin { table: "people".to_owned(), column: "email".to_owned() };
/// assert_eq!(origin.column, "email");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a column has a table and a name")]
pub struct Origin {
    /// The table's name, without its schema.
    pub table: String,
    /// The column's name in the table.
    pub column: String,
}
