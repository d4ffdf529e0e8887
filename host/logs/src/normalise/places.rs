//! Places where a value stands that need not be spelt like one.
//!
//! A literal gives itself away by its quotes. Some statements take a value without them (`SET x TO word`), and some take a string and
//! nothing else, where a client may have forgotten its quotes or taken others (`OPTIONS (password word)`, `CONNECTION "…"`). The
//! server refuses those, and logs the statement that it refused.
//!
//! The rule of the second kind: where only a string may stand, anything else ends the normal form. None of this is asked of
//! statements that read or write rows.

mod commands;
mod definitions;

/// What a token is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    /// Unquoted, as written, or quoted where the quotes change nothing.
    Word(&'a [u8]),
    /// Quoted.
    Name,
    /// A literal or a placeholder, whose value is written nowhere in any case.
    Value,
    Open,
    Close,
    Comma,
    Semicolon,
    Dot,
    /// `=`
    Equals,
    /// `-` or `+`
    Sign,
    Other,
}

/// What is to be done with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Written as everywhere.
    Show,
    /// A mark in its place.
    Mask,
    /// Nothing in its place.
    Drop,
    /// It is the word `PASSWORD`: written, and then a mark in place of all that follows.
    Password,
    /// A mark in place of this and all that follows.
    Hide,
    /// Nothing in place of this and all that follows.
    End,
}

/// What `CREATE` or `ALTER` is about, as far as it matters, or which statement it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Object {
    #[default]
    Other,
    /// `ROLE`, `USER`, `GROUP`
    Role,
    /// `SYSTEM`, `DATABASE`
    Settings,
    /// `FUNCTION`, `PROCEDURE`, `ROUTINE`
    Routine,
    /// A server, a foreign table, a foreign data wrapper, a user mapping, `IMPORT`
    Foreign,
    Subscription,
    Tablespace,
}

/// What may stand behind a string that stood alone in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The end.
    End,
    /// The end; `NULL` may stand in its place.
    Comment,
    /// `PUBLICATION`
    Publication,
    /// `LANGUAGE`
    Language,
    /// Another option of a role.
    Role,
    /// Another option, or the bracket.
    Option,
    /// `WITH`
    Parameters,
    /// Another clause.
    Clauses,
    /// An option of `COPY`.
    Copy,
}

/// What the next token is expected to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    /// Such places are not looked for.
    #[default]
    Off,
    /// Behind `CREATE` or `ALTER`.
    Head,
    /// A clause of [`Places::object`].
    Clauses,
    /// Behind `BEGIN` in a routine.
    Begin,
    /// A string and nothing else.
    Expect(After),
    After(After),
    RoleName,
    /// `USER MAPPING` is no role, if `FOR` or `IF` follows.
    Mapping,
    RoleOption,
    /// A name of a list.
    RoleNames,
    RoleNamed,
    RoleNumber,
    Set,
    SetSession,
    SetLocal,
    SetTime,
    SetXml,
    /// Behind the name of a setting, or a dot in it.
    SetName,
    SetDot,
    SetFrom,
    /// Behind `ROLE`, `TIME ZONE` and so on: `TO` is not needed.
    SetDirect,
    SetValue,
    /// Behind a word that stood for no value.
    SetDone,
    /// Behind the first token of a value, up to the end of the statement or of the clause.
    Skip,
    Transaction,
    Constraints,
    /// `COMMENT`, `SECURITY LABEL`: up to `IS`.
    Label,
    Notify,
    Channel,
    Copy,
    CopyFrom,
    CopyTo,
    CopyOptions,
    /// Behind `FORCE` or `WHERE`, which columns follow.
    CopyTail,
    Do,
    DoLanguage,
    Prepare,
    Finish,
    Options,
    OptionName,
    /// Behind `ADD`, `SET` or `DROP`, which may be names as well.
    OptionVerb,
    OptionValue,
    /// Behind `WITH` or `SET`: storage parameters if a bracket opens.
    Parameters,
    ParameterName,
    ParameterValue,
    /// Behind the first token of the value, in so many brackets of its own.
    ParameterSkip(usize),
}

