//! The JSON of steps, in every form in which EMR takes it → [`StepConfig`]s.
//!
//! | form | where it is used |
//! |---|---|
//! | `[{"Type": "HIVE", "Name": …, "Args": […]}]` | `aws emr add-steps --steps file://…` (aws-cli's `emr/steputils.py`) |
//! | `Type=HIVE,Name=…,Args=[…]` | the same, without a file |
//! | `[{"Name": …, "HadoopJarStep": {"Jar": …, "Args": […]}}]` | boto3, Airflow's `EmrAddStepsOperator` |
//! | `{"JobFlowId": …, "Steps": […]}` | the requests AddJobFlowSteps and RunJobFlow |
//! | `{"Properties": {"HadoopJarStep": …}}` | CloudFormation's `AWS::EMR::Step` |
//! | `{"jobDriver": {"hive": {"query": …, "parameters": …}}}` | EMR Serverless, StartJobRun |
//!
//! Names of members are read in any case, since CloudFormation tools write `hadoopJarStep`. Members that say where and
//! as whom a step runs (`ExecutionRoleArn`, `JobFlowId`) mean nothing here and are left out.

use logq_engine::error::{Error, Result, codes};
use serde_json::{Map, Value};

/// A step as EMR would keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepConfig {
    pub name: String,
    pub action_on_failure: ActionOnFailure,
    pub jar: String,
    pub args: Vec<String>,
    pub main_class: Option<String>,
    pub properties: Vec<(String, String)>,
}

/// What becomes of the other steps when one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActionOnFailure {
    /// They are cancelled, and the cluster goes.
    TerminateCluster,
    /// The old name of it.
    TerminateJobFlow,
    /// They are cancelled, and the cluster stays.
    CancelAndWait,
    /// They run.
    #[default]
    Continue,
}

/// AddJobFlowSteps takes no more.
const STEPS_MAX: usize = 256;

/// The jar through which EMR 4 and later run commands of the master node.
pub const COMMAND_RUNNER: &str = "command-runner.jar";

/// Reads the steps of a JSON text; `name` is the file's, for messages.
///
/// Errors: `BAD_SETTING` for text that is not JSON or describes no steps, with the number of the step.
pub fn read(name: &str, text: &str) -> Result<Vec<StepConfig>> {
    let bad = |message: String| Error::new(codes::BAD_SETTING, message).in_file(name, None, None);
    let value: Value = serde_json::from_str(text).map_err(|error| bad(format!("the steps are not JSON: {error}")))?;
    let values = match list_of(value) {
        Ok(values) => values,
        Err(what) => return Err(bad(what)),
    };
    if values.is_empty() {
        return Err(bad("there are no steps".to_owned()));
    }
    if values.len() > STEPS_MAX {
        return Err(bad(format!("there are {} steps, and EMR takes at most {STEPS_MAX}", values.len())));
    }
    let steps = values.into_iter().enumerate();
    steps.map(|(idx, value)| step(value).map_err(|what| bad(format!("step {}: {what}", idx + 1)))).collect()
}

/// Reads steps from the words of a command line: `Type=HIVE,Name=os report,Args=[-f,s3://b/x.q]`, each a step.
///
/// Source: aws-cli's shorthand syntax. Quotes around values are taken off; commas within them or within `[…]` divide no
/// members.
///
/// Errors: as of [`read`].
pub fn read_shorthand(words: &[String]) -> Result<Vec<StepConfig>> {
    let steps = words.iter().map(|word| shorthand(word)).collect::<Result<Vec<_>, _>>();
    let steps = steps.map_err(|what| Error::new(codes::USAGE, what))?;
    read("<command line>", &Value::Array(steps).to_string())
}

/// Whether a word is a step and no file.
pub fn is_shorthand(word: &str) -> bool {
    const KEYS: &[&str] = &["Type", "Name", "ActionOnFailure", "Jar", "Args", "MainClass", "Properties"];
    word.split_once('=').is_some_and(|(key, _)| KEYS.contains(&key))
}

