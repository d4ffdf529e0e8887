//! Places where a value stands that need not be spelt like one.
//!
//! A literal gives itself away by its quotes. Some statements take a value without them (`SET x TO word`), and some take a string and
//! nothing else, where a client may have forgotten its quotes or taken others (`OPTIONS (password word)`, `CONNECTION "…"`). The
//! server refuses those, and logs the statement that it refused.
//!
//! The rule of the second kind: where only a string may stand, anything else ends the normal form. None of this is asked of
//! statements that read or write rows.

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
    /// Brackets that were open where the statement began.
    base: usize,
    /// Brackets that are open now.
    depth: usize,
    /// Brackets that were open where the bracket of storage parameters opened.
    bracket: usize,
    /// `COPY … FROM STDIN`: what follows the semicolon is rows, if a client sent them as if they were SQL.
    rows_follow: bool,
}

/// Words that may follow the value of a setting in `CREATE FUNCTION`.
const ROUTINE_CLAUSES: &str = "as called cost external immutable language leakproof not parallel reset restrict return returns rows security set \
    stable strict support transform volatile window";

/// Options of roles that take no value.
const ROLE_OPTIONS: &str = "add bypassrls connection createdb createrole createuser drop encrypted in inherit login nobypassrls nocreatedb \
    nocreaterole nocreateuser noinherit nologin noreplication nosuperuser rename replication superuser unencrypted valid \
    with";

const TRANSACTION_MODES: &str =
    "as committed deferrable isolation level not only read repeatable serializable transaction uncommitted write";

