//! An aggregate under Hive's name, over arguments cast by Hive's rules.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::super::cast::cast_array;
use super::super::common_type::is_string;

type Wants = fn(&[DataType]) -> Result<Vec<DataType>>;

/// An aggregate whose arguments are cast on the way in: text that is no number is NULL and not an error.
#[derive(Debug)]
pub(super) struct Typed {
    name: &'static str,
    aliases: Vec<String>,
    over_doubles: Arc<AggregateUDF>,
    /// For whole numbers and decimals, if they stay what they are.
    over_others: Arc<AggregateUDF>,
    wants: Wants,
    signature: Signature,
}

impl Typed {
    pub fn new(name: &'static str, aliases: &[&str], over_doubles: Arc<AggregateUDF>, wants: Wants) -> Self {
        let aliases = aliases.iter().map(|a| (*a).to_owned()).collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        Typed { name, aliases, over_others: Arc::clone(&over_doubles), over_doubles, wants, signature }
    }

    pub fn with_others(self, over_others: Arc<AggregateUDF>) -> Self {
        Typed { over_others, ..self }
    }

    fn inner(&self, wanted: &[FieldRef]) -> &AggregateUDF {
        let doubles = wanted.iter().all(|field| *field.data_type() == DataType::Float64);
        if doubles { &self.over_doubles } else { &self.over_others }
    }

    fn wanted_fields(&self, given: &[FieldRef]) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = given.iter().map(|f| f.data_type().clone()).collect();
        let wanted = (self.wants)(&types)?.into_iter();
        Ok(wanted.map(|t| Arc::new(Field::new("argument", t, true))).collect())
    }
}

impl PartialEq for Typed {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Typed {}

impl Hash for Typed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Typed {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Numbers are cast by the plan; text is kept and cast here, since the plan's cast would fail on bad text.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let wanted = (self.wants)(given)?;
        Ok(given.iter().zip(wanted).map(|(g, w)| if is_string(g) { g.clone() } else { w }).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let wanted = (self.wants)(given)?;
        let fields: Vec<_> = wanted.iter().map(|t| Arc::new(Field::new("argument", t.clone(), true))).collect();
        self.inner(&fields).return_type(&wanted)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let fields = self.wanted_fields(args.expr_fields)?;
        let inner = self.inner(&fields).accumulator(AccumulatorArgs { expr_fields: &fields, ..args })?;
        Ok(Box::new(Cast { inner, fields }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let fields = self.wanted_fields(args.expr_fields)?;
        let inner = self.inner(&fields).create_sliding_accumulator(AccumulatorArgs { expr_fields: &fields, ..args })?;
        Ok(Box::new(Cast { inner, fields }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let fields = self.wanted_fields(args.input_fields)?;
        self.inner(&fields).state_fields(StateFieldsArgs { input_fields: &fields, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.wanted_fields(args.expr_fields) {
            Ok(fields) => {
                self.inner(&fields).groups_accumulator_supported(AccumulatorArgs { expr_fields: &fields, ..args })
            }
            Err(_) => false,
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let fields = self.wanted_fields(args.expr_fields)?;
        let inner = self.inner(&fields).create_groups_accumulator(AccumulatorArgs { expr_fields: &fields, ..args })?;
        Ok(Box::new(Cast { inner, fields }))
    }
}

/// An accumulator behind the cast of its arguments.
#[derive(Debug)]
struct Cast<A> {
    inner: A,
    fields: Vec<FieldRef>,
}

fn cast_all(values: &[ArrayRef], fields: &[FieldRef]) -> Result<Vec<ArrayRef>> {
    values.iter().zip(fields).map(|(v, f)| cast_array(v, f.data_type())).collect()
}

impl Accumulator for Cast<Box<dyn Accumulator>> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&cast_all(values, &self.fields)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&cast_all(values, &self.fields)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

impl GroupsAccumulator for Cast<Box<dyn GroupsAccumulator>> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(&cast_all(values, &self.fields)?, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.inner.evaluate(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.inner.merge_batch(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(&cast_all(values, &self.fields)?, opt_filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
