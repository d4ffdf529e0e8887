//! Messages: each sentence of a runbook is declared once, with named, typed holes.
//!
//! **In**: declarations by [`messages!`](crate::messages). **Out**: one constructor per message, and the templates for the
//! descriptor. Text and holes are compared when the runbook is compiled, so a message with a missing, surplus or wrong hole does
//! not exist.

use crate::{CancelReason, CheckpointCause, Failure, LockMode, Message, MessageTemplate, Subject, Value, ValueKind};

/// A number of things. Shown as `1,234`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl Count {
    /// How many `items` are.
    pub fn of<T>(items: &[T]) -> Self {
        Self(items.len() as u64)
    }
}

impl From<u32> for Count {
    fn from(n: u32) -> Self {
        Self(u64::from(n))
    }
}

/// A duration in microseconds. Shown in the unit that suits it: `1.50 s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationUs(pub u64);

/// A size in bytes. Shown in binary units: `1.5 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// An instant: microseconds since 1970-01-01T00:00:00Z. Shown as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub i64);

/// A part of a whole. Shown as a percentage; always finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// `part / whole`; 0 when there is no whole.
    pub fn of(part: u64, whole: u64) -> Self {
        if whole == 0 {
            Self(0.0)
        } else {
            Self(part as f64 / whole as f64)
        }
    }

    /// `value`, unless it is infinite or not a number.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The number; 1.0 is 100 %.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// How often something happens in a second. Shown per second, minute or hour, as suits: `12.5 per minute`. Always finite, never negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// `count` times in `duration_us` microseconds; none when no time passed.
    pub fn of(count: u64, duration_us: u64) -> Option<Self> {
        (duration_us > 0).then(|| Self(count as f64 / (duration_us as f64 / 1e6)))
    }

    /// How often in a second.
    pub fn per_second(self) -> f64 {
        self.0
    }
}

/// What can fill a hole of a message.
pub trait Hole {
    /// The kind that the descriptor lists for it.
    const KIND: ValueKind;

    /// As the contract has it.
    fn value(self) -> Value;
}

macro_rules! holes {
    ($($hole:ty = $kind:ident, |$self:ident| $value:expr;)*) => {
        $(
            impl Hole for $hole {
                const KIND: ValueKind = ValueKind::$kind;

                fn value(self) -> Value {
                    let $self = self;
                    Value::$kind($value)
                }
            }
        )*
    };
}

holes! {
    Count = Count, |n| n.0;
    DurationUs = DurationUs, |us| us.0;
    Bytes = Bytes, |n| n.0;
    Ratio = Ratio, |ratio| ratio.0;
    At = At, |us| us.0;
    Rate = Rate, |rate| rate.0;
    LockMode = LockMode, |mode| mode;
    CheckpointCause = CheckpointCause, |cause| cause;
    CancelReason = CancelReason, |reason| reason;
    &dyn Subject = Subject, |subject| subject.subject_id().to_owned();
}

impl Failure {
    /// The runbook gives up, and says why.
    pub fn new(message: Message) -> Self {
        Self { message }
    }
}