fn shorthand(word: &str) -> Result<Value, String> {
    let mut members = Map::new();
    for member in divide(word)? {
        let (key, value) = member.split_once('=').ok_or_else(|| format!("`{member}` has no `=`"))?;
        let value = match value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
            Some(list) => Value::Array(divide(list)?.into_iter().map(|item| unquoted(item).into()).collect()),
            None => unquoted(value).into(),
        };
        members.insert(key.to_owned(), value);
    }
    Ok(Value::Object(members))
}

/// The parts between commas that stand in no quotes and no brackets.
fn divide(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_u32, None);
    for (at, c) in text.char_indices() {
        let begins_value = text[start..at].is_empty() || text[..at].ends_with(['=', '[', ',']);
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            // Within a word a quote is a character, as in `it's`.
            (None, '\'' | '"') if begins_value => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quote.is_some() || depth > 0 {
        return Err(format!("the quotes or brackets of `{text}` do not match"));
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.is_empty());
    Ok(parts)
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// The steps of a document, whatever is around them.
fn list_of(value: Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(steps) => Ok(steps),
        Value::Object(mut members) => match take(&mut members, "Steps") {
            Some(Value::Array(steps)) => Ok(steps),
            Some(other) => Err(format!("`Steps` is {}, expected a list", kind(&other))),
            None => Ok(vec![Value::Object(members)]),
        },
        other => Err(format!("found {}, expected a list of steps", kind(&other))),
    }
}

fn step(value: Value) -> Result<StepConfig, String> {
    let Value::Object(mut members) = value else {
        return Err(format!("found {}, expected an object", kind(&value)));
    };
    // CloudFormation.
    let has_jar = find(&members, "HadoopJarStep").is_some();
    if !has_jar
        && let Some(Value::Object(properties)) = find(&members, "Properties").map(|key| members[key].clone())
        && find(&properties, "HadoopJarStep").is_some()
    {
        members = properties;
    }
    let name = text(&mut members, "Name")?;
    let action_on_failure = match text(&mut members, "ActionOnFailure")? {
        Some(name) => ActionOnFailure::of_name(&name)?,
        None => ActionOnFailure::default(),
    };
    if let Some(driver) = take(&mut members, "jobDriver") {
        return serverless(driver, name, action_on_failure);
    }
    if find(&members, "hive").is_some() || find(&members, "sparkSubmit").is_some() {
        return serverless(Value::Object(members), name, action_on_failure);
    }
    let mut step = match take(&mut members, "HadoopJarStep") {
        Some(Value::Object(jar_step)) => hadoop_jar_step(jar_step)?,
        Some(other) => return Err(format!("`HadoopJarStep` is {}, expected an object", kind(&other))),
        None => typed_step(members)?,
    };
    step.action_on_failure = action_on_failure;
    if let Some(name) = name {
        step.name = name;
    }
    Ok(step)
}

/// The step of aws-cli, which has a type; `HIVE` becomes what aws-cli makes of it.
fn typed_step(mut members: Map<String, Value>) -> Result<StepConfig, String> {
    let step_type = text(&mut members, "Type")?.unwrap_or_else(|| "CUSTOM_JAR".to_owned()).to_ascii_uppercase();
    if step_type == "CUSTOM_JAR" {
        let mut step = hadoop_jar_step(members)?;
        step.name = "Custom JAR".to_owned();
        return Ok(step);
    }
    let own_args = args(&mut members)?;
    if own_args.is_empty() {
        return Err(format!("a step of type {step_type} needs `Args`"));
    }
    let (name, wrapper): (&str, &[&str]) = match step_type.as_str() {
        "HIVE" => ("Hive program", &["hive-script", "--run-hive-script", "--args"]),
        "PIG" => ("Pig program", &["pig-script", "--run-pig-script", "--args"]),
        "IMPALA" => ("Impala program", &["impala-script", "--run-impala-script"]),
        "SPARK" => ("Spark application", &["spark-submit"]),
        "STREAMING" => ("Streaming program", &["hadoop-streaming"]),
        _ => return Err(format!("there is no step type `{step_type}`")),
    };
    let args = wrapper.iter().map(|word| word.to_string()).chain(own_args).collect();
    Ok(StepConfig { name: name.to_owned(), jar: COMMAND_RUNNER.to_owned(), args, ..StepConfig::empty() })
}

