//! What a step runs, of what logq can run: a Hive script or a copy.
//!
//! Source: EMR's release guide on command-runner.jar (runs a program of the master node with its arguments) and
//! script-runner.jar (runs a script of a URL; before EMR 4 that was how Hive was started). Every argument is read here,
//! so that a step that cannot run is known before the first one does.

use super::config::{COMMAND_RUNNER, StepConfig};
use super::shell;
use crate::commands::copy;
use crate::commands::hive::{self, HiveUsage};
use crate::settings::Environment;

/// Commands of logq, of which each runs if the one before ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The words of each, from the verb on: `hive`, `s3-dist-cp`, `aws`.
    commands: Vec<Vec<String>>,
}

impl Program {
    /// What the step runs.
    ///
    /// Errors: why logq does not run it, as it follows "step 3, `name`, ".
    pub fn of_step(step: &StepConfig, environment: &Environment) -> Result<Program, String> {
        let jar = last_name(&step.jar);
        match jar {
            COMMAND_RUNNER | "script-runner.jar" => Program::of_command(&step.args, environment),
            _ if jar.ends_with(".jar") && jar.to_ascii_lowercase().contains("s3distcp") => Program::dist_cp(&step.args),
            _ => Err(format!("runs `{}`, which logq does not", step.jar)),
        }
    }

    fn of_command(words: &[String], environment: &Environment) -> Result<Program, String> {
        let Some((command, args)) = words.split_first() else {
            return Err("runs nothing: it has no arguments".to_owned());
        };
        match last_name(command) {
            "hive" | "hive-script" => Program::hive(args, environment),
            "s3-dist-cp" => Program::dist_cp(args),
            "aws" => Program::aws(args),
            "bash" | "sh" => match shell_text(args) {
                Some((text, stops_at_failure)) => {
                    let commands = shell::commands(text, stops_at_failure);
                    let commands = commands.map_err(|what| format!("runs a shell: {what}"))?;
                    if commands.is_empty() {
                        return Err("runs a shell that runs nothing".to_owned());
                    }
                    let programs = commands.iter().map(|words| Program::of_command(words, environment));
                    let programs: Vec<Program> = programs.collect::<Result<_, _>>()?;
                    Ok(Program { commands: programs.into_iter().flat_map(|program| program.commands).collect() })
                }
                None => Err(format!("runs the shell script `{}`, which logq does not", words.join(" "))),
            },
            name if name.contains(char::is_whitespace) => {
                Err(format!("runs `{command}`, which is one argument; each word is one of its own"))
            }
            _ => Err(format!("runs `{command}`, which logq does not")),
        }
    }

    fn hive(args: &[String], environment: &Environment) -> Result<Program, String> {
        let run = hive::read(args, environment).map_err(|usage| match usage {
            HiveUsage::Clap(error) => {
                format!("has arguments that Hive does not take: {}", first_line(&error.to_string()))
            }
            HiveUsage::Refused(error) => format!("cannot run: {}", error.message()),
        })?;
        if run.options.execute.is_empty() && run.options.file.is_empty() {
            return Err("runs Hive without `-f` and `-e`, and nobody types".to_owned());
        }
        if !run.options.execute.is_empty() && !run.options.file.is_empty() {
            return Err("has both `-f` and `-e`, of which Hive takes one".to_owned());
        }
        Ok(Program::of_verb("hive", args))
    }

    fn dist_cp(args: &[String]) -> Result<Program, String> {
        copy::check_dist_cp(args).map_err(|what| format!("runs s3-dist-cp: {}", first_line(&what)))?;
        Ok(Program::of_verb("s3-dist-cp", args))
    }

    fn aws(args: &[String]) -> Result<Program, String> {
        copy::check_aws(args).map_err(|what| format!("runs `aws {}`: {}", args.join(" "), first_line(&what)))?;
        Ok(Program::of_verb("aws", args))
    }

    fn of_verb(verb: &str, args: &[String]) -> Program {
        Program { commands: vec![std::iter::once(verb.to_owned()).chain(args.iter().cloned()).collect()] }
    }

    /// A program for each command that can say what it would do, told to say that and do nothing.
    pub fn planning(&self) -> impl Iterator<Item = Program> {
        self.commands.iter().filter_map(|args| planning(args)).map(|args| Program { commands: vec![args] })
    }

    /// The arguments for the binary, of each command.
    pub fn commands(&self) -> &[Vec<String>] {
        &self.commands
    }

    /// As a shell would take it.
    pub fn command_line(&self) -> String {
        let lines = self.commands.iter().map(|args| {
            let words = std::iter::once("logq").chain(args.iter().map(String::as_str));
            // Only a NUL byte cannot be quoted.
            shlex::try_join(words).unwrap_or_else(|_| args.join(" "))
        });
        lines.collect::<Vec<_>>().join(" && ")
    }
}

fn planning(args: &[String]) -> Option<Vec<String>> {
    let mut args = args.to_owned();
    match args.first().map(String::as_str) {
        Some("hive") => args.insert(0, "--dry-run".to_owned()),
        Some("aws") if args.iter().any(|arg| arg == "--dryrun") => {}
        Some("aws") => args.push("--dryrun".to_owned()),
        _ => return None,
    }
    Some(args)
}

/// The text that these arguments make a shell run, and whether it ends with the first command that fails: `-c TEXT`,
/// `-lc TEXT`, `-e -c TEXT`, `-euxo pipefail -c TEXT`.
fn shell_text(args: &[String]) -> Option<(&str, bool)> {
    let (text, flags) = args.split_last()?;
    let mut stops_at_failure = false;
    let mut runs_text = false;
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        let letters = flag.strip_prefix('-').filter(|letters| letters.chars().all(|c| "ceoulx".contains(c)))?;
        stops_at_failure |= letters.contains('e');
        runs_text |= letters.contains('c');
        if letters.contains('o') && flags.next().is_none_or(|option| option != "pipefail") {
            return None;
        }
    }
    runs_text.then_some((text, stops_at_failure))
}

