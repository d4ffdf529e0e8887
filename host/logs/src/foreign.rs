//! Lines that are no entry of a server, told by whose they are: pgBouncer's, Patroni's, or a server's that speaks another
//! language. They are counted under reasons of their own, and nothing is read from them.
//!
//! The translated words of de, es, fr, it, ja, ka, ko, ru, sv, uk and zh_CN were taken from the server's own message catalogues
//! (PostgreSQL 15); some older ones of these, and those of cs, pl, pt_BR, tr and zh_TW, are from memory.

use crate::bytes::{at, digits, from, slice, up_to};
use crate::error::NoLog;
use crate::instant::Clock;
use crate::severity::Label;

/// Severities as catalogues translate them, where they are not the English word.
const SEVERITIES: &[&str] = &[
    // de
    "FEHLER",
    "WARNUNG",
    "HINWEIS",
    "PANIK",
    // es
    "ADVERTENCIA",
    "PÁNICO",
    "NOTICIA",
    // fr
    "ERREUR",
    "ATTENTION",
    "PANIQUE",
    // it
    "ERRORE",
    "ATTENZIONE",
    "NOTIFICA",
    "FATALE",
    "PANICO",
    // pl
    "BŁĄD",
    "OSTRZEŻENIE",
    "UWAGA",
    "DZIENNIK",
    "KATASTROFALNY",
    "PANIKA",
    // pt_BR
    "ERRO",
    "AVISO",
    "NOTA",
    "PÂNICO",
    // ru
    "ОШИБКА",
    "ПРЕДУПРЕЖДЕНИЕ",
    "ЗАМЕЧАНИЕ",
    "СООБЩЕНИЕ",
    "ВАЖНО",
    "ПАНИКА",
    "ОТЛАДКА",
    "ИНФОРМАЦИЯ",
    // sv
    "FEL",
    "VARNING",
    "NOTIS",
    "LOGG",
    "FATALT",
    "PANIK",
    // tr
    "HATA",
    "UYARI",
    "NOT",
    "BİLGİ",
    "ÖLÜMCÜL",
    "KRİTİK",
    // uk
    "НАЛАГОДЖЕННЯ",
    "ІНФОРМАЦІЯ",
    "ПОМИЛКА",
    "ПОПЕРЕДЖЕННЯ",
    "ПОВІДОМЛЕННЯ",
    "ЗАПИСУВАННЯ",
    "ФАТАЛЬНО",
    "ПАНІКА",
    // cs, ka
    "CHYBA",
    "VAROVÁNÍ",
    "გამართვა",
    "ინფორმაცია",
    "ფატალური",
    "პანიკა",
    "შეცდომა",
    "გაფრთხილება",
    "შეტყობინება",
    "ჟურნალი",
    // ja
    "エラー",
    "警告",
    "ログ",
    "情報",
    "通知",
    "デバッグ",
    // ko
    "오류",
    "경고",
    "알림",
    "로그",
    "치명적오류",
    "손상",
    "디버그",
    "정보",
    // zh_CN and zh_TW
    "错误",
    "日志",
    "注意",
    "致命错误",
    "调试",
    "信息",
    "錯誤",
    "日誌",
    "致命錯誤",
    "偵錯",
    "資訊",
    "比致命错误还过分的错误",
];

/// Labels of further lines as catalogues translate them; some leave the severities as they are.
const LABELS: &[&str] = &[
    // de
    "TIPP",
    "ANFRAGE",
    "ZUSAMMENHANG",
    "ANWEISUNG",
    // es
    "DETALLE",
    "CONSULTA",
    "CONTEXTO",
    "SENTENCIA",
    // fr
    "DÉTAIL",
    "ASTUCE",
    "REQUÊTE",
    "CONTEXTE",
    "INSTRUCTION",
    // it
    "DETTAGLI",
    "SUGGERIMENTO",
    "CONTESTO",
    "ISTRUZIONE",
    // ja
    "詳細",
    "ヒント",
    "問い合わせ",
    "文脈",
    "文",
    // ka
    "დეტალები",
    "მინიშნება",
    "მოთხოვნა",
    "კონტექსტი",
    "ოპერატორი",
    // ko
    "상세정보",
    "힌트",
    "쿼리",
    "내용",
    "명령 구문",
    // ru
    "ПОДРОБНОСТИ",
    "ПОДСКАЗКА",
    "ЗАПРОС",
    "КОНТЕКСТ",
    "ОПЕРАТОР",
    // sv
    "DETALJ",
    "TIPS",
    "FRÅGA",
    "KONTEXT",
    "SATS",
    // uk
    "ВІДОМОСТІ",
    "УКАЗІВКА",
    "ЗАПИТ",
    "КОНТЕКСТ",
    "ІНСТРУКЦІЯ",
    // zh_CN
    "详细信息",
    "提示",
    "查询",
    "上下文",
    "语句",
];