fn hadoop_jar_step(mut members: Map<String, Value>) -> Result<StepConfig, String> {
    let jar = text(&mut members, "Jar")?.ok_or("a step needs a `Jar`, or a `Type` such as HIVE")?;
    let properties = take(&mut members, "Properties").or_else(|| take(&mut members, "StepProperties"));
    Ok(StepConfig {
        jar,
        args: args(&mut members)?,
        main_class: text(&mut members, "MainClass")?,
        properties: properties.map(key_values).transpose()?.unwrap_or_default(),
        ..StepConfig::empty()
    })
}

/// EMR Serverless' job driver, as the arguments of the same Hive script.
fn serverless(driver: Value, name: Option<String>, action: ActionOnFailure) -> Result<StepConfig, String> {
    let Value::Object(mut driver) = driver else {
        return Err(format!("`jobDriver` is {}, expected an object", kind(&driver)));
    };
    let mut hive = match take(&mut driver, "hive") {
        Some(Value::Object(hive)) => hive,
        Some(other) => return Err(format!("`hive` is {}, expected an object", kind(&other))),
        None => {
            let found = driver.keys().next().map_or("nothing", String::as_str).to_owned();
            let name = name.unwrap_or_else(|| "Job run".to_owned());
            return Ok(StepConfig { name, action_on_failure: action, jar: found, ..StepConfig::empty() });
        }
    };
    let query = text(&mut hive, "query")?.ok_or("`hive` needs `query`, the path of a script")?;
    let mut args = vec!["hive".to_owned()];
    if let Some(init) = text(&mut hive, "initQueryFile")? {
        args.extend(["-i".to_owned(), init]);
    }
    args.extend(["-f".to_owned(), query]);
    if let Some(parameters) = text(&mut hive, "parameters")? {
        args.extend(shlex::split(&parameters).ok_or("the quotes of `parameters` do not match")?);
    }
    let name = name.unwrap_or_else(|| "Job run".to_owned());
    Ok(StepConfig { name, action_on_failure: action, jar: COMMAND_RUNNER.to_owned(), args, ..StepConfig::empty() })
}

impl StepConfig {
    fn empty() -> Self {
        StepConfig {
            name: String::new(),
            action_on_failure: ActionOnFailure::default(),
            jar: String::new(),
            args: Vec::new(),
            main_class: None,
            properties: Vec::new(),
        }
    }
}

impl ActionOnFailure {
    fn of_name(name: &str) -> Result<Self, String> {
        match name.to_ascii_uppercase().as_str() {
            "TERMINATE_CLUSTER" => Ok(ActionOnFailure::TerminateCluster),
            "TERMINATE_JOB_FLOW" => Ok(ActionOnFailure::TerminateJobFlow),
            "CANCEL_AND_WAIT" => Ok(ActionOnFailure::CancelAndWait),
            "CONTINUE" => Ok(ActionOnFailure::Continue),
            _ => Err(format!(
                "`ActionOnFailure` is `{name}`, expected TERMINATE_CLUSTER, CANCEL_AND_WAIT, CONTINUE or TERMINATE_JOB_FLOW"
            )),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            ActionOnFailure::TerminateCluster => "TERMINATE_CLUSTER",
            ActionOnFailure::TerminateJobFlow => "TERMINATE_JOB_FLOW",
            ActionOnFailure::CancelAndWait => "CANCEL_AND_WAIT",
            ActionOnFailure::Continue => "CONTINUE",
        }
    }

    /// Whether the steps after a failed one run.
    pub fn goes_on(self) -> bool {
        self == ActionOnFailure::Continue
    }
}