/// What stands after the last slash of a path or URL.
fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(jar: &str, args: &[&str]) -> Result<String, String> {
        let step = format!(r#"{{"Jar": {:?}, "Args": {:?}}}"#, jar, args);
        let steps = super::super::config::read("x", &step).unwrap();
        Program::of_step(&steps[0], &Environment::default()).map(|program| program.command_line())
    }

    #[track_caller]
    fn check(jar: &str, args: &[&str], expected: &str) {
        assert_eq!(program(jar, args).unwrap(), expected);
    }

    #[test]
    fn every_way_to_start_hive() {
        let script = ["--run-hive-script", "--args", "-f", "s3://b/x.q", "-d", "INPUT=s3://b/in"];
        let expected = "logq hive --run-hive-script --args -f s3://b/x.q -d 'INPUT=s3://b/in'";
        check("command-runner.jar", &[&["hive-script"], &script[..]].concat(), expected);
        check(
            "/var/lib/aws/emr/step-runner/hadoop-jars/command-runner.jar",
            &[&["hive-script"], &script[..]].concat(),
            expected,
        );
        check("command-runner.jar", &["/usr/bin/hive", "-f", "s3://b/x.q"], "logq hive -f s3://b/x.q");
        check("command-runner.jar", &["hive", "-e", "SELECT 1; SELECT 2"], "logq hive -e 'SELECT 1; SELECT 2'");
        let region = "s3://us-east-1.elasticmapreduce/libs";
        check(
            &format!("{region}/script-runner/script-runner.jar"),
            &[
                &*format!("{region}/hive/hive-script"),
                "--run-hive-script",
                "--hive-versions",
                "latest",
                "--args",
                "-f",
                "s3://b/x.q",
            ],
            "logq hive --run-hive-script --hive-versions latest --args -f s3://b/x.q",
        );
        for flags in [&["-c"][..], &["-lc"], &["-ec"], &["-e", "-c"], &["-euxo", "pipefail", "-c"]] {
            let script = "hive-script --run-hive-script --args -f s3://b/x.q -d 'A=1 2'";
            check(
                "command-runner.jar",
                &[&["/bin/bash"], flags, &[script]].concat(),
                "logq hive --run-hive-script --args -f s3://b/x.q -d 'A=1 2'",
            );
        }
        check(
            "command-runner.jar",
            &["bash", "-c", "set -ex; aws s3 cp s3://b/x.q .\n hive -f x.q &&\naws s3 sync out s3://b/out;\n"],
            "logq aws s3 cp s3://b/x.q . && logq hive -f x.q && logq aws s3 sync out s3://b/out",
        );
    }

    #[test]
    fn copies() {
        check(
            "command-runner.jar",
            &["s3-dist-cp", "--src=s3://a/b", "--dest=s3://c/d"],
            "logq s3-dist-cp '--src=s3://a/b' '--dest=s3://c/d'",
        );
        check(
            "/home/hadoop/lib/emr-s3distcp-1.0.jar",
            &["--src", "s3://a/b", "--dest", "hdfs"],
            "logq s3-dist-cp --src s3://a/b --dest hdfs",
        );
        check(
            "command-runner.jar",
            &["aws", "s3", "sync", "s3://a/b", "s3://c/d", "--delete"],
            "logq aws s3 sync s3://a/b s3://c/d --delete",
        );
    }

    #[test]
    fn what_logq_does_not_run() {
        let check = |jar: &str, args: &[&str], expected: &str| {
            let what = program(jar, args).unwrap_err();
            assert!(what.contains(expected), "{what}");
        };
        check("s3://b/my.jar", &["x"], "runs `s3://b/my.jar`, which logq does not");
        check("command-runner.jar", &["spark-submit", "x.py"], "runs `spark-submit`, which logq does not");
        check("command-runner.jar", &["hive -f x.q"], "each word is one of its own");
        check("command-runner.jar", &[], "no arguments");
        check("command-runner.jar", &["bash", "x.sh"], "shell script `bash x.sh`");
        check("command-runner.jar", &["bash", "-c", "hive -f x.q | tee y"], "`|` in");
        check("command-runner.jar", &["bash", "-c", "hive -f x.q && echo done"], "runs `echo`");
        check("command-runner.jar", &["bash", "-c", "hive -f $1", "bash", "x.q"], "shell script `bash -c");
        check("command-runner.jar", &["bash", "-o", "posix", "-c", "hive -f x.q"], "shell script");
        check("command-runner.jar", &["bash", "hive -f x.q"], "shell script");
        check("command-runner.jar", &["bash", "-c", "set -e;"], "runs nothing");
        check("command-runner.jar", &["bash", "-c", "spark-submit x"], "runs `spark-submit`");
        check("command-runner.jar", &["hive", "--nope"], "Hive does not take: unexpected argument '--nope' found");
        check("command-runner.jar", &["hive"], "without `-f` and `-e`");
        check("command-runner.jar", &["hive", "-e", "x", "-f", "y"], "both");
        check("command-runner.jar", &["aws", "s3", "rm", "s3://a"], "unrecognized subcommand 'rm'");
        check("command-runner.jar", &["s3-dist-cp", "--src", "a", "--dest", "b", "--groupBy", "x"], "--groupBy");
        check(
            "s3://r.elasticmapreduce/libs/script-runner/script-runner.jar",
            &["s3://b/run.sh"],
            "runs `s3://b/run.sh`",
        );
    }
}