const COPY_OPTIONS: &str =
    "as binary csv delimiter delimiters encoding escape freeze header match null oids quote with";

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
    pub(super) fn begin_definition(&mut self, depth: usize) {
        if self.step == Step::Off {
            *self = Self {
                step: Step::Head,
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
        if is("create") {
            self.step = Step::Head;
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

    fn role(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::RoleName, Seen::Word(word)) if among(word, "mapping") => self.show(Step::Mapping),
            (Step::RoleName, Seen::Word(_) | Seen::Name | Seen::Value) => self.show(Step::RoleOption),
            (Step::Mapping, Seen::Word(word)) if among(word, "for if") => {
                self.object = Object::Foreign;
                self.show(Step::Clauses)
            }
            (Step::RoleNames, Seen::Word(_) | Seen::Name | Seen::Value) => self.show(Step::RoleNamed),
            (Step::RoleNamed, Seen::Comma | Seen::Dot) => self.show(Step::RoleNames),
            (Step::RoleNumber, Seen::Sign) => Verdict::Show,
            (Step::RoleNumber, Seen::Value) => self.show(Step::RoleOption),
            (Step::Mapping | Step::RoleOption | Step::RoleNamed, _) => self.role_option(seen),
            _ => Verdict::Hide,
        }
    }

    /// What is no known option of a role ends the normal form: it may be a password whose option is misspelt.
    fn role_option(&mut self, seen: Seen<'_>) -> Verdict {
        let Seen::Word(word) = seen else {
            self.step = Step::RoleOption;
            return if seen == Seen::Value {
                Verdict::Show
            } else {
                Verdict::Hide
            };
        };
        let is = |list: &str| among(word, list);
        if is("password") {
            // Whatever follows may be the password, however it is quoted or cut.
            Verdict::Password
        } else if is("set") {
            self.show(Step::Set)
        } else if is("until") {
            self.show(Step::Expect(After::Role))
        } else if is("limit sysid") {
            self.show(Step::RoleNumber)
        } else if is("role admin user group to database reset") {
            self.show(Step::RoleNames)
        } else if is(ROLE_OPTIONS) {
            self.show(Step::RoleOption)
        } else {
            Verdict::Hide
        }
    }

    /// The first words behind `SET`.
    fn setting(&mut self, seen: Seen<'_>) -> Verdict {
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

    fn setting_name(&mut self, seen: Seen<'_>) -> Verdict {
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

    fn setting_value(&mut self, seen: Seen<'_>) -> Verdict {
        let clause = matches!(seen, Seen::Word(word) if self.object == Object::Routine && among(word, ROUTINE_CLAUSES));
        match (self.step, seen) {
            (Step::SetValue, Seen::Word(word)) if among(word, "default") => self.show(Step::SetDone),
            (Step::SetDone | Step::Skip, _) if clause => self.clause(seen),
            (Step::Skip, _) => Verdict::Drop,
            _ => self.value(seen),
        }
    }

    /// The first token of a value.
    fn value(&mut self, seen: Seen<'_>) -> Verdict {
        self.step = Step::Skip;
        if seen == Seen::Value {
            Verdict::Show
        } else {
            Verdict::Mask
        }
    }

    fn transaction(&mut self, seen: Seen<'_>) -> Verdict {
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

    fn notify(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::Notify, Seen::Word(_) | Seen::Name | Seen::Value) => self.show(Step::Channel),
            (Step::Channel, Seen::Comma) => self.show(Step::Expect(After::End)),
            _ => Verdict::Hide,
        }
    }

    fn copy(&mut self, seen: Seen<'_>) -> Verdict {
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

    fn copy_option(&mut self, seen: Seen<'_>) -> Verdict {
        self.step = Step::CopyOptions;
        match seen {
            _ if !self.is_top() => Verdict::Show,
            Seen::Word(word) if among(word, "force where") => self.show(Step::CopyTail),
            Seen::Word(word) if among(word, COPY_OPTIONS) => Verdict::Show,
            Seen::Value | Seen::Open => Verdict::Show,
            _ => Verdict::Hide,
        }
    }

    fn code(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::Do, Seen::Word(word)) if among(word, "language") => self.show(Step::DoLanguage),
            (Step::Do, Seen::Value) => self.show(Step::After(After::Language)),
            (Step::DoLanguage, Seen::Word(_) | Seen::Name | Seen::Value) => self.show(Step::Do),
            _ => Verdict::Hide,
        }
    }

    fn prepared(&mut self, seen: Seen<'_>, word: &str) -> Verdict {
        self.step = match seen {
            Seen::Word(found) if among(found, word) => Step::Expect(After::End),
            _ => Step::Off,
        };
        Verdict::Show
    }

    fn option(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::Options, Seen::Open) => self.show(Step::OptionName),
            // A column may have this name.
            (Step::Options, _) if !self.is_top() => self.clause(seen),
            (Step::OptionName, Seen::Word(word)) if among(word, "add set drop") => self.show(Step::OptionVerb),
            (Step::OptionName | Step::OptionVerb, Seen::Word(_) | Seen::Name) => self.show(Step::OptionValue),
            (Step::OptionName, Seen::Value) => self.show(Step::OptionValue),
            (Step::OptionVerb | Step::OptionValue, Seen::Value) => self.show(Step::After(After::Option)),
            (Step::OptionVerb | Step::OptionValue, Seen::Comma) => self.show(Step::OptionName),
            (Step::OptionName | Step::OptionVerb | Step::OptionValue, Seen::Close) => self.show(Step::Clauses),
            _ => Verdict::Hide,
        }
    }

    fn parameter(&mut self, seen: Seen<'_>) -> Verdict {
        match (self.step, seen) {
            (Step::Parameters, Seen::Open) => {
                self.bracket = self.depth;
                self.show(Step::ParameterName)
            }
            (Step::Parameters, _) => self.clause(seen),
            (Step::ParameterName, Seen::Equals) => self.show(Step::ParameterValue),
            (Step::ParameterName, Seen::Close) if self.depth <= self.bracket.saturating_add(1) => {
                self.show(Step::Clauses)
            }
            (Step::ParameterValue, Seen::Value) => self.show(Step::ParameterSkip(0)),
            (Step::ParameterValue | Step::ParameterSkip(0), Seen::Comma) => self.show(Step::ParameterName),
            (Step::ParameterValue | Step::ParameterSkip(0), Seen::Close) => self.show(Step::Clauses),
            (Step::ParameterValue, _) => {
                self.step = Step::ParameterSkip(usize::from(seen == Seen::Open));
                Verdict::Mask
            }
            (Step::ParameterSkip(open), _) => {
                self.step = Step::ParameterSkip(match seen {
                    Seen::Open => open.saturating_add(1),
                    Seen::Close => open.saturating_sub(1),
                    _ => open,
                });
                Verdict::Drop
            }
            _ => Verdict::Show,
        }
    }
}