/// Beginnings of messages about statements, in languages that leave `LOG` as it is.
const MESSAGES: &[&str] = &[
    // de
    "Anweisung: ",
    "Dauer: ",
    // es
    "sentencia: ",
    "duración: ",
    // fr
    "instruction : ",
    "durée : ",
    // it
    "istruzione: ",
    "durata: ",
    // pl
    "wyrażenie: ",
    "czas trwania: ",
    // pt_BR
    "comando: ",
    "instrução: ",
    "duração: ",
    // ru
    "оператор: ",
    "продолжительность: ",
    // sv
    "sats: ",
    "varaktighet: ",
    "varaktighet ",
    "längd: ",
    // tr
    "ifade: ",
    "süre: ",
    // uk
    "оператор: ",
    "тривалість: ",
    // ja
    "文: ",
    "期間: ",
    // ko
    "명령 구문: ",
    "실행시간: ",
    "수행시간: ",
    // ka
    "ხანგრძლივობა: ",
    "ოპერატორი: ",
    // zh_CN and zh_TW
    "语句: ",
    "执行时间: ",
    "持续时间: ",
    "陳述式: ",
];

/// Why a line is no entry.
#[cold]
pub(crate) fn reason(line: &[u8]) -> &'static str {
    match whose(line) {
        Some(NoLog::PgBouncer) => "pgbouncer_line",
        Some(NoLog::Patroni) => "patroni_line",
        Some(NoLog::Localized) => "localized_messages",
        Some(NoLog::Other) | None => "prefix_mismatch",
    }
}

/// Whose line this is, if it is of a kind that is known.
pub(crate) fn whose(line: &[u8]) -> Option<NoLog> {
    let line = up_to(line, crate::bytes::line_end(line, 0));
    if is_pgbouncer(line) {
        Some(NoLog::PgBouncer)
    } else if is_patroni(line) {
        Some(NoLog::Patroni)
    } else {
        is_localized(line).then_some(NoLog::Localized)
    }
}

/// Whether a severity is a translated one.
pub(crate) fn is_translated_severity(word: &[u8]) -> bool {
    SEVERITIES.iter().any(|known| known.as_bytes() == word)
}

/// Whether a message of severity LOG is about a statement or a duration, in another language.
#[cold]
pub(crate) fn is_translated_message(message: &[u8]) -> bool {
    MESSAGES.iter().any(|known| message.starts_with(known.as_bytes()))
}

/// `2026-11-23 05:04:31.054 UTC [7] LOG C-0x…: …`: one blank behind the level, and no colon.
fn is_pgbouncer(line: &[u8]) -> bool {
    let Some((_, end)) = Clock::default().read(line, 0, true) else {
        return false;
    };
    let Some(rest) = from(line, end).strip_prefix(b" [") else {
        return false;
    };
    let Some(level) = digits(rest, 0).and_then(|(_, end)| from(rest, end).strip_prefix(b"] ")) else {
        return false;
    };
    ["LOG ", "WARNING ", "ERROR ", "FATAL ", "DEBUG ", "NOISE "]
        .iter()
        .any(|known| level.starts_with(known.as_bytes()))
}

