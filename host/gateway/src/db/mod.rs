//! The database: sessions, statements, plans.
