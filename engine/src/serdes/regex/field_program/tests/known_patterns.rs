//! Patterns that guides publish for log tables, as the matcher gets them, with lines of those formats.
//!
//! The patterns are facts about what users have; each names where it was published. The lines are made up, with the
//! example domains and addresses of RFC 2606 and RFC 5737.

pub(super) struct KnownPattern {
    pub name: &'static str,
    pub pattern: &'static str,
    pub lines: &'static [&'static str],
}

const TUTORIAL_LINES: &[&str] = &[
    "2014-07-05\t20:00:00\tLHR3\t4260\t192.0.2.15\tGET\teabcd12345678.cloudfront.net\t/test-image-1.jpeg\t200\t-\tMozilla/5.0%20(MacOS;%20U;%20Windows%20NT%205.1;%20en-US;%20rv:1.9.0.9)%20Gecko/2009040821%20IE/3.0.9",
    "2014-07-06 20:00:01 FRA2 10 2001:db8::1 GET eabcd12345678.cloudfront.net /a/b 304 - Mozilla/5.0%20(X11;%20Linux)%20(KHTML,%20like%20Gecko)%20Chrome/35.0",
    "2014-07-05\t20:00:00\tLHR3\t4260\t192.0.2.15\tGET\th.example.com\t/\t200\t-\tcurl/7.38.0",
    "2014-07-05\t20:00:00\tLHR3\t-\t192.0.2.15\tGET\th.example.com\t/\t200\t-\tMozilla/5.0%20(iOS;%20U)%20Safari/3\t-\t-\tHit",
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)",
];

const TUTORIAL_WITH_OUTCOME_LINES: &[&str] = &[
    "2014-07-05\t20:00:00\tLHR3\t4260\t192.0.2.15\tGET\th.example.com\t/a.jpeg\t200\t-\tMozilla/5.0%20(MacOS;%20U)%20Gecko/1%20IE/3.0.9\tsuccess",
    "2014-07-05\t20:00:00\tLHR3\t4260\t192.0.2.15\tGET\th.example.com\t/a.jpeg\t500\t-\tMozilla/5.0%20(Linux;%20U)%20Gecko/1%20IE/3.0 9 \terror",
    "2014-07-05\t20:00:00\tLHR3\t4260\t192.0.2.15\tGET\th.example.com\t/a.jpeg\t500\t-\tMozilla/5.0%20(Linux;%20U)%20Gecko/1%20IE/3.0.9\tmaybe",
];

const APACHE_LINES: &[&str] = &[
    r#"192.0.2.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#,
    r#"192.0.2.6 - - [14/Jan/2012:06:25:03 -0800] "GET /example.com HTTP/1.1" 404 - "-" "Mozilla/5.0 (compatible; bot/2.1; +http://www.example.com/bot.html)""#,
    r#"198.51.100.7 - - [14/Jun/2014:10:30:13 +0200] "POST /a?b=c%20d HTTP/1.1" 200 1671 "http://www.example.com/" "Mozilla/5.0 (X11) Gecko/2 Firefox/35.0""#,
    r#"192.0.2.6 - - - GET 404 - - -"#,
    r#"192.0.2.6 - - [14/Jan/2012:06:25:03 -0800] "GET /a\"b HTTP/1.1" 200 1 "say \"hi\"" "-""#,
];

const S3_LINES: &[&str] = &[
    r#"79a59df900b949e55d96 examplebucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df900b949e55d96 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /examplebucket?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6Uk= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader examplebucket.example.com TLSv1.2 - -"#,
    r#"79a59df900b949e55d96 examplebucket [06/Feb/2019:00:01:57 +0000] 192.0.2.3 - DD6CC733AEXAMPLE REST.PUT.OBJECT s3-dg.pdf "PUT /examplebucket/s3-dg.pdf HTTP/1.1" 200 - - 4406583 41754 28 "-" "aws cli/1 (x; y)" -"#,
    r#"79a59df900b949e55d96 examplebucket [06/Feb/2019:00:01:58 +0000] - - - S3.EXPIRE.OBJECT a[1] - - - - 17 - - - - -"#,
];

const CLASSIC_BALANCER_LINES: &[&str] = &[
    r#"2015-05-13T23:39:43.945958Z my-loadbalancer 192.0.2.39:2817 198.51.100.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -"#,
    r#"2015-05-13T23:39:43.945958Z my-loadbalancer 2001:db8::5:2817 - -1 -1 -1 503 0 0 0 "GET https://www.example.com:443/ HTTP/1.1" "Mozilla/5.0 (X11; Linux)" DHE-RSA-AES128-SHA TLSv1.2"#,
    r#"2015-05-13T23:39:43.945958Z my-loadbalancer 192.0.2.39:2817 198.51.100.1:80 0.001069 0.000028 0.000041 - - 82 305 "- - - " "-" - -"#,
];