impl From<Message> for Failure {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

/// Declares the messages: for each a function of its name that takes the typed holes, and `templates()` for the descriptor.
///
/// A hole is `name: kind`, and `{name}` in the text. The kinds are `subject` (any [`Subject`]), `count` ([`Count`]), `duration`
/// ([`DurationUs`]), `bytes` ([`Bytes`]), `ratio` ([`Ratio`]), `rate` ([`Rate`]), `lock_mode` ([`LockMode`]), `checkpoint_cause`
/// ([`CheckpointCause`]), `cancel_reason` ([`CancelReason`]) and `at` ([`At`]). `{{` and `}}` are braces. The message's id is the function's name
/// with `-` for `_`.
///
/// ```
/// mod messages {
///     pg_logstats_sdk::messages! {
///         /// Title of a family's finding.
///         family_top(family: subject, share: ratio) => "{family} took {share} of all statement time";
///         nothing_slow() => "no statement took long";
///     }
/// }
/// use pg_logstats_sdk::Ratio;
///
/// let family = String::from("qf_0123456789abcdef");
/// assert_eq!(messages::family_top(&family, Ratio::of(1, 4)).id, "family-top");
/// assert_eq!(messages::templates()[0].text, "{} took {} of all statement time");
/// ```
///
/// Wrong text or a wrong value does not compile:
///
/// ```compile_fail
/// pg_logstats_sdk::messages! { two_holes(n: count) => "{n} of {m}"; }
/// ```
/// ```compile_fail
/// pg_logstats_sdk::messages! { waited(time: duration) => "waited {time}"; }
/// let message = waited(pg_logstats_sdk::Count(3));
/// ```
#[macro_export]
macro_rules! messages {
    ($($(#[$meta:meta])* $name:ident($($hole:ident: $kind:ident),* $(,)?) => $text:literal;)*) => {
        $(
            $(#[$meta])*
            #[doc = concat!("“", $text, "”")]
            pub fn $name($($hole: $crate::__hole!($kind)),*) -> $crate::Message {
                $crate::message::filled(stringify!($name), vec![$($crate::message::Hole::value($hole)),*])
            }
            const _: () = {
                // Named like the message, so that the compiler's error says which it is.
                const fn $name() {
                    $crate::message::check(stringify!($name), $text, &[$(stringify!($hole)),*]);
                }
                $name()
            };
        )*
        /// All messages, for the descriptor.
        pub fn templates() -> ::std::vec::Vec<$crate::MessageTemplate> {
            vec![$(
                $crate::message::template(
                    stringify!($name),
                    $text,
                    vec![$(<$crate::__hole!($kind) as $crate::message::Hole>::KIND),*],
                )
            ),*]
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __hole {
    (subject) => { &dyn $crate::Subject };
    (count) => { $crate::Count };
    (duration) => { $crate::DurationUs };
    (bytes) => { $crate::Bytes };
    (ratio) => { $crate::Ratio };
    (rate) => { $crate::Rate };
    (lock_mode) => { $crate::LockMode };
    (checkpoint_cause) => { $crate::CheckpointCause };
    (cancel_reason) => { $crate::CancelReason };
    (at) => { $crate::At };
    ($other:ident) => {
        compile_error!(concat!(
            "`",
            stringify!($other),
            "` is no kind of hole; use subject, count, duration, bytes, ratio, rate, lock_mode, checkpoint_cause, cancel_reason or at"
        ))
    };
}

/// A message with its holes filled.
#[doc(hidden)]
pub fn filled(name: &str, values: Vec<Value>) -> Message {
    Message { id: id(name), values }
}

/// The descriptor's entry for a message.
#[doc(hidden)]
pub fn template(name: &str, text: &str, holes: Vec<ValueKind>) -> MessageTemplate {
    MessageTemplate {
        id: id(name),
        text: positional(text),
        holes,
    }
}

fn id(name: &str) -> String {
    name.replace('_', "-")
}

/// `{name}` becomes `{}`; doubled braces stay.
fn positional(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        match (c, chars.peek()) {
            ('{', Some('{')) | ('}', Some('}')) => out.extend(chars.next()),
            ('{', _) => {
                chars.by_ref().find(|&c| c == '}');
                out.push('}');
            }
            _ => {}
        }
    }
    out
}

/// Stops the compilation of a message that the host would refuse, or whose text does not name its holes in order.
#[doc(hidden)]
#[expect(clippy::panic, reason = "runs in the compiler")]
pub const fn check(name: &str, text: &str, holes: &[&str]) {
    assert!(
        crate::words::is_word(name, b'_'),
        "the name of a message is lower-case words joined by `_`"
    );
    assert!(
        text.len() <= 400,
        "the text of a message is too long: 400 bytes are the most"
    );
    let mut holes = holes;
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (*byte, tail) {
            (b'{', [b'{', after @ ..]) | (b'}', [b'}', after @ ..]) => rest = after,
            (b'{', _) => {
                let [hole, others @ ..] = holes else {
                    panic!("the text of a message has more holes than are declared: write `{{` twice for a brace")
                };
                holes = others;
                rest = after_hole(tail, hole.as_bytes());
            }
            (b'}', _) => panic!("there is a lone `}}` in the text of a message: write it twice for a brace"),
            (0..b' ' | 0x7f, _) => panic!("there is a control character in the text of a message"),
            _ => {}
        }
    }
    assert!(
        holes.is_empty(),
        "a message declares a hole that its text does not name"
    );
}

#[expect(clippy::panic, reason = "runs in the compiler")]
const fn after_hole<'a>(text: &'a [u8], hole: &[u8]) -> &'a [u8] {
    let (mut text, mut hole) = (text, hole);
    loop {
        match (text, hole) {
            ([b'}', rest @ ..], []) => return rest,
            ([a, text_tail @ ..], [b, hole_tail @ ..]) if *a == *b => (text, hole) = (text_tail, hole_tail),
            _ => panic!("the text of a message does not name its holes in the order of their declaration"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Ratio, check, positional};

    #[test]
    fn named_holes_become_positional() {
        assert_eq!(positional("{a} and {bc}"), "{} and {}");
        assert_eq!(positional("{{a}} {b} }}"), "{{a}} {} }}");
        assert_eq!(positional("é {a}"), "é {}");
    }

    #[test]
    fn texts_and_holes_are_compared() {
        check("a_b", "{x} of {{ }} {y}", &["x", "y"]);
        let refused: [(&str, &str, &[&str]); 7] = [
            ("Name", "", &[]),
            ("a", "{x}", &[]),
            ("a", "", &["x"]),
            ("a", "{y} {x}", &["x", "y"]),
            ("a", "{x", &["x"]),
            ("a", "}", &[]),
            ("a", "two\nlines", &[]),
        ];
        for (name, text, holes) in refused {
            assert!(
                std::panic::catch_unwind(|| check(name, text, holes)).is_err(),
                "{name} {text}"
            );
        }
    }

    #[test]
    fn ratios_are_finite() {
        assert_eq!(Ratio::of(1, 0).value(), 0.0);
        assert_eq!(Ratio::of(1, 4).value(), 0.25);
        assert_eq!(Ratio::new(f64::NAN), None);
        assert_eq!(Ratio::new(f64::INFINITY), None);
    }

    #[test]
    fn there_is_no_rate_without_time() {
        assert_eq!(Rate::of(3, 0), None);
        assert_eq!(Rate::of(3, 1_500_000).map(Rate::per_second), Some(2.0));
        let fastest = Rate::of(u64::MAX, 1).map(Rate::per_second);
        assert!(fastest.is_some_and(f64::is_finite));
    }
}