/// `2026-11-23 05:04:31,054 INFO: …`.
fn is_patroni(line: &[u8]) -> bool {
    let second = slice(line, 0, 19);
    let shape = second.iter().enumerate().all(|(place, byte)| match place {
        4 | 7 => *byte == b'-',
        10 => *byte == b' ',
        13 | 16 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if second.len() < 19 || !shape || at(line, 19) != b',' {
        return false;
    }
    let Some((_, end)) = digits(line, 20) else { return false };
    [" INFO: ", " WARNING: ", " ERROR: ", " CRITICAL: ", " DEBUG: "]
        .iter()
        .any(|known| from(line, end).starts_with(known.as_bytes()))
}

/// A translated severity, its colon and two blanks; French has a blank before the colon.
fn is_localized(line: &[u8]) -> bool {
    if line.starts_with(b"\t") {
        return false;
    }
    let head = up_to(line, Label::MAX_POSITION);
    memchr::memmem::find_iter(head, b":  ").any(|colon| {
        let before = slice(head, 0, colon);
        let before = before
            .strip_suffix(b" ")
            .or(before.strip_suffix("\u{a0}".as_bytes()))
            .unwrap_or(before);
        let begins_word = |start: usize| {
            start == 0
                || from(before, start - 1)
                    .first()
                    .is_some_and(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())
        };
        SEVERITIES.iter().chain(LABELS).any(|word| {
            let start = before.strip_suffix(word.as_bytes()).map(<[u8]>::len);
            start.is_some_and(begins_word)
        })
    })
}

/// What a whole file is, by its first lines, where no entry was found in it.
pub(crate) fn of_sample(sample: &[u8]) -> Option<NoLog> {
    let lines = sample.split(|byte| *byte == b'\n').take(200);
    lines.filter_map(whose).next()
}

#[cfg(test)]
mod tests {
    use crate::evidence::Evidence;
    use crate::{LogError, Options, Source, analyse};

    fn run(log: &str) -> Result<Evidence, LogError> {
        let source = Source::stream("-".to_owned(), Box::new(std::io::Cursor::new(log.as_bytes().to_vec())));
        analyse(vec![source], &Options::default(), &|_| {})
    }

    const BOUNCER: &str =
        "2026-11-23 05:04:31.054 UTC [7] LOG C-0x5581: shop/bob@10.0.0.1:5123 login attempt: db=shop user=bob tls=no\n";
    const PATRONI: &str = "2026-11-23 05:04:31,054 INFO: no action. I am (pg-1), the leader with the lock\n";
    const GERMAN: &str =
        "2026-11-23 05:04:31.054 UTC [7] bob@shop web: FEHLER:  Relation »x« existiert nicht bei Zeichen 15\n";
    const FRENCH: &str = "2026-11-23 05:04:31.054 UTC [7] bob@shop web: ERREUR :  la relation « x » n'existe pas\n";
    const SERVER: &str =
        "2026-11-23 05:04:31.054 UTC [7] bob@shop web: LOG:  duration: 1.000 ms  statement: SELECT 1\n";

    #[test]
    fn lines_of_others_are_counted_as_theirs() {
        let evidence = run(&[SERVER, SERVER, BOUNCER, PATRONI, GERMAN, FRENCH, "else\n"].concat()).unwrap();
        let reasons = &evidence.source.unparsed;
        assert_eq!(
            (
                reasons["pgbouncer_line"].count,
                reasons["patroni_line"].count,
                reasons["prefix_mismatch"].count
            ),
            (1, 1, 1)
        );
        assert_eq!(reasons["localized_messages"].count, 2);
        assert_eq!((evidence.source.entries_scanned, evidence.errors.len()), (2, 0));
    }

    #[test]
    fn a_whole_file_of_theirs_is_told_as_that() {
        for (log, word) in [
            (BOUNCER, "pgBouncer"),
            (PATRONI, "Patroni"),
            (GERMAN, "lc_messages"),
            ("2026-11-23 05:04:31.054 UTC [7] ОШИБКА:  x\n", "lc_messages"),
        ] {
            let error = run(&log.repeat(3)).unwrap_err();
            assert!(
                matches!(error, LogError::NotALog { .. }) && error.to_string().contains(word),
                "{error}"
            );
        }
    }

    #[test]
    fn translated_messages_are_told_in_each_format() {
        // Spanish leaves the severities as they are, but not the labels.
        let spanish = SERVER.replace(
            "LOG:  duration",
            "ERROR:  x\n2026-11-23 05:04:31.054 UTC [7] bob@shop web: SENTENCIA:  SELECT 1; duration",
        );
        assert_eq!(run(&spanish).unwrap().source.unparsed["localized_messages"].count, 1);
        let german = SERVER.replace("duration: 1.000 ms  statement", "Dauer: 1.000 ms  Anweisung");
        let csv = |severity: &str, message: &str| {
            format!(
                "2026-11-23 05:04:31.054 UTC,\"bob\",\"shop\",7,\"[local]\",6b03c95f.7,1,\"SELECT\",2026-11-23 05:00:00 UTC,3/0,0,{severity},00000,\"{message}\",,,,,,,,,\"web\",\"client backend\",,0\n"
            )
        };
        let json = "{\"timestamp\":\"2026-11-23 05:04:31.054 UTC\",\"pid\":7,\"error_severity\":\"エラー\",\"message\":\"x\"}\n";
        let logs = [
            german,
            csv("FEHLER", "x"),
            csv("LOG", "durée : 1.000 ms"),
            json.to_owned(),
        ];
        for log in &logs {
            let evidence = run(log).unwrap();
            assert_eq!(evidence.total_executions, 0);
            let told = evidence
                .limitations
                .iter()
                .find(|limitation| limitation.code == "localized_messages");
            let unparsed = evidence.source.unparsed.get("localized_messages");
            assert!(told.is_some() || unparsed.is_some(), "{log}");
        }
    }
}