const BALANCER_LINES: &[&str] = &[
    r#"https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.39:2817 198.51.100.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "Mozilla/5.0 (X11; Linux) Gecko/1" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/1234" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" "198.51.100.1:80" "200" "-" "-" TID_1234abcd5678ef90"#,
    r#"http 2018-11-30T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.39:2817 - -1 -1 -1 502 - 34 366 "GET http://www.example.com:80/a b HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2 "Root=1-58337364" "-" "-" 0 2018-11-30T22:22:48.364000Z "waf,redirect" "https://example.com:443/" "-" "-" "-" "-" "-""#,
    r#"h2 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.39:2817 198.51.100.1:80 0.086 0.048 0.037 200 200 0 57 "- http://www.example.com:80- - " "-" - - - "-" "-" "-" - 2018-07-02T22:22:48.364000Z "-" "-" "-" "-" "-" "-" "-" TID_1 more to come"#,
];

const NETWORK_BALANCER_LINES: &[&str] = &[
    r#"tls 2.0 2018-12-20T02:59:40 net/my-network-loadbalancer/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.2:51341 198.51.100.4:443 5 2 98 246 - arn:aws:acm:us-east-2:123456789012:certificate/2a10 - ECDHE-RSA-AES128-SHA tlsv12 - my-network-loadbalancer.example.com - - -"#,
    r#"tls 2.0 2018-12-20T02:59:40 net/my-network-loadbalancer/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.2:51341 198.51.100.4:443 5 2 98 246 - arn - ECDHE-RSA-AES128-SHA tlsv12 - my.example.com h2 h2 "h2","http/1.1" 2020-04-01T08:51:42 rest of it"#,
];

const CONNECTION_LINES: &[&str] = &[
    r#"2023-10-04T17:05:15.514108Z 192.0.2.1 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 "C=XX,ST=Example" NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 Success TID_3180a73013c8ca4bac2f731159d4b0fe"#,
    r#"2023-10-04T17:05:15.514108Z 192.0.2.1 36280 80 - - - "-" - - - TID_1 and more"#,
];

