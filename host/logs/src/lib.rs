//! PostgreSQL log bytes to [`evidence::Evidence`].

pub mod evidence;
