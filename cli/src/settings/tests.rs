//! What wins when flags, environment and files differ, and how what cannot be read is refused.

use clap::Parser;

use super::*;

/// A working directory with `logq.toml`, a home with `.config/logq/config.toml`, and `named.toml`; empty = no file.
struct Scene {
    dir: tempfile::TempDir,
    environment: Environment,
}

impl Scene {
    fn new(variables: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut variables: BTreeMap<_, _> = variables.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        variables.insert("HOME".into(), dir.path().join("home").display().to_string());
        let environment = Environment {
            variables,
            working_dir: dir.path().to_owned(),
            root: dir.path().to_owned(),
            ..Environment::default()
        };
        Scene { dir, environment }
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn load(&self, args: &[&str]) -> Result<Settings> {
        let args = Args::try_parse_from(std::iter::once("logq").chain(args.iter().copied())).unwrap();
        load(&args.options, &self.environment)
    }
}

fn values(bindings: &[Binding]) -> Vec<String> {
    bindings.iter().map(|b| format!("{}={}", b.key, b.value)).collect()
}

#[test]
fn the_stronger_source_wins() {
    let scene = Scene::new(&[("LOGQ_FORMAT", "json"), ("LOGQ_THREADS", "3")])
        .file("home/.config/logq/config.toml", "format = \"csv\"\nthreads = 9\nnull = \"user\"\ndatabase = \"user\"")
        .file("logq.toml", "format = \"tsv\"\nnull = \"local\"\ntemp-dir = \"spill\"")
        .file("named.toml", "format = \"table\"\nheader = true");
    let settings = scene.load(&["--format", "markdown", "--config", "named.toml"]).unwrap();
    assert_eq!(settings.format, Format::Markdown);
    assert_eq!(settings.engine.threads, 3);
    assert_eq!(settings.header, Some(true));
    assert_eq!(settings.null.as_deref(), Some("local"));
    assert_eq!(settings.database.as_deref(), Some("user"));
    assert_eq!(settings.engine.temp_dir, scene.dir.path().join("spill"));
    assert_eq!(scene.load(&[]).unwrap().format, Format::Json);
}

#[test]
fn variables_of_files_are_the_weakest() {
    let scene = Scene::new(&[]).file("logq.toml", "[variables]\nINPUT = \"sample-data\"\nOUTPUT = \"out\"\nN = 3");
    let settings = scene.load(&["-d", "INPUT=elsewhere"]).unwrap();
    assert_eq!(values(&settings.hivevars), ["N=3", "OUTPUT=out", "INPUT=elsewhere"]);
    assert_eq!(settings.hivevars[1].origin, "logq.toml");
}

#[test]
fn settings_may_be_dotted_or_quoted() {
    let text = "[settings]\nhive.cli.print.header = true\n\"logq.serde.strict\" = \"true\"";
    let scene = Scene::new(&[]).file("logq.toml", text);
    let settings = scene.load(&["--hiveconf", "a=1", "--hiveconf", "a=2"]).unwrap();
    assert_eq!(values(&settings.hiveconfs), ["hive.cli.print.header=true", "logq.serde.strict=true", "a=2"]);
}

#[test]
fn a_wrong_file_is_shown_with_its_line() {
    let check = |text: &str, expected: &str| {
        let error = Scene::new(&[]).file("logq.toml", text).load(&[]).unwrap_err();
        let shown = crate::diagnostics::error(&error, ErrorFormat::Short, crate::diagnostics::Style::new(false));
        assert!(shown.starts_with(expected), "{shown}");
        assert_eq!(crate::exit_code::of(&error), 2);
    };
    check("[variables]\n\n[variabels]\nINPUT = \"x\"", "logq.toml:3:2: error[LQ0300]: unknown field `variabels`");
    check("threads = 2\nformat = \"xml\"", "logq.toml:2:10: error[LQ0300]: unknown variant `xml`");
    check("memory-limit = \"lots\"", "logq.toml:1:16: error[LQ0300]: expected a size such as");
    check("[variables\n", "logq.toml:1:11: error[LQ0300]:");
    check("[variables]\nA = [1]", "logq.toml: error[LQ0300]: `variables.A` is a list");
}

#[test]
fn wrong_variables_and_missing_files_are_named() {
    let message = |scene: Scene, args: &[&str]| scene.load(args).unwrap_err().message().to_owned();
    assert_eq!(
        message(Scene::new(&[("LOGQ_PROGRESS", "often")]), &[]),
        "LOGQ_PROGRESS=often: expected one of auto, always, never, json"
    );
    assert_eq!(message(Scene::new(&[]), &["--config", "x.toml"]), "cannot read the configuration file `x.toml`");
}

#[test]
fn temp_dir_comes_from_tmpdir() {
    assert_eq!(Scene::new(&[("TMPDIR", "/scratch")]).load(&[]).unwrap().engine.temp_dir, Path::new("/scratch"));
}

#[test]
fn memory_limits_are_read() {
    let check = |text: &str, expected| assert_eq!(text.parse(), Ok(expected), "{text}");
    check("512MB", MemoryLimit::Bytes(512_000_000));
    check("2GiB", MemoryLimit::Bytes(2 << 30));
    check("1g", MemoryLimit::Bytes(1 << 30));
    check("1.5 KiB", MemoryLimit::Bytes(1536));
    check("4096", MemoryLimit::Bytes(4096));
    check("60%", MemoryLimit::Percent(60));
    for text in ["", "lots", "0", "0%", "101%", "-1g", "1x", "1.2.3g"] {
        assert!(text.parse::<MemoryLimit>().is_err(), "{text}");
    }
}

#[test]
fn memory_is_a_share_of_what_there_is() {
    let scene = Scene::new(&[]).file("proc/meminfo", "MemTotal:  1000000 kB\n");
    assert_eq!(scene.load(&[]).unwrap().engine.memory_limit, 614_400_000);
    assert_eq!(scene.load(&["--memory-limit", "10%"]).unwrap().engine.memory_limit, 102_400_000);
    assert_eq!(scene.load(&["--memory-limit", "1g"]).unwrap().engine.memory_limit, 1 << 30);
    assert_eq!(Scene::new(&[]).load(&[]).unwrap().engine.memory_limit, EngineConfig::default().memory_limit);
}

#[test]
fn colours_follow_flag_then_environment_then_terminal() {
    let check = |args: &[&str], variables: &[(&str, &str)], is_terminal: bool, expected: bool| {
        let mut scene = Scene::new(variables);
        scene.environment.stderr_is_terminal = is_terminal;
        assert_eq!(scene.load(args).unwrap().presentation.color, expected, "{args:?} {variables:?} {is_terminal}");
    };
    check(&[], &[], true, true);
    check(&[], &[], false, false);
    check(&[], &[("NO_COLOR", "1")], true, false);
    check(&[], &[("NO_COLOR", "")], true, true);
    check(&[], &[("CLICOLOR_FORCE", "1")], false, true);
    check(&[], &[("TERM", "dumb")], true, false);
    check(&["--color", "always"], &[("NO_COLOR", "1")], false, true);
    check(&["--color", "never"], &[("CLICOLOR_FORCE", "1")], true, false);
}