/// Where in a statement the next token stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    step: Step,
    object: Object,
    /// `ALTER`, whose clauses may begin with `ALTER` too.
    is_alter: bool,
    /// Brackets that were open where the statement began.
    base: usize,
    /// Brackets that are open now.
    depth: usize,
    /// Brackets that were open where the bracket of storage parameters opened.
    bracket: usize,
    /// `COPY … FROM STDIN`: what follows the semicolon is rows, if a client sent them as if they were SQL.
    rows_follow: bool,
}

/// Whether a word is one of these.
fn among(word: &[u8], list: &str) -> bool {
    list.split(' ').any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

impl Places {
    /// Whether tokens are to be shown to [`Self::see`].
    #[inline(always)]
    pub(super) fn are_watched(self) -> bool {
        self.step != Step::Off
    }

    /// A statement begins with this lower-case word.
    pub(super) fn begin(&mut self, word: &[u8], depth: usize) {
        let step = match word {
            b"set" => Step::Set,
            b"comment" | b"security" => Step::Label,
            b"notify" => Step::Notify,
            b"copy" => Step::Copy,
            b"do" => Step::Do,
            b"load" => Step::Expect(After::End),
            b"prepare" => Step::Prepare,
            b"commit" | b"rollback" => Step::Finish,
            b"import" => Step::Clauses,
            _ => return,
        };
        let object = if word == b"import" {
            Object::Foreign
        } else {
            Object::Other
        };
        *self = Self {
            step,
            object,
            base: depth,
            ..Self::default()
        };
    }

    /// `CREATE` or `ALTER` stands somewhere.
    pub(super) fn begin_definition(&mut self, is_alter: bool, depth: usize) {
        if self.step == Step::Off {
            *self = Self {
                step: Step::Head,
                is_alter,
                base: depth,
                ..Self::default()
            };
        }
    }

    /// Takes the next token, in so many open brackets.
    pub(super) fn see(&mut self, seen: Seen<'_>, depth: usize) -> Verdict {
        self.depth = depth;
        if seen == Seen::Semicolon {
            self.step = Step::Off;
            return if self.rows_follow { Verdict::End } else { Verdict::Show };
        }
        if matches!(
            self.step,
            Step::Clauses | Step::Label | Step::Copy | Step::CopyTail | Step::Constraints
        ) && let Seen::Word(word) = seen
            && (among(word, "create") || (!self.is_alter && among(word, "alter")))
        {
            // A statement of its own, as in `CREATE SCHEMA`, or one whose semicolon is missing.
            self.is_alter = among(word, "alter");
            return self.show(Step::Head);
        }
        match self.step {
            Step::Off => Verdict::Show,
            Step::Head => self.head(seen),
            Step::Clauses => self.clause(seen),
            Step::Begin => match seen {
                // The body is statements of their own.
                Seen::Word(word) if among(word, "atomic") => self.show(Step::Off),
                _ => self.clause(seen),
            },
            Step::Expect(after) => match seen {
                Seen::Value => self.show(Step::After(after)),
                Seen::Word(word) if after == After::Comment && among(word, "null") => {
                    self.show(Step::After(After::End))
                }
                _ => Verdict::Hide,
            },
            Step::After(after) => self.after(after, seen),
            Step::RoleName
            | Step::Mapping
            | Step::RoleOption
            | Step::RoleNames
            | Step::RoleNamed
            | Step::RoleNumber => self.role(seen),
            Step::Set | Step::SetSession | Step::SetLocal | Step::SetTime | Step::SetXml => self.setting(seen),
            Step::SetName | Step::SetDot | Step::SetFrom | Step::SetDirect => self.setting_name(seen),
            Step::SetValue | Step::SetDone | Step::Skip => self.setting_value(seen),
            Step::Transaction | Step::Constraints => self.transaction(seen),
            Step::Label => match seen {
                Seen::Word(word) if self.is_top() && among(word, "is") => self.show(Step::Expect(After::Comment)),
                _ => Verdict::Show,
            },
            Step::Notify | Step::Channel => self.notify(seen),
            Step::Copy | Step::CopyFrom | Step::CopyTo | Step::CopyOptions | Step::CopyTail => self.copy(seen),
            Step::Do | Step::DoLanguage => self.code(seen),
            Step::Prepare => self.prepared(seen, "transaction"),
            Step::Finish => self.prepared(seen, "prepared"),
            Step::Options | Step::OptionName | Step::OptionVerb | Step::OptionValue => self.option(seen),
            Step::Parameters | Step::ParameterName | Step::ParameterValue | Step::ParameterSkip(_) => {
                self.parameter(seen)
            }
        }
    }

    fn show(&mut self, next: Step) -> Verdict {
        self.step = next;
        Verdict::Show
    }

    /// In no bracket that the statement opened.
    fn is_top(&self) -> bool {
        self.depth <= self.base
    }

    fn head(&mut self, seen: Seen<'_>) -> Verdict {
        let Seen::Word(word) = seen else {
            return self.show(Step::Clauses);
        };
        let (object, step) = match word.to_ascii_lowercase().as_slice() {
            b"or" | b"replace" => (self.object, Step::Head),
            b"role" | b"user" | b"group" => (Object::Role, Step::RoleName),
            b"system" | b"database" => (Object::Settings, Step::Clauses),
            b"function" | b"procedure" | b"routine" => (Object::Routine, Step::Clauses),
            b"server" | b"foreign" => (Object::Foreign, Step::Clauses),
            b"subscription" => (Object::Subscription, Step::Clauses),
            b"tablespace" => (Object::Tablespace, Step::Clauses),
            _ => (Object::Other, Step::Clauses),
        };
        self.object = object;
        self.show(step)
    }

    fn clause(&mut self, seen: Seen<'_>) -> Verdict {
        self.step = Step::Clauses;
        let Seen::Word(word) = seen else {
            return Verdict::Show;
        };
        let is = |list: &str| among(word, list);
        let (object, is_top) = (self.object, self.is_top());
        if is("password") && is_top && !matches!(object, Object::Other | Object::Routine) {
            return Verdict::Password;
        } else if is("set") && is_top && matches!(object, Object::Settings | Object::Routine) {
            self.step = Step::Set;
        } else if is("set with") {
            self.step = Step::Parameters;
        } else if is("options") && object == Object::Foreign {
            self.step = Step::Options;
        } else if is("connection") && is_top && object == Object::Subscription {
            self.step = Step::Expect(After::Publication);
        } else if is("location") && object == Object::Tablespace {
            self.step = Step::Expect(After::Parameters);
        } else if is("as") && is_top && object == Object::Routine {
            self.step = Step::Expect(After::Clauses);
        } else if is("begin") && object == Object::Routine {
            self.step = Step::Begin;
        }
        Verdict::Show
    }

    fn after(&mut self, after: After, seen: Seen<'_>) -> Verdict {
        // A string over several lines, and how one is escaped.
        if seen == Seen::Value || matches!(seen, Seen::Word(word) if among(word, "uescape")) {
            return Verdict::Show;
        }
        match (after, seen) {
            (After::Publication, Seen::Word(word)) if among(word, "publication") => self.show(Step::Clauses),
            (After::Language, Seen::Word(word)) if among(word, "language") => self.show(Step::Off),
            (After::Role, _) => self.role_option(seen),
            (After::Option, Seen::Comma) => self.show(Step::OptionName),
            (After::Option, Seen::Close) => self.show(Step::Clauses),
            (After::Parameters, Seen::Word(word)) if among(word, "with") => self.show(Step::Parameters),
            (After::Clauses, _) => self.clause(seen),
            (After::Copy, _) => self.copy_option(seen),
            _ => Verdict::Hide,
        }
    }
}
