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
use super::decimal::Total;

type Wants = fn(&[DataType]) -> Result<Vec<DataType>>;

/// An aggregate whose arguments are cast on the way in: text that is no number is NULL and not an error.
#[derive(Debug)]
pub(super) struct Typed {
    name: &'static str,
    aliases: Vec<String>,
    over_doubles: Arc<AggregateUDF>,
    /// For whole numbers, if they stay what they are.
    over_others: Arc<AggregateUDF>,
    wants: Wants,
    /// For decimals.
    of_decimals: Option<Total>,
    signature: Signature,
}

impl Typed {
    pub fn new(name: &'static str, aliases: &[&str], over_doubles: Arc<AggregateUDF>, wants: Wants) -> Self {
        let aliases = aliases.iter().map(|a| (*a).to_owned()).collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        let over_others = Arc::clone(&over_doubles);
        Typed { name, aliases, over_doubles, over_others, wants, of_decimals: None, signature }
    }

    pub fn with_others(self, over_others: Arc<AggregateUDF>) -> Self {
        Typed { over_others, ..self }
    }

    /// Decimals are added up by accumulators of ours.
    pub fn of_decimals(mut self, total: Total) -> Self {
        self.of_decimals = Some(total);
        self
    }

    fn inner(&self, wanted: &[FieldRef]) -> &AggregateUDF {
        let doubles = wanted.iter().all(|field| *field.data_type() == DataType::Float64);
        if doubles { &self.over_doubles } else { &self.over_others }
    }

    /// The total, precision and scale, if the argument is a decimal that an accumulator of ours adds up.
    fn decimal_total(&self, given: &[FieldRef]) -> Option<(Total, u8, i8)> {
        match (self.of_decimals?, given.first()?.data_type()) {
            (total, DataType::Decimal128(precision, scale)) => Some((total, *precision, *scale)),
            _ => None,
        }
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
        if let (Some(total), [DataType::Decimal128(precision, scale)]) = (self.of_decimals, wanted.as_slice()) {
            let (precision, scale) = total.result(*precision, *scale);
            return Ok(DataType::Decimal128(precision, scale));
        }
        let fields: Vec<_> = wanted.iter().map(|t| Arc::new(Field::new("argument", t.clone(), true))).collect();
        self.inner(&fields).return_type(&wanted)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if let Some((total, precision, scale)) = self.decimal_total(args.expr_fields) {
            return Ok(total.accumulator(precision, scale, args.is_distinct));
        }
        let fields = self.wanted_fields(args.expr_fields)?;
        let inner = self.inner(&fields).accumulator(AccumulatorArgs { expr_fields: &fields, ..args })?;
        Ok(Box::new(Cast { inner, fields }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if let Some((total, precision, scale)) = self.decimal_total(args.expr_fields) {
            return Ok(total.accumulator(precision, scale, args.is_distinct));
        }
        let fields = self.wanted_fields(args.expr_fields)?;
        let inner = self.inner(&fields).create_sliding_accumulator(AccumulatorArgs { expr_fields: &fields, ..args })?;
        Ok(Box::new(Cast { inner, fields }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if let Some((total, _, scale)) = self.decimal_total(args.input_fields) {
            return Ok(total.state_fields(args.name, scale, args.is_distinct));
        }
        let fields = self.wanted_fields(args.input_fields)?;
        self.inner(&fields).state_fields(StateFieldsArgs { input_fields: &fields, ..args })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.wanted_fields(args.expr_fields) {
            Ok(_) if self.decimal_total(args.expr_fields).is_some() => false,
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