/// `Args`: a list of texts; numbers and booleans, which YAML makes of them, are taken as they look.
fn args(members: &mut Map<String, Value>) -> Result<Vec<String>, String> {
    match take(members, "Args") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(args)) => args.into_iter().map(|arg| scalar(arg, "`Args`")).collect(),
        Some(other) => Err(format!("`Args` is {}, expected a list", kind(&other))),
    }
}

/// `"k=v,k2=v2"` of aws-cli, `[{"Key": …, "Value": …}]` of the API, or an object.
fn key_values(value: Value) -> Result<Vec<(String, String)>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => {
            let pairs = text.split(',').filter(|pair| !pair.is_empty());
            Ok(pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(k, v)| (k.into(), v.into()))
                .collect())
        }
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| Ok((key, scalar(value, "`Properties`")?))).collect()
        }
        Value::Array(pairs) => {
            let pair = |pair| match pair {
                Value::Object(mut pair) => {
                    let key = text(&mut pair, "Key")?.ok_or("a property needs a `Key`")?;
                    Ok((key, text(&mut pair, "Value")?.unwrap_or_default()))
                }
                other => Err(format!("a property is {}, expected an object", kind(&other))),
            };
            pairs.into_iter().map(pair).collect()
        }
        other => Err(format!("`Properties` is {}, expected a list", kind(&other))),
    }
}

fn scalar(value: Value, place: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        other => Err(format!("{place} holds {}, expected texts", kind(&other))),
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match take(members, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("`{name}` is {}, expected text", kind(&other))),
    }
}

fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = find(members, name)?.to_owned();
    members.remove(&key)
}

