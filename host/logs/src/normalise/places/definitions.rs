//! Clauses of `CREATE` and `ALTER`: options of roles, of servers and their like, storage parameters.

use super::{After, Object, Places, Seen, Step, Verdict, among};

/// Options of roles that take no value.
const ROLE_OPTIONS: &str = "add bypassrls connection createdb createrole createuser drop encrypted in inherit login nobypassrls nocreatedb \
    nocreaterole nocreateuser noinherit nologin noreplication nosuperuser rename replication superuser unencrypted valid \
    with";

impl Places {
    pub(super) fn role(&mut self, seen: Seen<'_>) -> Verdict {
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
    pub(super) fn role_option(&mut self, seen: Seen<'_>) -> Verdict {
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

    pub(super) fn option(&mut self, seen: Seen<'_>) -> Verdict {
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

    pub(super) fn parameter(&mut self, seen: Seen<'_>) -> Verdict {
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
