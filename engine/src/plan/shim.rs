//! TEMPORARY until functions/ is complete.
use crate::functions as f;
pub fn names() -> Vec<String> {
    let mut v: Vec<String> = f::scalar_functions().iter().flat_map(|x| std::iter::once(x.name().to_string()).chain(x.aliases().iter().cloned())).collect();
    v.extend(["count","sum","avg","min","max"].map(String::from)); v
}
pub fn is_implemented(name: &str) -> bool { names().iter().any(|n| n == name) }
pub fn is_hive_function(_n: &str) -> bool { false }
