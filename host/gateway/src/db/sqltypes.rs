//! SQL values to [`Cell`]s and back, by the types that the catalogue names.
//!
//! **In**: a row of the server. **Out**: cells. **Can fail**: when the server's types are not the catalogue's.

use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgRow, PgTypeInfo, PgValueFormat, PgValueRef, Postgres};
use sqlx::{Row as _, Type, TypeInfo as _, ValueRef as _};

use crate::catalogue::ColumnType;
use crate::outcome::Cell;

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since the Unix epoch.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// A `timestamptz` argument, in microseconds since the Unix epoch.
pub(super) struct InstantUs(pub(super) i64);

impl Type<Postgres> for InstantUs {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl Encode<'_, Postgres> for InstantUs {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // PostgreSQL holds instants up to the year 294276; one further away is no start of a session.
        Encode::<Postgres>::encode_by_ref(&self.0.saturating_sub(POSTGRES_EPOCH_US), buf)
    }
}

/// The cell in column `index`, and the bytes it has on the wire.
pub(super) fn cell(row: &PgRow, index: usize, wanted: ColumnType) -> Result<(Cell, u64), Mismatch> {
    let value = row.try_get_raw(index).map_err(|_| Mismatch)?;
    if value.is_null() {
        return Ok((Cell::Null, 0));
    }
    let bytes = value.as_bytes().map_err(|_| Mismatch)?.len() as u64;
    let type_name = value.type_info().name().to_ascii_lowercase();
    let cell = match (wanted, type_name.as_str()) {
        (ColumnType::Boolean, "bool") => Cell::Boolean(row.try_get(index).map_err(|_| Mismatch)?),
        (ColumnType::Int, "int2" | "int4" | "int8") => Cell::Int(integer(row, index, &type_name)?),
        (ColumnType::DurationUs, "int8") => Cell::DurationUs(integer(row, index, &type_name)?),
        (ColumnType::Float, "float8") => Cell::Float(finite(row.try_get(index).map_err(|_| Mismatch)?)?),
        (ColumnType::Float, "float4") => {
            Cell::Float(finite(f64::from(row.try_get::<f32, _>(index).map_err(|_| Mismatch)?))?)
        }
        (ColumnType::Text, "text" | "varchar" | "name") => Cell::Text(row.try_get(index).map_err(|_| Mismatch)?),
        (ColumnType::At, "timestamptz") => instant(&value)?,
        _ => return Err(Mismatch),
    };
    Ok((cell, bytes))
}

/// The server's value is not of the catalogue's type.
#[derive(Debug)]
pub(super) struct Mismatch;

fn integer(row: &PgRow, index: usize, type_name: &str) -> Result<i64, Mismatch> {
    match type_name {
        "int2" => row.try_get::<i16, _>(index).map(i64::from),
        "int4" => row.try_get::<i32, _>(index).map(i64::from),
        _ => row.try_get::<i64, _>(index),
    }
    .map_err(|_| Mismatch)
}

/// NaN and the infinities have no JSON.
fn finite(value: f64) -> Result<f64, Mismatch> {
    if value.is_finite() { Ok(value) } else { Err(Mismatch) }
}

/// `timestamptz` in binary: microseconds since 2000; the infinities count as unknown.
fn instant(value: &PgValueRef<'_>) -> Result<Cell, Mismatch> {
    if value.format() != PgValueFormat::Binary {
        return Err(Mismatch);
    }
    let bytes: [u8; 8] = value.as_bytes().ok().and_then(|b| b.try_into().ok()).ok_or(Mismatch)?;
    Ok(match i64::from_be_bytes(bytes) {
        i64::MAX | i64::MIN => Cell::Null,
        since_2000_us => since_2000_us
            .checked_add(POSTGRES_EPOCH_US)
            .map_or(Cell::Null, Cell::At),
    })
}
