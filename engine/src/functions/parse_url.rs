//! `parse_url(url, part[, key])`, by the rules of `java.net.URL`: lenient, nothing is decoded, and a URL whose
//! protocol Java does not know (or has none) is NULL.
//!
//! Source: Hive `UDFParseUrl`; `java.net.URLStreamHandler.parseURL`.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::builtin::{Arguments, Builtin, Kind};
use super::pattern::compile;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![Builtin::fixed("parse_url", &[Kind::String, Kind::String, Kind::String], 1, Kind::String, evaluate)]
}

fn evaluate(arguments: &Arguments) -> Result<ArrayRef> {
    let (urls, parts) = (arguments.strings(0)?, arguments.strings(1)?);
    let keys = if arguments.len() > 2 { Some(arguments.strings(2)?) } else { None };
    let mut failed = None;
    let result = arguments.to_strings(|row, out| {
        let (url, part) = (Url::parse(urls.get(row)?)?, parts.get(row)?);
        let Some(keys) = &keys else { return url.part(part, out) };
        let key = keys.get(row)?;
        let query = url.query.filter(|_| part == "QUERY")?;
        // The key is part of a regular expression in Hive too.
        let value = compile(&format!("(&|^){key}=([^&]*)")).and_then(|regex| regex.captures(query, 0));
        match value {
            Ok(groups) => {
                let (start, end) = groups?.get(2).copied()??;
                out.push_str(&query[start..end]);
                Some(())
            }
            Err(error) => {
                failed = Some(error);
                None
            }
        }
    });
    failed.map_or(result, Err)
}

/// The parts of a URL as `java.net.URL` cuts them.
#[derive(Debug, PartialEq)]
struct Url<'a> {
    protocol: String,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    reference: Option<&'a str>,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c <= ' ');
        let text = text.strip_prefix("url:").unwrap_or(text);
        let (protocol, rest) = text.split_once(':')?;
        let protocol = protocol.to_ascii_lowercase();
        if !matches!(protocol.as_str(), "http" | "https" | "ftp" | "file" | "mailto" | "jar") {
            return None;
        }
        let (rest, reference) = match rest.split_once('#') {
            Some((rest, reference)) => (rest, Some(reference)),
            None => (rest, None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        // A port that is no number is no URL.
        if let Some(port) = authority.and_then(port)
            && !port.is_empty()
            && port.parse::<u32>().is_err()
        {
            return None;
        }
        Some(Url { protocol, authority, path, query, reference })
    }

    fn host(&self) -> &'a str {
        let authority = self.authority.unwrap_or("");
        let host = authority.split_once('@').map_or(authority, |(_, host)| host);
        if host.starts_with('[') {
            return host.find(']').map_or(host, |end| &host[..=end]);
        }
        host.split_once(':').map_or(host, |(host, _)| host)
    }

    fn part(&self, part: &str, out: &mut String) -> Option<()> {
        match part {
            "HOST" => out.push_str(self.host()),
            "PATH" => out.push_str(self.path),
            "QUERY" => out.push_str(self.query?),
            "REF" => out.push_str(self.reference?),
            "PROTOCOL" => out.push_str(&self.protocol),
            "FILE" => {
                out.push_str(self.path);
                if let Some(query) = self.query {
                    out.push('?');
                    out.push_str(query);
                }
            }
            "AUTHORITY" => out.push_str(self.authority?),
            "USERINFO" => out.push_str(self.authority?.split_once('@')?.0),
            _ => return None,
        }
        Some(())
    }
}

fn port(authority: &str) -> Option<&str> {
    let host = authority.split_once('@').map_or(authority, |(_, host)| host);
    let after = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.1,
        None => host,
    };
    after.split_once(':').map(|(_, port)| port)
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn parts_of_urls() {
        let url = "'http://user:pw@Facebook.com:80/path/p1.php?query=1&b=2#ref'";
        for (part, expected) in [
            ("HOST", "Facebook.com"),
            ("PATH", "/path/p1.php"),
            ("QUERY", "query=1&b=2"),
            ("REF", "ref"),
            ("PROTOCOL", "http"),
            ("FILE", "/path/p1.php?query=1&b=2"),
            ("AUTHORITY", "user:pw@Facebook.com:80"),
            ("USERINFO", "user:pw"),
            ("host", "NULL"),
        ] {
            check(&format!("parse_url({url}, '{part}')"), expected);
        }
        check(&format!("parse_url({url}, 'QUERY', 'b')"), "2");
        check(&format!("parse_url({url}, 'QUERY', 'x')"), "NULL");
        check(&format!("parse_url({url}, 'HOST', 'b')"), "NULL");
        check("parse_url('http://a.b', 'PATH')", "");
        check("parse_url('http://a.b/?', 'QUERY')", "");
        check("parse_url('/only/path?x=1', 'PATH')", "NULL");
        check("parse_url('-', 'HOST')", "NULL");
        check("parse_url('gopher://a', 'HOST')", "NULL");
        check("parse_url('http://a.b/c d?x=%20', 'QUERY')", "x=%20");
    }
}