pub(super) const KNOWN_PATTERNS: &[KnownPattern] = &[
    // Amazon EMR management guide, "Process sample data" (2019), and Amazon Athena user guide, "Regex SerDe".
    KnownPattern {
        name: "tutorial",
        pattern: r"^(?!#)([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^(]+[(]([^;]+).*\%20([^/]+)[/](.*)$",
        lines: TUTORIAL_LINES,
    },
    // The same in scripts of others: fewer groups, other spellings of its classes, a column more.
    KnownPattern {
        name: "tutorial, respelled",
        pattern: r"(?!#.*)([^\x20]{1,})[\t-\r ]+([^ ]+)(?:\s)+(?:[^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^ ]+\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^\(]+\(([^\;]+).*%20([^\/]+)\/(.*)\z",
        lines: TUTORIAL_LINES,
    },
    KnownPattern {
        name: "tutorial, tabs",
        pattern: r"^(?!#)([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t([^\t]+)\t[^(]+[(]([^;]+).*\%20([^/]+)[/](.*)$",
        lines: TUTORIAL_LINES,
    },
    KnownPattern {
        name: "tutorial, 14 columns",
        pattern: r"^(?!#)([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^(]+[(]([^;]+).*\%20([^/]+)[/](.*)\s+(success|error)$",
        lines: TUTORIAL_WITH_OUTCOME_LINES,
    },
    KnownPattern {
        name: "cloudfront, any blanks",
        pattern: r"^(?!#.*)(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*(\S*)\s*(.*)",
        lines: TUTORIAL_LINES,
    },
    // Hive's own test serde_regex.q, and the page "Apache Weblog Data" of its manual.
    KnownPattern {
        name: "apache",
        pattern: r#"([^ ]*) ([^ ]*) ([^ ]*) (-|\[[^\]]*\]) ([^ "]*|"[^"]*") (-|[0-9]*) (-|[0-9]*)(?: ([^ "]*|"[^"]*") ([^ "]*|"[^"]*"))?"#,
        lines: APACHE_LINES,
    },
    KnownPattern {
        name: "apache, quotes in quotes",
        pattern: r#"([^ ]*) ([^ ]*) ([^ ]*) (-|\[[^\]]*\]) ([^ "]*|"[^"]*") (-|[0-9]*) (-|[0-9]*)(?: ([^ "]*|".*") ([^ "]*|".*"))?"#,
        lines: APACHE_LINES,
    },
    // As courses on Hive have it, and with an address digit by digit.
    KnownPattern {
        name: "apache combined",
        pattern: r#"^([\d.]+) (\S+) (\S+) \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) (\d+|-) "([^"]+)" "([^"]+)"$"#,
        lines: APACHE_LINES,
    },
    KnownPattern {
        name: "apache by digits",
        pattern: r#"^((?:\d{1,3}\.){3}\d{1,3}) (\S+) (\S+) \[(\d{2}/\w{3}/\d{4}):([^ ]+) ([^\]]+)\] "(GET|POST|HEAD) ([^"]*) HTTP/(\d\.\d)" (\d{3}) (-|\d+)(.*)$"#,
        lines: APACHE_LINES,
    },
    // The combined format of nginx is Apache's; the second is the one of Fluentd's manual, page "nginx".
    KnownPattern {
        name: "nginx",
        pattern: r#"^(\S+) - (\S+) \[([^\]]*)\] "(\S+) ([^"]*?) (\S+)" (\d+) (\d+|-) "([^"]*)" "([^"]*)"$"#,
        lines: APACHE_LINES,
    },
    KnownPattern {
        name: "nginx of fluentd",
        pattern: r#"^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\"]*)" "(?<agent>[^\"]*)"(?:\s+(?<forwarded>[^ ]+))?)?$"#,
        lines: APACHE_LINES,
    },
    // Amazon S3 user guide, "Using Amazon S3 server access logs to identify requests", and the form before 2019.
    KnownPattern {
        name: "s3",
        pattern: r#"([^ ]*) ([^ ]*) \[(.*?)\] ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ("[^"]*"|-) (-|[0-9]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ("[^"]*"|-) ([^ ]*)(?: ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*))?.*$"#,
        lines: S3_LINES,
    },
    KnownPattern {
        name: "s3, request in parts",
        pattern: r#"([^ ]*) ([^ ]*) \[(.*?)\] ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) \"([^ ]*) ([^ ]*) (- |[^ ]*)\" (-|[0-9]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ("[^"]*") ([^ ]*)(?: ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*))?.*$"#,
        lines: S3_LINES,
    },
    // Amazon Athena user guide, "Querying Classic Load Balancer logs".
    KnownPattern {
        name: "classic load balancer",
        pattern: r#"([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:\-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) \"([^ ]*) ([^ ]*) (- |[^ ]*)\" ("[^"]*") ([A-Z0-9-]+) ([A-Za-z0-9.-]*)$"#,
        lines: CLASSIC_BALANCER_LINES,
    },
    // Amazon Athena user guide, "Querying Application Load Balancer logs", of 2018 and of 2024; connection logs; and
    // "Querying Network Load Balancer logs".
    KnownPattern {
        name: "application load balancer of 2018",
        pattern: r#"([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) "([^ ]*) ([^ ]*) (- |[^ ]*)" "([^"]*)" ([A-Z0-9-]+) ([A-Za-z0-9.-]*) ([^ ]*) "([^"]*)" "([^"]*)" "([^"]*)" ([-.0-9]*) ([^ ]*) "([^"]*)"($| "[^ ]*")(.*)"#,
        lines: BALANCER_LINES,
    },
    KnownPattern {
        name: "application load balancer",
        pattern: r#"([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*)[:-]([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-.0-9]*) (|[-0-9]*) (-|[-0-9]*) ([-0-9]*) ([-0-9]*) \"([^ ]*) (.*) (- |[^ ]*)\" \"([^\"]*)\" ([A-Z0-9-_]+) ([A-Za-z0-9.-]*) ([^ ]*) \"([^\"]*)\" \"([^\"]*)\" \"([^\"]*)\" ([-.0-9]*) ([^ ]*) \"([^\"]*)\" \"([^\"]*)\" \"([^ ]*)\" \"([^\s]+?)\" \"([^\s]+)\" \"([^ ]*)\" \"([^ ]*)\" ?([^ ]*)?( .*)?"#,
        lines: BALANCER_LINES,
    },
    KnownPattern {
        name: "application load balancer, connections",
        pattern: r#"([^ ]*) ([^ ]*) ([0-9]*) ([0-9]*) ([A-Za-z0-9.-]*) ([^ ]*) ([-.0-9]*) \"([^\"]*)\" ([^ ]*) ([^ ]*) ([^ ]*) ?([^ ]*)?( .*)?"#,
        lines: CONNECTION_LINES,
    },
    KnownPattern {
        name: "network load balancer",
        pattern: r"([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*):([0-9]*) ([^ ]*):([0-9]*) ([-.0-9]*) ([-.0-9]*) ([-0-9]*) ([-0-9]*) ([-0-9]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ?([^ ]*)?( .*)?",
        lines: NETWORK_BALANCER_LINES,
    },
];
