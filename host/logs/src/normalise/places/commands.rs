//! Statements that take a value or a string: `SET`, `NOTIFY`, `COPY`, `DO` and the like.

use super::{After, Object, Places, Seen, Step, Verdict, among};

/// Words that may follow the value of a setting in `CREATE FUNCTION`.
const ROUTINE_CLAUSES: &str = "as called cost external immutable language leakproof not parallel reset restrict return returns rows security set \
    stable strict support transform volatile window";

const TRANSACTION_MODES: &str =
    "as committed deferrable isolation level not only read repeatable serializable transaction uncommitted write";

const COPY_OPTIONS: &str =
    "as binary csv delimiter delimiters encoding escape freeze header match null oids quote with";

impl Places {
    /// The first words behind `SET`.
    pub(super) fn setting(&mut self, seen: Seen<'_>) -> Verdict {
        let step = self.step;
        let Seen::Word(word) = seen else {
            return match seen {
                // `SESSION` and so on are names of settings too.
                Seen::Dot | Seen::Equals if step != Step::Set => self.setting_name(seen),
                Seen::Name if !matches!(step, Step::SetTime | Step::SetXml) => self.show(Step::SetName),
                _ => Verdict::Hide,
            };
        };
        let next = match (step, word.to_ascii_lowercase().as_slice()) {
            (Step::SetSession | Step::SetLocal | Step::SetTime | Step::SetXml, b"to") => Step::SetValue,
            (Step::SetSession, b"authorization") | (Step::SetTime, b"zone") | (Step::SetXml, b"option") => {
                Step::SetDirect
            }
            (Step::SetSession, b"characteristics") => Step::Transaction,
            (Step::SetTime | Step::SetXml, _) => return Verdict::Hide,
            (Step::Set, b"session") => Step::SetSession,
            (Step::Set, b"local") => Step::SetLocal,
            (_, b"role" | b"names" | b"schema" | b"catalog") => Step::SetDirect,
            (_, b"time") => Step::SetTime,
            (_, b"xml") => Step::SetXml,
            (_, b"transaction") => Step::Transaction,
            (_, b"constraints") => Step::Constraints,
            _ => Step::SetName,
        };
        self.show(next)
    }

    pub(super) fn setting_name(&mut self, seen: Seen<'_>) -> Verdict {
        let is = |list: &str| matches!(seen, Seen::Word(word) if among(word, list));
        match self.step {
            Step::SetDot => match seen {
                Seen::Word(_) | Seen::Name => self.show(Step::SetName),
                _ => Verdict::Hide,
            },
            Step::SetFrom if is("current") => self.show(Step::SetDone),
            Step::SetFrom => Verdict::Hide,
            _ if seen == Seen::Dot => self.show(Step::SetDot),
            _ if seen == Seen::Equals || is("to") => self.show(Step::SetValue),
            Step::SetDirect if is("default none local") => self.show(Step::SetDone),
            Step::SetDirect => self.value(seen),
            _ if is("from") => self.show(Step::SetFrom),
            _ => Verdict::Hide,
        }
    }

    pub(super) fn setting_value(&mut self, seen: Seen<'_>) -> Verdict {
        let clause = matches!(seen, Seen::Word(word) if self.object == Object::Routine && among(word, ROUTINE_CLAUSES));
        match (self.step, seen) {
            (Step::SetValue, Seen::Word(word)) if among(word, "default") => self.show(Step::SetDone),
            (Step::SetDone | Step::Skip, _) if clause => self.clause(seen),
            (Step::Skip, _) => Verdict::Drop,
            _ => self.value(seen),
        }
    }

    /// The first token of a value.
    pub(super) fn value(&mut self, seen: Seen<'_>) -> Verdict {
        self.step = Step::Skip;
        if seen == Seen::Value {
            Verdict::Show
        } else {
            Verdict::Mask
        }
    }

    pub(super) fn transaction(&mut self, seen: Seen<'_>) -> Verdict {
        match seen {
            Seen::Equals => self.show(Step::SetValue),
            Seen::Word(word) if among(word, "to") => self.show(Step::SetValue),
            _ if self.step == Step::Constraints => Verdict::Show,
            Seen::Word(word) if among(word, "snapshot") => self.show(Step::Expect(After::End)),
            Seen::Word(word) if among(word, TRANSACTION_MODES) => Verdict::Show,
            Seen::Comma | Seen::Value => Verdict::Show,
            _ => Verdict::Hide,
        }
    }

    pub(super) fn notify(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::Notify, Seen::Word(_) | Seen::Name | Seen::Value) => self.show(Step::Channel),
            (Step::Channel, Seen::Comma) => self.show(Step::Expect(After::End)),
            _ => Verdict::Hide,
        }
    }

    pub(super) fn copy(&mut self, seen: Seen<'_>) -> Verdict {
        let is = |list: &str| matches!(seen, Seen::Word(word) if among(word, list));
        match self.step {
            Step::Copy if self.is_top() && is("from") => self.show(Step::CopyFrom),
            Step::Copy if self.is_top() && is("to") => self.show(Step::CopyTo),
            Step::CopyFrom | Step::CopyTo if is("stdin stdout") => {
                self.rows_follow = self.step == Step::CopyFrom;
                self.show(Step::CopyOptions)
            }
            Step::CopyFrom | Step::CopyTo if is("program") => self.show(Step::Expect(After::Copy)),
            Step::CopyFrom | Step::CopyTo if seen == Seen::Value => self.show(Step::After(After::Copy)),
            Step::CopyFrom | Step::CopyTo => Verdict::Hide,
            Step::CopyOptions => self.copy_option(seen),
            _ => Verdict::Show,
        }
    }

    pub(super) fn copy_option(&mut self, seen: Seen<'_>) -> Verdict {
        self.step = Step::CopyOptions;
        match seen {
            _ if !self.is_top() => Verdict::Show,
            Seen::Word(word) if among(word, "force where") => self.show(Step::CopyTail),
            Seen::Word(word) if among(word, COPY_OPTIONS) => Verdict::Show,
            Seen::Value | Seen::Open => Verdict::Show,
            _ => Verdict::Hide,
        }
    }

    pub(super) fn code(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::Do, Seen::Word(word)) if among(word, "language") => self.show(Step::DoLanguage),
            (Step::Do, Seen::Value) => self.show(Step::After(After::Language)),
            (Step::DoLanguage, Seen::Word(_) | Seen::Name | Seen::Value) => self.show(Step::Do),
            _ => Verdict::Hide,
        }
    }

    pub(super) fn prepared(&mut self, seen: Seen<'_>, word: &str) -> Verdict {
        self.step = match seen {
            Seen::Word(found) if among(found, word) => Step::Expect(After::End),
            _ => Step::Off,
        };
        Verdict::Show
    }
}