/// The key as it is written.
fn find<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.keys().map(String::as_str).find(|key| key.eq_ignore_ascii_case(name))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn one(text: &str) -> StepConfig {
        let mut steps = read("steps.json", text).unwrap();
        assert_eq!(steps.len(), 1);
        steps.remove(0)
    }

    fn args(step: &StepConfig) -> String {
        step.args.join(" ")
    }

    #[test]
    fn the_form_of_the_command_line() {
        let step = one(r#"[{"Type": "hive", "Args": ["-f", "s3://b/x.q", "-d", "INPUT=s3://b/in"]}]"#);
        assert_eq!((step.name.as_str(), step.jar.as_str()), ("Hive program", "command-runner.jar"));
        assert_eq!(step.action_on_failure, ActionOnFailure::Continue);
        assert_eq!(args(&step), "hive-script --run-hive-script --args -f s3://b/x.q -d INPUT=s3://b/in");
        let step = one(r#"[{"Jar": "x.jar", "MainClass": "M", "Args": ["a", 1], "Properties": "k=v,k2=v2"}]"#);
        assert_eq!((step.name.as_str(), args(&step).as_str()), ("Custom JAR", "a 1"));
        assert_eq!(step.main_class.as_deref(), Some("M"));
        assert_eq!(step.properties, [("k".into(), "v".into()), ("k2".into(), "v2".into())]);
    }

    #[test]
    fn the_shorthand_of_the_command_line() {
        let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        let steps = read_shorthand(&words(&[
            "Type=HIVE,Name='os, report',ActionOnFailure=CANCEL_AND_WAIT,Args=[-f,s3://b/x.q,-d,INPUT=s3://b/in,-d,'A=1,2']",
            "Name=it's,Jar=command-runner.jar,Args=[bash,-c,\"hive -f [x].q\"]",
        ]))
        .unwrap();
        assert_eq!(
            (steps[0].name.as_str(), steps[0].action_on_failure),
            ("os, report", ActionOnFailure::CancelAndWait)
        );
        assert_eq!(steps[0].args[3..], ["-f", "s3://b/x.q", "-d", "INPUT=s3://b/in", "-d", "A=1,2"]);
        assert_eq!((steps[1].name.as_str(), steps[1].args[2].as_str()), ("it's", "hive -f [x].q"));
        for word in ["Type=HIVE,Args=[-f", "Name='x", "Type=HIVE,x"] {
            assert!(read_shorthand(&words(&[word])).is_err(), "{word}");
        }
        assert!(is_shorthand("Type=HIVE,Args=[]") && !is_shorthand("dt=2026/steps.json"));
    }

    #[test]
    fn the_form_of_the_api_and_its_requests() {
        let list = r#"[{"Name": "os report", "ActionOnFailure": "CANCEL_AND_WAIT", "HadoopJarStep":
            {"Jar": "command-runner.jar", "Args": ["hive", "-e", "SELECT 1"], "Properties": [{"Key": "k", "Value": "v"}]}}]"#;
        let step = one(list);
        assert_eq!((step.name.as_str(), step.action_on_failure), ("os report", ActionOnFailure::CancelAndWait));
        assert_eq!((args(&step).as_str(), step.properties.len()), ("hive -e SELECT 1", 1));
        assert_eq!(one(&format!(r#"{{"JobFlowId": "j-1", "Steps": {list}}}"#)), step);
        assert_eq!(one(list.trim_start_matches('[').trim_end_matches(']')), step);
    }

    #[test]
    fn cloudformation_writes_it_in_its_way() {
        let step = one(
            r#"{"Type": "AWS::EMR::Step", "Properties": {"ActionOnFailure": "CONTINUE", "JobFlowId": "j-1", "Name": "n",
                "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["hive"], "StepProperties": [{"Key": "k", "Value": "v"}]}}}"#,
        );
        assert_eq!((step.name.as_str(), step.properties.len()), ("n", 1));
        let step =
            one(r#"[{"name": "n", "actionOnFailure": "CONTINUE", "hadoopJarStep": {"jar": "j", "args": ["a"]}}]"#);
        assert_eq!((step.name.as_str(), step.jar.as_str(), args(&step).as_str()), ("n", "j", "a"));
    }

    #[test]
    fn serverless_jobs() {
        let hive = r#""hive": {"query": "s3://b/q.sql", "initQueryFile": "s3://b/i.sql",
            "parameters": "--hiveconf a=b --hivevar 'day=1 2'"}"#;
        let step = one(&format!(r#"{{"name": "nightly", "jobDriver": {{{hive}}}}}"#));
        assert_eq!(
            step.args,
            ["hive", "-i", "s3://b/i.sql", "-f", "s3://b/q.sql", "--hiveconf", "a=b", "--hivevar", "day=1 2"]
        );
        assert_eq!(step.name, "nightly");
        assert_eq!(one(&format!("{{{hive}}}")).args, step.args);
        assert_eq!(one(r#"{"jobDriver": {"sparkSubmit": {"entryPoint": "x.py"}}}"#).jar, "sparkSubmit");
    }

    #[test]
    fn what_is_no_step() {
        let check = |text: &str, expected: &str| {
            let error = read("steps.json", text).unwrap_err();
            assert!(error.message().contains(expected), "{text}: {}", error.message());
            assert_eq!(crate::exit_code::of(&error), 2);
        };
        check("[", "not JSON");
        check("[]", "no steps");
        check("3", "found a number");
        check("[3]", "step 1: found a number");
        check(r#"[{"Name": "x"}]"#, "step 1: a step needs a `Jar`");
        check(r#"[{"Type": "HIVE"}]"#, "a step of type HIVE needs `Args`");
        check(r#"[{"Type": "SQL", "Args": ["x"]}]"#, "no step type `SQL`");
        check(r#"[{"Type": "HIVE", "Args": "-f x"}]"#, "`Args` is text");
        check(r#"[{"Jar": "x", "Args": [[1]]}]"#, "`Args` holds a list");
        check(r#"[{"Jar": "x", "ActionOnFailure": "PANIC"}]"#, "`ActionOnFailure` is `PANIC`");
        check(r#"{"hive": {"parameters": "x"}}"#, "`hive` needs `query`");
        check(r#"{"hive": {"query": "x", "parameters": "'"}}"#, "quotes");
        check(&format!("[{}]", vec![r#"{"Jar": "x"}"#; 257].join(",")), "at most 256");
    }
}
